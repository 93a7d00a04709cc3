"""A server in a virtual machine: Debian with systemd, rota from its own package, and one rotation
disk that holds a copy already. Made once and saved; each test goes on from there."""

import hashlib
import io
import json
import os
import pathlib
import random
import re
import shutil
import string
import subprocess
import sys
import tempfile
import time

import qemu

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
ROTA = pathlib.Path(os.environ.get("ROTA", "")).resolve()
CACHE = ROTA.parents[1] / "vm"
DISK_SIZE = 1 << 30
# The files that take the time which a disk can be pulled out in.
DATA_MB = 24
# Of a disk in the step that it is pulled out in, in bytes a second: half a minute for the data.
SLOW = 800_000

SOURCE = """\
- /usr
- /boot
- /dev
- /proc
- /sys
- /run
- /srv/store
- /var/lib
- /var/cache
- /var/log
"""


def log(text):
    sys.stderr.write(f"vm: {text}\n")
    sys.stderr.flush()


def digest(*parts):
    whole = hashlib.sha256()
    for part in parts:
        with io.BytesIO(part) if isinstance(part, bytes) else open(part, "rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:16]


def made_once(name, make):
    """CACHE/name, made by make(directory) if it is not there; nothing half made stays."""
    place = CACHE / name
    if not place.is_dir():
        CACHE.mkdir(exist_ok=True)
        for old in CACHE.glob(f"{name.rsplit('-', 1)[0]}-*"):
            shutil.rmtree(old)
        begun = pathlib.Path(tempfile.mkdtemp(prefix="begun-", dir=CACHE))
        try:
            start = time.monotonic()
            make(begun)
            begun.rename(place)
            log(f"{name} made in {time.monotonic() - start:.0f} s")
        finally:
            shutil.rmtree(begun, ignore_errors=True)
    return place


def package():
    """The package of the programs under test, and what it depends on."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="rota-vm-"))
    subprocess.run([TOP / "packaging/package.sh", ROTA.parents[1], place], check=True,
                   stdout=subprocess.DEVNULL)
    (file,) = place.glob("*.deb")
    depends = subprocess.run(["dpkg-deb", "-f", file, "Depends"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return file, re.findall(r"(?:^|, )([a-z0-9.+-]+)", depends)


class Disk:
    """A USB disk: a file here, a serial number there."""

    def __init__(self, image, name):
        self.image, self.name = pathlib.Path(image), name
        self.serial = f"S{name}"

    @staticmethod
    def empty(place, name=None):
        name = name or "".join(random.choices(string.ascii_uppercase + string.digits, k=7))
        disk = Disk(pathlib.Path(place) / f"{name}.img", name)
        with open(disk.image, "wb") as file:
            file.truncate(DISK_SIZE)
        return disk

    def _filesystem(self):
        """As e2fsprogs take it: the first partition within the file. No loop device, so that nobody
        on this machine hears of a rotation disk."""
        table = json.loads(subprocess.run(["sfdisk", "--json", self.image], check=True,
                                          stdout=subprocess.PIPE).stdout)["partitiontable"]
        start = table["partitions"][0]["start"] * table.get("sectorsize", 512)
        return f"{self.image}?offset={start}"

    def look(self, command):
        """What debugfs prints for a command."""
        return subprocess.run(["debugfs", "-R", command, self._filesystem()], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def names(self, directory):
        """The names in a directory of the disk."""
        listed = self.look(f"ls -p {directory}").split("\n")
        return sorted(name for line in listed if line.startswith("/")
                      for name in [line.split("/")[5]] if name not in (".", ".."))

    def take_out(self, place):
        """All that is on the disk, as files below `place`."""
        place = pathlib.Path(place)
        place.mkdir()
        self.look(f"rdump / {place}")
        return place

    def check(self):
        """What e2fsck finds in the filesystem, its journal played back first in a copy."""
        copy = Disk(f"{self.image}.check", self.name)
        subprocess.run(["cp", "--sparse=always", self.image, copy.image], check=True)
        try:
            subprocess.run(["e2fsck", "-p", copy._filesystem()], check=False,
                           stdout=subprocess.DEVNULL)
            found = subprocess.run(["e2fsck", "-f", "-n", copy._filesystem()], check=False,
                                   text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            return "" if found.returncode == 0 else found.stdout
        finally:
            copy.image.unlink()


class Station(qemu.Guest):
    """The server in its machine, and what people do with it."""

    def told(self):
        """What on_event was given so far."""
        return [json.loads(line) for line in self.run("cat /root/told").splitlines()]

    def wait_job(self, after, seconds=300, count=1):
        """Waits until `count` messages more than `after` were told and no job runs; all new ones."""
        script = f"""
            for i in $(seq {seconds * 5}); do
              if [ $(wc -l < /root/told) -ge {after + count} ] && ! {self.jobs} | grep -q .; then exit 0; fi
              sleep 0.2
            done
            {self.jobs}; journalctl --no-pager -n 50 -u 'rota-disk@*'; exit 1"""
        self.run(script, seconds=seconds + 60)
        return self.told()[after:]

    def wait_settled(self):
        """Until then a disk is taken for one that was there at boot."""
        self.run("""
            systemctl is-system-running --wait
            up=$(systemctl show --value --property=FinishTimestampMonotonic)
            while [ $(cut -d. -f1 /proc/uptime) -le $((up / 1000000 + 20)) ]; do sleep 0.5; done
            """, seconds=240)

    jobs = ("systemctl list-units --no-legend --state=activating,active,deactivating,reloading "
            "'rota-disk@*'")

    def copy(self, disk, seconds=300):
        """Plugs the disk in, waits until its job has ended, and pulls it out; what was told."""
        after = len(self.told())
        self.plug_in(disk.image, disk.serial)
        told = self.wait_job(after, seconds)
        self.unplug(disk.serial)
        return told

    def requests(self):
        """How many commands USB disks have been given so far."""
        with open(self.trace, "rb") as file:
            return sum(chunk.count(b"scsi_disk_new_request") for chunk in iter(
                lambda: file.read(1 << 20), b""))

    def hold_job(self, hook):
        """The next job stops in this hook, until let_job_go()."""
        self.run("mkfifo /run/gate")
        # A gate that is gone, with the power, holds nobody.
        self.write(f"/etc/rota/main/{hook}",
                   "#!/bin/sh\nsync\n[ ! -p /run/gate ] || { touch /run/held; read go < /run/gate; }\n",
                   mode="700")

    def wait_held(self):
        self.run(qemu.until("[ -e /run/held ]", 120))

    def let_job_go(self):
        self.run("rm /etc/rota/main/pre /etc/rota/main/post /run/held 2>/dev/null\n"
                 "echo > /run/gate; rm /run/gate")

    def pull_during(self, disk, activity, pull=None):
        """Plugs the disk in and pulls it out (or calls `pull`) in the middle of a step. The disk is so
        slow in this step that nobody who looks misses it; a hook holds the job until it is."""
        self.hold_job("pre" if activity.startswith("copy") else "post")
        self.plug_in(disk.image, disk.serial)
        self.wait_held()
        self.set_disk_speed(SLOW)
        # What is written is not to lie in memory alone.
        self.run("cd /proc/sys/vm; echo 1000000 > dirty_background_bytes; echo 2000000 > dirty_bytes")
        self.let_job_go()
        seen = f"""tail -qn 1 /run/rota/disk-*.json | grep -q '"activity":"{activity}".*"bytes":[1-9]'"""
        self.run(qemu.until(seen, 120))
        if pull is None:
            self.unplug(disk.serial)
            self.set_disk_speed(qemu.DISK_SPEED)
            self.run("cd /proc/sys/vm; echo 10 > dirty_background_ratio; echo 20 > dirty_ratio")
        else:
            pull()

    def pull_after(self, disk, requests, seconds=120):
        """Plugs the disk in and pulls it out once it was given so many commands by its job, or when
        that is over; what the job was working at."""
        told = len(self.told())
        self.plug_in(disk.image, disk.serial)
        self.run(qemu.until(f"{self.jobs} | grep -q ."))
        after, end = self.requests() + requests, time.monotonic() + seconds
        over = None
        while self.requests() < after and time.monotonic() < end:
            time.sleep(0.02)
            # Asked now and then only: it makes the machine slower.
            if over is None or time.monotonic() > over:
                over = time.monotonic() + 2
                if len(self.told()) > told:
                    break
        doing = self.doing()
        self.unplug(disk.serial)
        return doing

    def change_data(self):
        """Gives the next copy something to do."""
        self.run(f"""cd /home/data
            for i in $(seq {DATA_MB // 2}); do head -c 2M /dev/urandom > file$i; done; sync""")

    def doing(self):
        """What the running job works at, as its progress file says; nothing when none runs."""
        lines = self.run("tail -qn 1 /run/rota/disk-*.json 2>/dev/null || true").splitlines()
        last = json.loads(lines[-1]) if lines else {}
        return last.get("activity", last.get("step", "nothing"))

    def copies(self, disk, state="sealed"):
        shown = self.json(f"rota disk show {disk.name} --json")
        return sorted(copy["snapshot"] for copy in shown["all_copies"] if copy["state"] == state)

    def prepare(self, disk, options=""):
        self.plug_in(disk.image, disk.serial)
        ended = "systemctl show --value --property=ExecMainExitTimestampMonotonic"
        said = self.run(f"""
            {qemu.until(f'node=$(readlink -f /dev/disk/by-id/usb-*{disk.serial}-0:0) && [ -b "$node" ]')}
            rota disk prepare "$node" --name {disk.name} --yes {options} || exit 1
            # Its label starts a job, which does nothing, but notices when the disk is gone.
            unit=rota-disk@$(basename $node)1.service
            {qemu.until(f'[ "$({ended} $unit)" != 0 ]')}""")
        self.unplug(disk.serial)
        self.run("udevadm settle")
        return said


def make_base(packages):
    def make(place):
        subprocess.run([HERE / "image.sh", place, *packages], check=True)
    return make


def make_station(base, deb):
    def make(place):
        root = place / "plain.img"
        subprocess.run(["cp", "--sparse=always", base / "root.img", root], check=True)
        subprocess.run(["debugfs", "-w", "-R", f"write {deb} /root/rota.deb", root], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        station = Station(place, base, root)
        try:
            set_up(station, place)
            station.save(place / "state")
        finally:
            station.kill()
        # The layer names its base by its path, which is about to change.
        subprocess.run(["qemu-img", "rebase", "-q", "-u", "-b", "plain.img", "-F", "raw",
                        place / "root.qcow2"], check=True)
    return make


def set_up(station, place):
    station.run("systemctl is-system-running --wait || { systemctl --failed; exit 1; }", seconds=300)
    station.run("dpkg -i /root/rota.deb && rm /root/rota.deb")
    station.run("rota init --source / --target file:///srv/store")
    station.write("/etc/rota/main/exclude", SOURCE)
    station.write("/root/on-event", "#!/bin/sh\ncat >> /root/told\n", mode="700")
    station.write("/etc/rota/rotation.toml",
                  '[set.monthly]\nreserve = "1M"\n[notify]\nmail = ""\n'
                  'on_event = "/root/on-event"\n')
    station.run("touch /root/told")
    for where in ("/home/jo", "/root/work", "/tmp/here", "/var/tmp/here", "/opt/thing", "/srv/www"):
        station.write(f"{where}/file", f"of {where}\n", mode="644")
    station.wait_settled()
    disk = Disk.empty(place, "ALPHA")
    station.prepare(disk)
    told = station.copy(disk)
    if [message["event"] for message in told] != ["safe to unplug"]:
        raise qemu.Failed(f"the first copy: {told}\n"
                          + station.run("journalctl --no-pager -u 'rota-disk@*'"))
    # What the next copy will hold: it takes a while.
    station.run("mkdir /home/data; for i in $(seq 500); do echo $i > /home/data/small$i; done")
    station.change_data()
    station.run("udevadm settle")


def made():
    """The directories of the base and of the saved station, made now if they are not there."""
    deb, depends = package()
    try:
        base = made_once("base-" + digest(HERE / "image.sh", " ".join(depends).encode()),
                         make_base(depends))
        state = digest(ROTA, HERE / "qemu.py", HERE / "station.py", *sorted(TOP.glob("packaging/*")),
                       *sorted(TOP.glob("udev/*.in")), TOP / "udev/90-rota.rules",
                       " ".join(qemu.accelerator()).encode(), base.name.encode())
        return base, made_once(f"station-{state}", make_station(base, deb))
    finally:
        shutil.rmtree(deb.parent)
