"""rota with a store that speaks S3: OpenStack Swift, which verifies signatures, as a process."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from machine import FAILED, REFUSED, USAGE, WARNINGS, Machine

SERVER = pathlib.Path(__file__).resolve().parent.parent / "support" / "swift_server.py"
PYTHON = "/usr/bin/python3"  # Debian's own, which sees Debian's packages
CANNOT_RUN = 77
PROXIES = {name: None for proxy in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
           for name in (proxy, proxy.upper())}


class S3(Machine):
    """One server for all tests; each has a prefix of its own in the bucket."""

    server = None
    why_not = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server_dir = tempfile.mkdtemp(prefix="rota-swift-", dir="/var/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.server_dir, ignore_errors=True)
        log = pathlib.Path(cls.server_dir) / "log"
        try:
            with log.open("wb") as errors:
                cls.server = subprocess.Popen([PYTHON, "-B", SERVER, cls.server_dir],
                                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                              stderr=errors)
        except FileNotFoundError:
            cls.why_not = f"needs {PYTHON} for OpenStack Swift"
            return
        cls.addClassCleanup(cls.end_server)
        line = cls.server.stdout.readline()
        if line:
            cls.said_by_server = json.loads(line)
        elif cls.server.wait(timeout=30) == CANNOT_RUN:
            cls.why_not = log.read_text(encoding="utf-8").splitlines()[0]
        else:
            raise RuntimeError(f"Swift ended: {log.read_text(encoding='utf-8')}")

    @classmethod
    def end_server(cls):
        cls.server.stdin.close()
        cls.server.stdout.close()
        cls.server.wait(timeout=30)

    def setUp(self):
        super().setUp()
        if self.why_not:
            self.skip(self.why_not)
        at = self.said_by_server
        self.target = f"s3://{at['bucket']}/{self.dir.name}"
        self.endpoint = at["endpoint"]
        self.secret = at["key"]
        self.credentials = self.write_credentials("s3.toml", self.secret)
        self.said = ""

    def write_credentials(self, name, key):
        path = self.dir / name
        path.touch(mode=0o600)
        path.write_text(f'key_id = "{self.said_by_server["key_id"]}"\nkey = "{key}"\n',
                        encoding="ascii")
        return path

    def environment(self, **more):
        return super().environment(**(PROXIES | more))

    def rota(self, *args, **more):
        result = super().rota(*args, **more)
        self.said += result.out + result.err
        return result

    def init_s3(self, credentials=None, target=None):
        self.rota("init", "main", "--source", self.source, "--target", target or self.target,
                  "--credentials", credentials or self.credentials)
        self.set(**{"s3.endpoint": f'"{self.endpoint}"'})

    def test_a_backup_lives_in_a_bucket(self):
        self.write("a", "one")
        self.write("deep/large", bytes(range(256)) * 50_000)
        self.init_s3()
        self.set(max_fulls_with_incrs=1)
        self.silent("backup")
        self.write("a", "two")
        time.sleep(1.1)  # names of runs are whole seconds
        self.silent("backup")
        runs = self.runs()
        self.assertEqual(2, len(runs))
        self.silent("verify")
        self.silent("verify", "--data")
        self.assert_same(self.source, self.restored())
        self.assertEqual("one", (self.restored("--at", runs[0]["name"]) / "a").read_text())

        self.silent("backup", "--full")
        self.silent("purge-incr")
        self.assertEqual(["full", "full"], [run["kind"] for run in self.runs()])
        self.silent("verify", "--data")
        self.assert_same(self.source, self.restored())

    def test_a_new_machine_needs_only_the_target_its_key_and_its_endpoint(self):
        self.write("a", "content")
        self.init_s3()
        self.silent("backup")
        self.places = {name: str(self.dir / f"new-{name}") for name in self.places}
        store = ("--target", self.target, "--credentials", self.credentials,
                 "--endpoint", self.endpoint)
        self.assertEqual(1, len(self.rota("list", *store, "--json").json()["runs"]))
        self.silent("verify", *store)
        self.silent("restore", *store, "--to", self.dir / "back")
        self.assert_same(self.source, self.dir / "back")
        self.fails(USAGE, "--endpoint, --region and --path-style go with --target", "list",
                   "--endpoint", self.endpoint)
        self.fails(USAGE, "go with --target", "list", "--region", "eu-7")
        self.fails(USAGE, "--path-style is true or false, not \"soon\"", "list", *store,
                   "--path-style", "soon")

    def test_the_command_that_the_plan_prints_restores_on_a_new_machine(self):
        self.write("a", "content")
        self.init_s3()
        self.set(**{"s3.region": '"us-east-1"', "s3.path_style": "true"})
        self.silent("backup")
        plan = self.rota("plan").out
        command = re.search(r"(?m)^ *rota (restore --target .*)$", plan).group(1).split()
        self.assertEqual([self.endpoint, "us-east-1", "true"],
                         [command[command.index(option) + 1]
                          for option in ("--endpoint", "--region", "--path-style")])
        self.places = {name: str(self.dir / f"new-{name}") for name in self.places}
        back = self.dir / "back"
        self.silent(*({"FILE": self.credentials, "/mnt/target": back}.get(word, word)
                      for word in command))
        self.assert_same(self.source, back)
        # Without its endpoint the store is sought at Amazon.
        self.assertNotIn("amazonaws", plan)

    def test_a_wrong_secret_fails_at_once_and_stays_out_of_sight(self):
        self.write("a")
        self.init_s3(self.write_credentials("wrong.toml", "wrong-secret"))
        start = time.monotonic()
        self.fails(REFUSED, "`key` in the credentials file", "backup")
        self.fails(REFUSED, "`key` in the credentials file", "list")
        self.assertLess(time.monotonic() - start, 20)
        self.assertNotIn("wrong-secret", self.said)

    def test_a_bucket_that_is_not_there_is_no_empty_store(self):
        self.write("a")
        self.init_s3(target="s3://no-such-bucket/x")
        for command in (["backup"], ["list"], ["restore", "--to", self.dir / "x"]):
            result = self.rota(*command, status=None)
            self.assertIn(result.status, (FAILED, USAGE), result.err)
            self.assertRegex(result.err, "s3://no-such-bucket/x: the store has no bucket")
            self.assert_sentence(result.err)
        self.assertNotIn(self.secret, self.said)

    def test_an_access_key_belongs_into_a_file(self):
        self.fails(USAGE, "credentials", "init", "--source", self.source, "--target", self.target)
        result = self.fails(USAGE, "credentials", "init", "--source", self.source,
                            "--target", "s3://id:hush@bucket/x")
        self.assertNotIn("hush", result.err)

    def test_the_doctor_says_what_the_key_could_destroy(self):
        self.write("a")
        self.init_s3()
        self.silent("backup")
        said = self.rota("doctor", "--json", status=WARNINGS).json()
        levels = {f["thing"]: f["level"] for f in said["findings"]}
        self.assertIn(f"delete every chain in {self.target} at once", said["sentence"])
        self.assertEqual(("danger", "danger", "advice"),
                         (levels["deletion"], levels["overwriting"], levels["rights"]))
        self.assertNotIn(self.secret, self.said)
        self.silent("verify", "--data")
