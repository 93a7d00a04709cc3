"""The units, as systemd reads them, and the Debian package."""

import os
import pathlib
import re
import shutil
import subprocess

from machine import Machine


class Units(Machine):
    def test_systemd_accepts_the_units(self):
        import machine
        build = pathlib.Path(machine.ROTA).resolve().parents[1]
        stage = self.dir / "stage"
        subprocess.run(["cmake", "--install", build, "--prefix", "/opt/rota"], check=True,
                       env={**os.environ, "DESTDIR": str(stage)}, stdout=subprocess.DEVNULL)
        installed = stage / "opt/rota/lib"
        self.assertTrue((installed / "udev/rules.d/90-rota.rules").exists())
        for name in ("man/man1/rota.1", "man/man1/rota-disk-attach.1", "man/man7/rota-manual.7",
                     "bash-completion/completions/rota"):
            self.assertTrue((stage / "opt/rota/share" / name).exists(), name)
        self.assertEqual([], list(stage.rglob("rota-pages")))
        units = sorted((installed / "systemd/system").iterdir())
        self.assertEqual(["rota-disk@.service", "rota-remind.service", "rota-remind.timer"],
                         [unit.name for unit in units])
        for unit in units[:2]:
            self.assertIn("ExecStart=/opt/rota/bin/rota ", unit.read_text())
        try:
            subprocess.run(["systemd-analyze", "--version"], check=True, stdout=subprocess.DEVNULL)
        except OSError:
            self.skip("needs systemd-analyze (package systemd)")
        place = self.dir / "units"
        place.mkdir()
        for unit in units:
            # The program lies where it was built, not where it will be installed.
            text = re.sub(r"(?m)^(ExecStart|ExecStopPost)=\S+", rf"\1={machine.ROTA}",
                          unit.read_text())
            (place / unit.name).write_text(text)
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", place / unit.name],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False)
            self.assertEqual((0, ""), (done.returncode, done.stdout))
        # A look that never ends must not keep the timer from the next one.
        self.assertIn("TimeoutStartSec=15min\n", (place / "rota-remind.service").read_text())
        text = (place / "rota-disk@.service").read_text()
        # Each of these would leave out a part of the source, without a word, or break the job.
        settings = dict(re.findall(r"(?m)^(\w+)=(.*)$", text))
        for name in ("ProtectHome", "PrivateTmp", "ProtectSystem", "PrivateDevices", "DevicePolicy",
                     "InaccessiblePaths", "ReadOnlyPaths", "TemporaryFileSystem", "RootDirectory",
                     "ProtectKernelModules", "ProtectKernelTunables", "ProtectClock", "ProtectProc",
                     "ProcSubset", "RestrictSUIDSGID", "NoNewPrivileges", "PrivateNetwork", "User",
                     "DynamicUser", "CapabilityBoundingSet", "SystemCallFilter"):
            self.assertNotIn(name, settings)
        self.assertEqual(("dev-%i.device", "infinity", "3", "mixed", "yes"),
                         tuple(settings[name] for name in (
                             "BindsTo", "TimeoutStartSec", "SuccessExitStatus", "KillMode",
                             "PrivateMounts")))


class Package(Machine):
    def dpkg(self, *args):
        subprocess.run(["dpkg", f"--root={self.root}", "--force-script-chrootless",
                        "--force-depends", *args], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def packages(self, made, field):
        """The names of the packages in this field of the control file."""
        text = subprocess.run(["dpkg-deb", "-f", made, field], check=True, stdout=subprocess.PIPE,
                              text=True).stdout
        return {name.split()[0] for name in re.split("[,|]", text)}

    def assert_libraries_named(self, program, packages):
        """What the program is linked with is in these packages."""
        needed = subprocess.run(["objdump", "-p", program], check=True, stdout=subprocess.PIPE,
                                text=True).stdout
        libraries = re.findall(r"NEEDED +(\S+)", needed)
        self.assertIn("libc.so.6", libraries)
        for library in libraries:
            owners = subprocess.run(["dpkg", "-S", f"*/{library}"], check=True, text=True,
                                    stdout=subprocess.PIPE).stdout
            names = set(re.findall(r"(?m)^([^:]+):", owners))
            self.assertTrue(names & packages, f"{program} needs {library} of {names}: {packages}")

    def test_a_package_is_installed_and_leaves_only_what_is_the_operators(self):
        import machine
        if os.geteuid() != 0 or not shutil.which("dpkg-shlibdeps"):
            self.skip("needs root and dpkg-shlibdeps (package dpkg-dev)")
        top = pathlib.Path(__file__).resolve().parents[2]
        build = pathlib.Path(machine.ROTA).resolve().parents[1]
        made = subprocess.run([top / "packaging/package.sh", build, self.dir], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()
        self.root = self.dir / "root"
        for place in ("info", "updates"):
            (self.root / "var/lib/dpkg" / place).mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()
        depends = self.packages(made, "Depends")
        everything = depends | self.packages(made, "Recommends")
        self.dpkg("--install", made)
        programs = sorted(path.name for path in (self.root / "usr/bin").iterdir())
        self.assertEqual(["rota", "rota-label", "rota-tui"], programs)
        for program in programs:
            self.assert_libraries_named(self.root / "usr/bin" / program,
                                        depends if program == "rota" else everything)
        self.assertEqual([], [name for name in depends if "ncurses" in name or "cairo" in name])
        for name in ("usr/bin/rota", "usr/lib/udev/rules.d/90-rota.rules",
                     "usr/lib/systemd/system/rota-disk@.service", "etc/cron.daily/rota",
                     "usr/share/bash-completion/completions/rota",
                     "usr/share/man/man1/rota.1.gz", "usr/share/man/man7/rota-manual.7.gz",
                     "usr/share/doc/rota/changelog.gz"):
            self.assertTrue((self.root / name).exists(), name)
        pages = [path for path in (self.root / "usr/share/man").rglob("*") if path.is_file()]
        for path in [*pages, self.root / "usr/share/doc/rota/changelog.gz"]:
            # A gzip file with neither name nor time in it.
            self.assertEqual(b"\x1f\x8b\x08\0\0\0\0\0\x02", path.read_bytes()[:9], path)
        self.assertEqual(sorted(path.name for path in (build / "share/man").glob("man?/*")),
                         sorted(path.stem for path in pages))
        self.assertEqual(0o700, (self.root / "etc/rota/keys").stat().st_mode & 0o777)
        unit = (self.root / "usr/lib/systemd/system/rota-disk@.service").read_text()
        self.assertIn("ExecStart=/usr/bin/rota disk attach --started-by=udev /dev/%I\n", unit)
        key = self.root / "etc/rota/keys/B.key"
        key.write_text("the only one")
        self.dpkg("--purge", "rota")
        left = [str(path.relative_to(self.root)) for path in self.root.rglob("*")
                if path.is_file() and "var/lib/dpkg" not in str(path)
                and "var/log" not in str(path)]
        self.assertEqual(["etc/rota/keys/B.key"], left)
        self.assertFalse((self.root / "usr/share").exists())
