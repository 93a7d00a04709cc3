"""A virtual machine: QEMU, told what to do over QMP, and the guest agent inside it."""

import base64
import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

QEMU = "qemu-system-x86_64"
MEMORY = "512M"
DISK_SPEED = 12_000_000  # bytes a second


def accelerator():
    """KVM only where the processor can run a stock kernel as a guest; else emulation."""
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    if ("vmx" in flags or "svm" in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK):
        return ("kvm", "host")
    return ("tcg,thread=multi", "max")


def die_with_parent():
    """For the child: no virtual machine outlives a test that was killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class JsonLines:
    """A socket on which each line is JSON, either way."""

    def __init__(self, path, seconds):
        end = time.monotonic() + seconds
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.buffer = b""

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            more = self.socket.recv(1 << 16)
            if not more:
                raise ConnectionError("the virtual machine has ended")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        # The agent sets a byte before its answer to a sync, to flush what was half said.
        return json.loads(line.lstrip(b"\xff"))


class Failed(AssertionError):
    """A command in the guest, or one to QEMU, failed."""


def until(condition, seconds=30):
    """A line of shell that waits for this; the script fails when it does not come."""
    shown = condition.replace("'", "")
    return (f"i=0; until {condition}; do i=$((i + 1)); [ $i -lt {seconds * 10} ] || "
            f"{{ echo 'in vain: {shown}'; exit 1; }}; sleep 0.1; done")


class Qmp:
    """QEMU's own interface."""

    def __init__(self, path):
        self.lines = JsonLines(path, 20)
        self.events = []
        self.lines.receive(20)
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        self.lines.send({"execute": command, "arguments": arguments})
        while True:
            answer = self.lines.receive(60)
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise Failed(f"{command} {arguments}: {answer['error']['desc']}")
            else:
                return answer["return"]

    def wait(self, event, seconds=60, **data):
        """Takes the first event of this kind with this data."""
        end = time.monotonic() + seconds
        while True:
            for number, seen in enumerate(self.events):
                if seen["event"] == event and data.items() <= seen.get("data", {}).items():
                    return self.events.pop(number)
            answer = self.lines.receive(max(0.01, end - time.monotonic()))
            if "event" in answer:
                self.events.append(answer)


class Agent:
    """qemu-guest-agent: runs commands in the guest."""

    def __init__(self, path):
        self.lines = JsonLines(path, 20)

    def call(self, command, seconds=60, **arguments):
        self.lines.send({"execute": command, "arguments": arguments})
        answer = self.lines.receive(seconds)
        if "error" in answer:
            raise Failed(f"{command}: {answer['error']}")
        return answer["return"]

    def connect(self, seconds):
        """Waits until the agent answers, and drops what was said to an earlier listener."""
        end = time.monotonic() + seconds
        while True:
            number = time.monotonic_ns() & 0x7FFFFFFF
            self.lines.send({"execute": "guest-sync", "arguments": {"id": number}})
            try:
                while self.lines.receive(2).get("return") != number:
                    pass
                return
            except (TimeoutError, ValueError):
                if time.monotonic() > end:
                    raise Failed("the guest's agent does not answer") from None


