"""`rota doctor` against stores that are protected well and badly."""

import json
import pathlib
import subprocess
import sys
import urllib.request

from machine import DONE, USAGE, WARNINGS, Machine

FAKE = pathlib.Path(__file__).resolve().parent.parent / "support" / "b2_fake.py"
MASTER = ("masterkeyid", "mastersecret")
WRITER = ["listBuckets", "listFiles", "readFiles", "writeFiles", "readBucketRetentions"]
PROXIES = {name: None for proxy in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
           for name in (proxy, proxy.upper())}


class Doctor(Machine):
    def setUp(self):
        super().setUp()
        self.server = subprocess.Popen([sys.executable, "-B", FAKE], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_server)
        self.url = f"http://127.0.0.1:{self.server.stdout.readline().split()[1]}"
        self.write("file", "content")

    def end_server(self):
        self.server.stdin.close()
        self.server.stdout.close()
        self.server.wait(timeout=30)

    def environment(self, **more):
        return super().environment(**(PROXIES | more))

    def control(self, **orders):
        request = urllib.request.Request(self.url + "/_control", json.dumps(orders).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request) as answer:
            return json.load(answer)

    def credentials(self, name, key):
        path = self.dir / f"{name}.toml"
        path.touch(mode=0o600)
        path.write_text(f'key_id = "{key[0]}"\nkey = "{key[1]}"\n', encoding="ascii")
        return path

    def diagnose(self, name, key, **bucket):
        """A profile with a bucket of its own; returns the sentence and the levels by thing."""
        self.control(bucket={"name": f"bucket-{name}", **bucket})
        if isinstance(key, list):
            self.control(key={"id": name, "secret": "s3cr3t-" + name, "capabilities": key,
                              "buckets": [f"bucket-{name}"]})
            key = (name, "s3cr3t-" + name)
        self.rota("init", name, "--source", self.source, "--target", f"b2://bucket-{name}/srv",
                  "--credentials", self.credentials(name, key))
        self.set(name, **{"b2.api_url": f'"{self.url}"'})
        self.rota("backup", name)
        self.rota("verify", name)
        before = self.control(reset=True)["versions"]
        result = self.rota("doctor", name, "--json", status=None)
        value = result.json()
        self.assertNotIn(key[1], result.out + result.err)
        after = self.control()
        self.assertEqual(before, after["versions"])
        self.assertLessEqual(set(after["calls"]), {"b2_authorize_account", "b2_list_buckets",
                                                   "b2_list_file_names"})
        worst = value["worst"]
        self.assertEqual(WARNINGS if worst in ("warning", "danger") else DONE, result.status)
        return value["sentence"], {f["thing"]: f["level"] for f in value["findings"]}

    def check(self, expected, levels):
        self.assertEqual(expected, {thing: levels.get(thing) for thing in expected})

    def test_the_master_key_can_destroy_everything(self):
        sentence, levels = self.diagnose("master", MASTER)
        self.assertIn("could delete every chain in b2://bucket-master/srv at once.", sentence)
        self.check({"deletion": "danger", "keys": "danger", "rules": "danger",
                    "reach": "advice", "clock": "good", "status": "good", "data": "advice"}, levels)

    def test_a_writer_and_time_to_notice(self):
        rules = [{"fileNamePrefix": "", "daysFromHidingToDeleting": 30}]
        sentence, levels = self.diagnose("writer", WRITER, rules=rules)
        self.assertIn("hide and overwrite", sentence)
        self.assertIn("for 30 days", sentence)
        self.check({"deletion": "good", "overwriting": "good", "rights": "good",
                    "purging": "good", "lock": "advice", "keys": None, "reach": None}, levels)

    def test_only_the_last_version_is_kept(self):
        rules = [{"fileNamePrefix": "else/", "daysFromHidingToDeleting": 90},
                 {"fileNamePrefix": "srv/", "daysFromHidingToDeleting": 1}]
        sentence, levels = self.diagnose("oneday", WRITER, rules=rules)
        self.assertIn("after a day that is deletion", sentence)
        self.check({"deletion": "good", "overwriting": "danger", "lock": "warning"}, levels)

    def test_a_rule_for_other_names_does_not_count(self):
        rules = [{"fileNamePrefix": "else/", "daysFromHidingToDeleting": 1}]
        sentence, levels = self.diagnose("elsewhere", WRITER, rules=rules)
        self.assertIn("all versions stay", sentence)
        self.check({"overwriting": "good", "purging": "advice"}, levels)

    def test_a_bucket_with_default_retention(self):
        retention = {"mode": "governance", "days": 120}
        _, levels = self.diagnose("locked", [*WRITER, "deleteFiles"], lock=True,
                                  retention=retention)
        self.check({"deletion": "advice", "lock": "good"}, levels)
        _, levels = self.diagnose("lifted", [*WRITER, "deleteFiles", "bypassGovernance"], lock=True,
                                  retention=retention)
        self.check({"deletion": "danger", "lock": "warning"}, levels)
        self.set("locked", max_full_age='"1Y"')
        found = self.rota("doctor", "locked", "--json", status=WARNINGS).json()["findings"]
        lock = next(f for f in found if f["thing"] == "lock")
        self.assertEqual("warning", lock["level"])
        self.assertIn("a chain is built on for 365 days", lock["what"])

    def test_a_key_that_may_not_read_the_settings_cannot_know(self):
        blind = ["listFiles", "readFiles", "writeFiles"]
        sentence, levels = self.diagnose("blind", blind,
                                         rules=[{"fileNamePrefix": "",
                                                 "daysFromHidingToDeleting": 1}])
        self.assertIn("cannot be told", sentence)
        self.check({"deletion": "good", "overwriting": "warning", "lock": "advice",
                    "purging": None}, levels)

    def test_a_purge_key_on_another_machine_removes_what_the_writer_cannot(self):
        self.diagnose("purged", WRITER)
        self.rota("backup", "purged")
        self.rota("backup", "purged", "--full")
        self.control(key={"id": "purger", "secret": "purgersecret", "buckets": ["bucket-purged"],
                          "capabilities": [*WRITER, "deleteFiles"]})
        elsewhere = {f"ROTA_{name}_DIR": str(self.dir / "elsewhere" / name)
                     for name in ("CONFIG", "STATE", "CACHE", "RUN")}
        self.rota("init", "purged", "--source", self.source, "--target", "b2://bucket-purged/srv",
                  "--credentials", self.credentials("purger", ("purger", "purgersecret")),
                  env=elsewhere)
        profile = self.dir / "elsewhere" / "CONFIG" / "purged" / "profile.toml"
        text = profile.read_text(encoding="utf-8")
        text = text.replace("max_fulls_with_incrs = 2", "max_fulls_with_incrs = 1")
        profile.write_text(text + f'b2.api_url = "{self.url}"\n', encoding="utf-8")
        self.rota("purge-incr", "purged", env=elsewhere)
        self.assertEqual(["full", "full"], [run["kind"] for run in
                                            self.rota("list", "purged", "--json").json()["runs"]])
        self.silent("backup", "purged")
        self.silent("verify", "purged")

    def test_after_an_attack_the_store_shows_no_run(self):
        self.diagnose("hidden", MASTER)
        self.control(bucket={"name": "bucket-empty"})
        self.set("hidden", target='"b2://bucket-empty/srv"')
        found = self.rota("doctor", "hidden", "--json", status=WARNINGS).json()["findings"]
        self.assertIn(("store", "danger"), [(f["thing"], f["level"]) for f in found])
        self.assertIn("shows no run, and 1 were written there",
                      " ".join(f["what"] for f in found))

    def test_a_directory_can_be_deleted_by_root_and_a_person_reads_why(self):
        self.init()
        result = self.rota("doctor", status=WARNINGS)
        lines = result.out.splitlines()
        self.assertEqual(f"Somebody who took over this server could delete every chain in "
                         f"file://{self.store}.", " ".join(lines[:lines.index("")]))
        self.assertRegex(result.out, r"\nX danger   deletion      The chains are files in ")
        self.assertRegex(result.out, r"\nX danger   status        There is no run yet")
        self.assertLessEqual(max(len(line) for line in lines), 160)
        self.assertNotIn("\x1b", result.out)
        self.assertFalse(self.store.exists())

    def test_a_store_that_cannot_be_opened_is_a_finding(self):
        self.init()
        self.set(target='"b2://bucket-none/srv"')
        result = self.rota("doctor", "--json", status=WARNINGS).json()
        self.assertIn(("store", "danger"), [(f["thing"], f["level"]) for f in result["findings"]])
        self.fails(USAGE, "no profile \"absent\"", "doctor", "absent")


if __name__ == "__main__":
    raise SystemExit("run cli_test.py")
