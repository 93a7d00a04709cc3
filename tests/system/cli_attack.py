"""Somebody has the writer's key of a store at B2, hides and overwrites all of it; and the way back."""

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request

from b2_machine import B2Machine
from machine import CORRUPT, FAILED, REFUSED, USAGE, WARNINGS

WRITER = ["listBuckets", "listFiles", "readFiles", "writeFiles"]
HOUR_MS = 3_600_000


class Attacker:
    """Who has read the credentials file, and speaks to B2 with a program of their own."""

    def __init__(self, url, key_id, key, bucket):
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        login = base64.b64encode(f"{key_id}:{key}".encode()).decode()
        account = self.ask(url + "/b2api/v3/b2_authorize_account", {"Authorization": "Basic " + login})
        self.token = account["authorizationToken"]
        self.api = account["apiInfo"]["storageApi"]["apiUrl"] + "/b2api/v3/"
        self.account = account["accountId"]
        self.bucket = self.call("b2_list_buckets", accountId=self.account,
                                bucketName=bucket)["buckets"][0]["bucketId"]

    def ask(self, url, headers, body=None):
        headers = {"User-Agent": "attack/1.0", **headers}
        with self.opener.open(urllib.request.Request(url, body, headers)) as answer:
            return json.load(answer)

    def call(self, name, **arguments):
        return self.ask(self.api + name, {"Authorization": self.token,
                                          "Content-Type": "application/json"},
                        json.dumps(arguments).encode())

    def visible(self):
        """What is there: {name: size}."""
        files = self.call("b2_list_file_names", bucketId=self.bucket, maxFileCount=10000)["files"]
        return {file["fileName"]: file["contentLength"] for file in files}

    def hide(self, name):
        self.call("b2_hide_file", bucketId=self.bucket, fileName=name)

    def delete(self, name):
        version = self.call("b2_list_file_versions", bucketId=self.bucket, startFileName=name,
                            maxFileCount=1)["files"][0]
        self.call("b2_delete_file_version", fileName=name, fileId=version["fileId"])

    def put(self, name, content):
        place = self.call("b2_get_upload_url", bucketId=self.bucket)
        self.ask(place["uploadUrl"], {"Authorization": place["authorizationToken"],
                                      "X-Bz-File-Name": urllib.parse.quote(name),
                                      "Content-Type": "application/octet-stream",
                                      "X-Bz-Content-Sha1": hashlib.sha1(content).hexdigest()},
                 content)