class Guest:
    """One running virtual machine.

    `base` is an image of the root filesystem that is not changed: what is written goes to a layer
    in `place`. state: a file of save(); the machine goes on where that one stood. disk: one that is
    plugged in from the start.
    """

    def __init__(self, place, kernel, base, state=None, disk=None):
        self.place = pathlib.Path(place)
        self.place.mkdir(parents=True, exist_ok=True)
        self.layer = self.place / "root.qcow2"
        self.console = self.place / "console.log"
        self.trace = self.place / "trace.log"
        kind = "qcow2" if str(base).endswith(".qcow2") else "raw"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", os.path.abspath(base), "-F",
                        kind, self.layer], check=True)
        self._start(kernel, state, disk)

    def _start(self, kernel, state, disk):
        self.qmp = self.agent = None
        kind, processor = accelerator()
        kernel = pathlib.Path(kernel)
        said = open(self.place / "qemu.log", "wb")
        self.process = subprocess.Popen(
            [QEMU, "-machine", "q35", "-accel", kind, "-cpu", processor, "-smp", "2", "-m", MEMORY,
             "-nodefaults", "-no-user-config", "-display", "none",
             "-serial", f"file:{self.console}",
             "-kernel", kernel / "vmlinuz", "-initrd", kernel / "initrd",
             "-append", "root=/dev/vda rw console=ttyS0 panic=-1 mitigations=off quiet",
             "-drive", f"if=virtio,file={self.layer},format=qcow2,cache=unsafe",
             "-device", "qemu-xhci,id=usb",
             "-device", "virtio-serial",
             "-chardev", f"socket,id=agent,path={self.place}/agent,server=on,wait=off",
             "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
             "-qmp", f"unix:{self.place}/qmp,server=on,wait=off",
             # A slow USB disk, however fast this machine is: there are moments to pull it out.
             "-object", f"throttle-group,id=usb,x-bps-total={DISK_SPEED}",  # set_disk_speed()
             # What the disk was told, in order.
             "-D", self.trace, "-trace", "scsi_disk_new_request", "-trace", "usb_xhci_slot_disable",
             "-no-reboot", "-S", *(["-incoming", f"exec:cat '{state}'"] if state else [])],
            stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent)
        said.close()
        try:
            self.qmp = Qmp(self.place / "qmp")
            if state:
                self._wait_loaded()
            if disk:
                self.plug_in(disk.image, disk.serial)
            self.qmp("cont")
            self.agent = Agent(self.place / "agent")
            self.agent.connect(180)
        except Exception as error:
            self.kill()
            raise Failed(f"{error}\n{self.said()}") from error

    def _wait_loaded(self):
        end = time.monotonic() + 60
        while self.qmp("query-status")["status"] == "inmigrate":
            if time.monotonic() > end:
                raise Failed("the saved state does not load")
            time.sleep(0.05)

    def said(self):
        """The end of what the guest and QEMU printed."""
        text = (self.place / "qemu.log").read_bytes()
        if self.console.exists():
            text += self.console.read_bytes()
        return text.decode("utf-8", "replace")[-4000:]

    # ---- inside ----

    def run(self, script, check=True, seconds=120, typed=None):
        """Runs a shell script in the guest; what it printed, both streams. With check=False:
        (exit status, text)."""
        more = {}
        if typed is not None:
            more["input-data"] = base64.b64encode(typed).decode()
        pid = self.agent.call("guest-exec", path="/bin/sh", arg=["-c", f"exec 2>&1\n{script}"],
                              **{"capture-output": True,
                                 "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                                         "LC_ALL=C.UTF-8", "TZ=UTC"]}, **more)["pid"]
        end = time.monotonic() + seconds
        while not (answer := self.agent.call("guest-exec-status", pid=pid))["exited"]:
            if time.monotonic() > end:
                raise Failed(f"takes longer than {seconds} s in the guest: {script}")
            time.sleep(0.03)
        text = base64.b64decode(answer.get("out-data", "")).decode("utf-8", "replace")
        status = answer.get("exitcode", -answer.get("signal", 0))
        if not check:
            return status, text
        if status != 0:
            raise Failed(f"in the guest, status {status}: {script}\n{text}")
        return text

    def json(self, script, **more):
        return json.loads(self.run(script, **more))

    def write(self, name, text, mode="600"):
        self.run(f"mkdir -p $(dirname {name}); cat > {name}; chmod {mode} {name}",
                 typed=text.encode())

    # ---- USB disks ----

    def plug_in(self, image, serial):
        """A USB disk with this file's bytes. Its name here is its serial number."""
        self.qmp("blockdev-add", **{"driver": "throttle", "node-name": serial,
                                    "throttle-group": "usb",
                                    "file": {"driver": "file", "filename": str(image)}})
        self.qmp("device_add", driver="usb-storage", id=f"usb-{serial}", bus="usb.0",
                 drive=serial, serial=serial)

    def set_disk_speed(self, speed):
        """Of all USB disks together, in bytes a second, from now on."""
        self.qmp("qom-set", path="/objects/usb", property="limits", value={"bps-total": speed})

    def unplug(self, serial):
        """Pulls it out, whatever the guest is doing."""
        self.qmp("device_del", id=f"usb-{serial}")
        self.qmp.wait("DEVICE_DELETED", device=f"usb-{serial}")
        self.qmp("blockdev-del", **{"node-name": serial})

    def traced(self):
        return self.trace.read_text(encoding="utf-8", errors="replace").splitlines()

    # ---- the end ----

    def save(self, state):
        """Writes the machine's state to a file, and ends it; its layer goes with the state."""
        self.run("sync")
        self.agent.lines.socket.close()
        self.qmp("migrate", uri=f"exec:cat > '{state}'")
        end = time.monotonic() + 120
        while (status := self.qmp("query-migrate").get("status")) != "completed":
            if status == "failed" or time.monotonic() > end:
                raise Failed(f"the state cannot be saved: {status}")
            time.sleep(0.1)
        self.qmp("quit")
        self.process.wait(60)
        self.kill()

    def kill(self):
        """As if the power went off."""
        for end in (self.qmp, self.agent):
            if end is not None:
                end.lines.socket.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
