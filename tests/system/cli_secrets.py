"""The access key of a store and the tokens that it buys: they stay where they belong."""

import base64
import os
import pathlib
import threading

from b2_machine import KEY, KEY_ID, B2Machine
from machine import FAILED, REFUSED

WRONG = "wr0ngsecret"
LOGINS = {base64.b64encode(f"{KEY_ID}:{key}".encode()).decode() for key in (KEY, WRONG)}


def is_descendant(process, ancestor):
    """Whether this directory of /proc belongs to a process that `ancestor` started. Other tests run
    beside this one, and foreign clients take their keys on the command line."""
    pid = int(process.name)
    while pid > 1 and pid != ancestor:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        pid = int(stat.rpartition(")")[2].split()[1])
    return pid == ancestor


class Watcher(threading.Thread):
    """Looks at the command lines and environments of all that is started here, again and again."""

    def __init__(self, secrets):
        super().__init__()
        self.secrets = [secret.encode() for secret in secrets]
        self.found, self.commands, self.texts = [], set(), set()
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        if not is_descendant(process, os.getpid()):
                            break
                        text = (process / name).read_bytes()
                    except OSError:
                        continue  # it has ended
                    if any(secret in text for secret in self.secrets):
                        self.found.append(process / name)
                    # What is a secret is known only later: tokens are.
                    if b"ROTA_" in text or b"rota" in text:
                        self.texts.add(text)
                    if name == "cmdline":
                        self.commands.add(text.rstrip(b"\0").split(b"\0")[-1])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        self.join()


class Secrets(B2Machine):
    def setUp(self):
        super().setUp()
        for i in range(5):
            self.write(str(i), str(i))
        self.init_b2()
        self.credentials_files = {self.credentials, self.write_credentials("wrong.toml", WRONG)}

    def tokens(self):
        tokens = self.control(tokens=True)["tokens"]
        self.assertGreater(len(tokens), 1)
        return tokens

    def assert_no_secret(self, watcher):
        secrets = [KEY, WRONG, *LOGINS, *self.tokens()]
        self.assertEqual([], watcher.found)
        self.assertTrue(self.said)
        for secret in secrets:
            self.assertNotIn(secret, self.said)
            for text in watcher.texts:
                self.assertNotIn(secret.encode(), text)
        for path in self.dir.rglob("*"):
            if path.is_file() and path not in self.credentials_files:
                content = path.read_bytes()
                for secret in secrets:
                    self.assertNotIn(secret.encode(), content, path)

    def all_ways(self, *command, **more):
        for way in ([], ["--verbose"], ["--json"]):
            self.rota(*command, *way, **more)

    def test_secrets_stay_in_their_file_when_all_goes_well(self):
        self.hook("pre", "env > \"$ROTA_STATE_DIR\"/environment; sleep 0.213\n")
        self.control(latency_ms=10)
        with Watcher([KEY, *LOGINS]) as watcher:
            self.all_ways("backup")
            for command in (["list"], ["ls"], ["verify"], ["verify", "--data"], ["status"],
                            ["purge"], ["facts"], ["cron"]):
                self.all_ways(*command, status=None)
            self.rota("restore", "--to", self.dir / "new", "--verbose")
            self.rota("fetch", "1", self.dir / "one", "--json")
            self.rota("diff", "now", "now")
            self.rota("init", "--print", status=None)
            self.rota("adopt", "--verbose")
        self.assertIn(b"0.213", watcher.commands, "the watcher has not seen a child of rota")
        self.assertIn(b"backup", watcher.commands, "the watcher has not seen rota")
        self.assertTrue((pathlib.Path(self.places["STATE"]) / "environment").exists())
        self.assert_no_secret(watcher)

    def broken(self, *statuses, **fault):
        """Every command while a fault strikes every call but the login."""
        for command in (["backup"], ["list"], ["verify"], ["purge"], ["cron"],
                        ["restore", "--to", self.dir / "new"]):
            self.write("changes", str(fault) + str(command))
            self.control(clear_faults=True)
            self.control(faults=[{"times": 1000, "call": call, **fault} for call in (
                "b2_list_file_names", "b2_get_upload_url", "b2_upload_file",
                "b2_download_file_by_name")])
            for way in (["--verbose"], ["--json"]):
                result = self.rota(*command, *way, status=None)
                self.assertIn(result.status, statuses, (command, fault, result.err))
                self.assertRegex(result.err, r"(?m)^rota: .*b2://bucket-1/srv")
        self.control(clear_faults=True)

    def test_no_secret_is_said_when_something_fails(self):
        self.rota("backup")
        with Watcher([KEY, WRONG, *LOGINS]) as watcher:
            refused = (FAILED, REFUSED)
            self.broken(*refused, kind="expire")
            self.broken(*refused, kind="status", status=401, code="unauthorized")
            self.broken(*refused, kind="status", status=403, code="storage_cap_exceeded")
            self.broken(*refused, kind="html", status=403)
            self.broken(*refused, kind="echo")
            self.broken(*refused, kind="echo", status=401, code="unauthorized")
            self.control(faults=[{"kind": "echo", "call": "b2_authorize_account", "times": 9}])
            self.all_ways("list", status=FAILED)
            self.control(clear_faults=True, faults=[
                {"kind": "echo", "call": "b2_upload_file", "times": 99}])
            self.write("late")
            self.all_ways("backup", status=FAILED)
            self.control(clear_faults=True)
            self.set(credentials=f'"{self.dir / "wrong.toml"}"')
            for command in ("backup", "list", "verify", "purge", "cron"):
                self.all_ways(command, status=REFUSED)
        self.assertIn("****", self.said, "no server has repeated a secret")
        self.assert_no_secret(watcher)