class Attack(B2Machine):
    def setUp(self):
        super().setUp()
        self.control(key={"id": "writer", "secret": "writersecret", "capabilities": WRITER,
                          "buckets": ["bucket-1"]})
        self.credentials = self.key_file("writer", "writersecret")
        self.url_options = []
        self.trees = {}  # run -> a copy of the source at it

    def key_file(self, key_id, key):
        path = self.dir / f"{key_id}.toml"
        path.touch(mode=0o600)
        path.write_text(f'key_id = "{key_id}"\nkey = "{key}"\n', encoding="ascii")
        return path

    def live(self, bucket="bucket-1", encrypted=False, **settings):
        """Runs of two chains."""
        self.init_b2(bucket=bucket)
        self.set(**settings)
        if encrypted:
            key = self.dir / "key"
            recipient = self.rota("key", "generate", "--to", key, "--json").json()["recipient"]
            self.set(encrypt_to=f'["{recipient}"]', key=f'"{key}"')
        for n in range(5):
            self.write("large", os.urandom(3_000_000) + bytes(200_000))
            self.write(f"etc/{n}", f"number {n}")
            self.write("etc/changing", f"at {n}" * 1000)
            if n == 3:
                (self.source / "etc/1").unlink()
            run = self.backup(*(["--full"] if n == 3 else []))
            self.trees[run] = self.dir / f"tree-{n}"
            shutil.copytree(self.source, self.trees[run])
            shutil.copystat(self.source, self.trees[run])
            self.control(advance_ms=HOUR_MS)
        return Attacker(self.url, "writer", "writersecret", "bucket-1")

    def now(self):
        """A moment for --store-time, after which some time passes."""
        now = self.control()["now_ms"] // 1000
        self.control(advance_ms=HOUR_MS)
        return f"@{now}"

    def destroy(self, attacker):
        """Hides every name, overwrites half of them, and puts false runs."""
        there = attacker.visible()
        for name in there:
            attacker.hide(name)
        for number, (name, size) in enumerate(there.items()):
            if number % 4 == 0:
                attacker.put(name, os.urandom(size))
            elif number % 4 == 1:
                attacker.put(name, b"pay 3 bitcoin" * 10)
        records = [name for name in there if "/runs/" in name]
        for record in records:
            chain = record.split("/")[2]
            attacker.put(f"srv/runs/{chain}/20990101T000000Z-abcdef.incr", os.urandom(500))
        attacker.put("srv/runs/20990101T000000Z-abcdef/20990101T000000Z-abcdef.full", b"x" * 500)
        attacker.put("srv/data/20990101T000000Z-abcdef/20990101T000000Z-abcdef/v000000", b"x" * 500)
        for call in (lambda: attacker.delete(next(iter(there))),):
            self.assertRaises(urllib.error.HTTPError, call)  # this key cannot delete

    def without_local_copies(self):
        """Nothing that this machine kept may be needed, or looked at."""
        for name in ("STATE", "CACHE"):
            place = pathlib.Path(self.places[name])
            shutil.rmtree(place, ignore_errors=True)
            place.write_text("no directory", encoding="ascii")

    def assert_past_is_whole(self, then):
        listed = self.rota("list", "--store-time", then, "--json").json()["runs"]
        self.assertEqual(list(self.trees), [run["name"] for run in listed])
        for run, tree in self.trees.items():
            to = self.dir / f"past-{run}"
            self.silent("restore", "--store-time", then, "--at", run, "--to", to)
            self.assert_same(tree, to)
        self.silent("verify", "--data", "--store-time", then)
        self.silent("verify", "--store-time", then)
        (_, second, *_, last) = self.trees
        self.assertEqual("at 4" * 1000, self.fetched(then))
        self.assertIn("etc/1", self.paths("--store-time", then, "--at", second))
        self.assertIn("etc/1", self.rota("diff", "main", second, last, "--store-time", then).out)
        self.assertIn("== ", self.rota("facts", "--store-time", then, "--at", second).out)
        self.assertEqual({}, self.control()["mistakes"])

    def fetched(self, then):
        to = self.dir / "fetched"
        to.unlink(missing_ok=True)
        self.silent("fetch", "main", "etc/changing", to, "--store-time", then)
        return to.read_text()

    def assert_harm_is_seen(self):
        """Without --store-time nothing false is taken for a restore that succeeded."""
        for n, run in enumerate(self.trees):
            result = self.rota("restore", "--at", run, "--to", self.dir / f"now-{n}", status=None)
            self.assertIn(result.status, (FAILED, CORRUPT), result.err)
        result = self.rota("restore", "--to", self.dir / "now", status=None)
        self.assertIn(result.status, (FAILED, CORRUPT), result.err)
        self.rota("verify", status=CORRUPT)

    def check_return(self, encrypted):
        attacker = self.live(encrypted=encrypted)
        then = self.now()
        self.destroy(attacker)
        self.assert_harm_is_seen()
        self.without_local_copies()
        self.assert_past_is_whole(then)
        return then

    def test_everything_is_restored_as_it_was_before_the_attack(self):
        self.check_return(encrypted=False)

    def test_encrypted_runs_are_restored_as_they_were_before_the_attack(self):
        then = self.check_return(encrypted=True)
        profile = pathlib.Path(self.places["CONFIG"]) / "main" / "profile.toml"
        profile.write_text(re.sub(r"(?m)^key = .*\n", "", profile.read_text()))
        listed = self.rota("list", "--store-time", then, "--json", status=WARNINGS).json()["runs"]
        self.assertEqual(set(self.trees), {run["name"] for run in listed})

    def test_what_is_locked_outlives_a_key_that_deletes(self):
        self.control(bucket={"name": "bucket-locked", "lock": True})
        self.control(key={"id": "deleter", "secret": "deletersecret", "buckets": ["bucket-locked"],
                          "capabilities": [*WRITER, "writeFileRetentions", "deleteFiles"]})
        self.credentials = self.key_file("deleter", "deletersecret")
        self.live("bucket-locked", lock_days=30)
        attacker = Attacker(self.url, "deleter", "deletersecret", "bucket-locked")
        then = self.now()
        there = attacker.visible()
        for name in there:
            self.assertRaises(urllib.error.HTTPError, lambda: attacker.delete(name))
        self.assertEqual(there, attacker.visible())
        for number, name in enumerate(there):
            attacker.put(name, os.urandom(there[name]))
            if number % 2 == 0:
                attacker.hide(name)
        self.assert_harm_is_seen()
        self.without_local_copies()
        self.assert_past_is_whole(then)

    def test_what_was_overwritten_before_the_moment_is_found_by_its_hash(self):
        attacker = self.live()
        there = attacker.visible()
        # Nobody notices: the names and sizes are right.
        for name in there:
            if name.startswith("srv/data/"):
                attacker.put(name, os.urandom(there[name]))
        chain = next(iter(self.trees))
        self.assertIn(f"data/{chain}/{chain}/v000000", self.rota("verify", status=CORRUPT).err)
        self.rota("restore", "--to", self.dir / "now", status=CORRUPT)
        # The records too, but for the newest of each chain, which vouches for those before it.
        newest = {run["chain"]: f"srv/runs/{run['chain']}/{run['name']}." for run in self.runs()}
        for name in there:
            if name.startswith("srv/runs/") and not name.startswith(tuple(newest.values())):
                attacker.put(name, os.urandom(there[name]))
        attacker.hide(f"srv/data/{chain}/{chain}/v000000")
        then = self.now()
        self.rota("verify", status=CORRUPT)
        self.destroy(attacker)
        self.without_local_copies()
        self.assert_past_is_whole(then)

    def test_a_run_whose_own_record_was_false_then_is_left_out(self):
        attacker = self.live()
        run = list(self.trees)[-1]
        (record,) = [name for name in attacker.visible() if name.endswith(run + ".incr")]
        attacker.put(record, b"rubbish")
        then = self.now()
        result = self.rota("list", "--store-time", then, "--json", status=None)
        self.assertEqual(list(self.trees)[:-1], [run["name"] for run in result.json()["runs"]])
        self.assertIn(run, result.err)
        self.fails(FAILED, f"no run {run}", "restore", "--store-time", then, "--at", run, "--to",
                   self.dir / "x")

    def test_a_new_prefix_with_a_new_key_takes_up_service_again(self):
        attacker = self.live()
        then = self.now()
        self.destroy(attacker)
        self.fails(REFUSED, "rota verify|rota adopt", "backup")
        self.control(remove_key="writer",
                     key={"id": "second", "secret": "secondsecret", "capabilities": WRITER,
                          "buckets": ["bucket-1"], "prefix": "after/"})
        self.fails(REFUSED, "does not accept the access key", "list")
        self.rota("init", "after", "--source", self.source, "--target", "b2://bucket-1/after",
                  "--credentials", self.key_file("second", "secondsecret"))
        self.set("after", **{"b2.api_url": f'"{self.url}"'})
        self.silent("backup", "after")
        self.write("etc/late", "late")
        self.silent("backup", "after")
        runs = self.rota("list", "after", "--json").json()["runs"]
        self.assertEqual(["full", "increment"], [run["kind"] for run in runs])
        self.silent("verify", "after", "--data")
        self.silent("restore", "after", "--to", self.dir / "again")
        self.assert_same(self.source, self.dir / "again")
        # The old runs stay to be read, with another key.
        self.set(credentials=f'"{self.key_file("masterkeyid", "mastersecret")}"')
        self.assertEqual("at 4" * 1000, self.fetched(then))

    def test_moments_and_stores_that_do_not_fit_are_one_sentence(self):
        self.init_b2()
        self.fails(USAGE, "is no time", "list", "--store-time", "yesterday")
        self.fails(USAGE, "--store-time", "verify", "--store-time", "1D", "--sample", "5%")
        self.fails(USAGE, "keeps no old versions", "list", "--target", f"file://{self.store}",
                   "--store-time", "1D")
        self.fails(FAILED, "no run in .* as of ", "restore", "--store-time", "1D", "--to",
                   self.dir / "x")
