"""A chain on an SFTP server: OpenSSH's own, on a loopback port, with keys of the test."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess

from machine import REFUSED, WARNINGS, Machine, wait_for

SSHD = "/usr/sbin/sshd"
SFTP_SERVER = "/usr/lib/openssh/sftp-server"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Sftp(Machine):
    def setUp(self):
        super().setUp()
        for program in (SSHD, SFTP_SERVER, "ssh-keygen", "ssh-keyscan"):
            if not shutil.which(program):
                self.skip(f"needs {program}")
        self.port = free_port()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir / name],
                           check=True)
        self.known_hosts = self.dir / "known_hosts"
        host = (self.dir / "host.pub").read_text(encoding="utf-8")
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {host}", encoding="utf-8")
        self.start_server()
        user = pwd.getpwuid(os.geteuid()).pw_name
        self.target = f"sftp://{user}@127.0.0.1:{self.port}{self.store}"

    def start_server(self, arguments=""):
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        config = self.dir / "sshd_config"
        config.write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.dir}/host\nPidFile none\n"
            f"AuthorizedKeysFile {self.dir}/user.pub\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"PermitRootLogin prohibit-password\nSubsystem sftp {SFTP_SERVER} {arguments}\n",
            encoding="utf-8")
        self.server = subprocess.Popen([SSHD, "-D", "-f", config, "-E", self.dir / "sshd.log"])
        self.addCleanup(self.stop_server)
        wait_for(lambda: answers(self.port), "sshd's start")

    def stop_server(self):
        self.server.kill()
        self.server.wait()

    def init_sftp(self):
        self.rota("init", "main", "--source", self.source, "--target", self.target)
        self.set(credentials=f'"{self.dir}/user"')
        self.set(**{"sftp.known_hosts": f'"{self.known_hosts}"'})

    def test_a_chain_lives_on_an_sftp_server(self):
        self.init_sftp()
        self.write("etc/fstab", "fstab")
        self.write("big", os.urandom(20 << 20))
        first = self.backup()
        self.write("etc/fstab", "changed")
        self.backup()
        self.silent("verify", "main", "--data")
        self.assert_same(self.source, self.restored())
        self.assertEqual("fstab", (self.restored("--at", first) / "etc/fstab").read_text())
        self.rota("purge", "main")
        # The server itself reads the same files as a directory store.
        self.silent("restore", "--target", f"file://{self.store}", "--to", self.dir / "local")
        self.assert_same(self.source, self.dir / "local")
        self.assertEqual([], list((self.store / ".tmp").iterdir()))

    def test_an_unknown_server_is_refused_with_the_command_that_adds_it(self):
        self.init_sftp()
        self.write("a")
        self.known_hosts.write_text("", encoding="utf-8")
        refused = self.fails(REFUSED, "SHA256:.* then add it: ssh-keyscan", "backup", "main")
        self.assertFalse(self.store.exists())
        command = refused.err.split("then add it: ")[1]
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)
        self.backup()

    def test_the_private_key_is_not_part_of_the_backup(self):
        self.source = self.dir
        self.init_sftp()
        self.silent("backup", "main")
        paths = self.paths("main")
        self.assertIn("host", paths)
        self.assertNotIn("user", paths)

    def test_an_account_that_may_only_add_takes_backups_and_purge_says_what_is_due(self):
        self.stop_server()
        self.start_server("-P remove,rmdir,rename,posix-rename")
        self.init_sftp()
        self.write("a")
        self.set(max_age='"1s"', max_full_age='"1s"')
        self.backup("--full")
        self.backup("--full")
        before = self.objects("runs/**/*.*")
        self.rota("purge", "main", status=None)
        self.assertEqual(before, self.objects("runs/**/*.*"))
        self.assert_same(self.source, self.restored())

    def diagnosed(self):
        said = self.rota("doctor", "--json", status=WARNINGS).json()
        return said["sentence"], {f["thing"]: f["level"] for f in said["findings"]}

    def test_the_doctor_says_what_the_account_could_destroy(self):
        self.init_sftp()
        self.write("a")
        self.assertIn("cannot be told", self.diagnosed()[0])
        self.assertFalse(self.store.exists())
        self.backup()
        sentence, levels = self.diagnosed()
        self.assertIn(f"delete every chain in {self.target} at once, unless", sentence)
        self.assertEqual(("danger", "advice"), (levels["deletion"], levels["snapshots"]))
        self.assertEqual([], list((self.store / ".tmp").iterdir()))
        room = [f["what"] for f in self.rota("doctor", "--json", status=WARNINGS).json()["findings"]
                if f["thing"] == "room"]
        self.assertEqual(1, len(room), room)

        self.stop_server()
        self.start_server("-P remove,rmdir,rename,posix-rename")
        sentence, levels = self.diagnosed()
        self.assertIn("overwrite, and so destroy", sentence)
        self.assertEqual(("good", "danger"), (levels["deletion"], levels["overwriting"]))
        self.silent("verify", "main", "--data")
