"""A CUPS of one's own on a private socket, with one queue that prints into a file."""

import os
import pathlib
import shutil
import subprocess
import time

BACKEND = """#!/bin/sh
[ $# -eq 0 ] && { echo 'direct tofile "Unknown" "Prints into a file"'; exit 0; }
cat ${6:+"$6"} >>"${DEVICE_URI#tofile:}"
printf '%s\\n' "$5" >>"${DEVICE_URI#tofile:}.options"
"""

SETTINGS = """ServerRoot {0}/root
ServerBin {0}/bin
DataDir /usr/share/cups
RequestRoot {0}/spool
TempDir {0}/spool/tmp
CacheDir {0}/cache
StateDir {0}/run
AccessLog {0}/log/access
ErrorLog {0}/log/error
PageLog {0}/log/page
User lp
Group lp
SystemGroup root
"""

CUPSD = """Listen {0}/run/sock
Browsing Off
<Location />
  Order allow,deny
  Allow all
</Location>
<Policy default>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
"""


def missing():
    """What is not here; empty when CUPS can run."""
    for program in ("cupsd", "lpadmin", "lp"):
        if not shutil.which(program, path="/usr/sbin:/usr/bin"):
            return f"{program} is not installed"
    return "" if os.geteuid() == 0 else "CUPS needs root"


class CupsQueue:
    """Runs until close(). The queue is called Test and is the default one."""

    def __init__(self, place):
        self.place = pathlib.Path(place)
        self.printed = self.place / "printed.pdf"
        for name in ("root/ppd", "bin/backend", "bin/filter", "spool/tmp", "cache", "run", "log"):
            (self.place / name).mkdir(parents=True)
        for name in ("bin", "bin/backend"):  # CUPS runs nothing that others could change
            (self.place / name).chmod(0o755)
        (self.place / "bin/daemon").symlink_to("/usr/lib/cups/daemon")  # what starts backends
        backend = self.place / "bin/backend/tofile"
        backend.write_text(BACKEND)
        backend.chmod(0o700)  # not for everybody: then CUPS runs it as root, who may write here
        (self.place / "files.conf").write_text(SETTINGS.format(self.place))
        (self.place / "cupsd.conf").write_text(CUPSD.format(self.place))
        self.env = {"CUPS_SERVER": str(self.place / "run/sock")}
        self.log = open(self.place / "out", "wb")
        self.process = subprocess.Popen(
            ["/usr/sbin/cupsd", "-f", "-c", self.place / "cupsd.conf", "-s",
             self.place / "files.conf"], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def start(self):
        """False when it does not come up."""
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            if (self.place / "run/sock").exists() and self.run("lpstat", "-r"):
                return (self.run("/usr/sbin/lpadmin", "-p", "Test", "-v", f"tofile:{self.printed}",
                                 "-E", "-m", "raw") and
                        self.run("/usr/sbin/lpadmin", "-d", "Test"))
            time.sleep(0.05)
        return False

    def run(self, *argv):
        return subprocess.run(argv, env={**os.environ, **self.env}, capture_output=True,
                              check=False).returncode == 0

    def take(self):
        """What was printed last, once the queue has printed it all."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            waiting = subprocess.run(["lpstat", "-o"], env={**os.environ, **self.env},
                                     capture_output=True, check=False).stdout
            if not waiting and self.printed.exists():
                break
            time.sleep(0.05)
        if not self.printed.exists():
            log = (self.place / "log/error").read_text(errors="replace")
            raise AssertionError(f"CUPS printed nothing:\n{log[-3000:]}")
        document = self.printed.read_bytes()
        self.printed.unlink()
        return document

    def options(self):
        return pathlib.Path(f"{self.printed}.options").read_text()

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
