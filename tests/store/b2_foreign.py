#!/usr/bin/env python3
"""Lets programs of other people use the fake of Backblaze B2, so that its authors do not only
confirm their own reading of the documentation: rclone (API version 1) and Backblaze's own Python
library, b2sdk of Debian (version 2). Both also read what `rota backup` has put there.

$ROTA names the program. Where rclone or b2sdk is missing, its tests are skipped loudly.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

HERE = Path(__file__).resolve().parent
FAKE = HERE.parent / "support" / "b2_fake.py"
SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's b2sdk
KEY_ID, KEY = "masterkeyid", "mastersecret"
DATA = bytes(range(256)) * 1000
PLAIN_NAMES = ["plain", "dir/with space", "a+b=c&d", "100%", "ünïcode/Ω", "q?x#y", "~t(1)!"]


def clean_environment(**more):
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "aws_ca_bundle")
    kept = {k: v for k, v in os.environ.items() if k.lower() not in proxies}
    return kept | more


def skip(test, reason):
    """As tests/support/skip.h does it."""
    print(f"SKIPPED: {test.id()}: {reason}", file=sys.stderr)
    log = os.environ.get("ROTA_SKIP_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{test.id()}: {reason}\n")
    test.skipTest(reason)


class Foreign(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.server = subprocess.Popen([sys.executable, "-B", FAKE, "--bucket", "bucket-1"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_server)
        self.url = f"http://127.0.0.1:{self.server.stdout.readline().split()[1]}"

    def end_server(self):
        self.server.stdin.close()
        self.server.stdout.close()
        self.server.wait(timeout=30)

    def control(self, **orders):
        request = Request(self.url + "/_control", json.dumps(orders).encode())
        with build_opener(ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    def run_program(self, *argv, **more):
        result = subprocess.run(list(map(str, argv)), capture_output=True, check=False,
                                env=clean_environment(**more.pop("environment", {})), **more)
        said = (result.stdout[-1000:] + result.stderr[-3000:]).decode(errors="replace")
        self.assertEqual(result.returncode, 0, f"{argv[0]} failed:\n{said}")
        return result.stdout

    def back_up_with_rota(self):
        """A backup in bucket-1/rota; returns the names in the store with their SHA-1."""
        source = self.dir / "source"
        source.mkdir()
        (source / "large").write_bytes(DATA * 30)
        (source / "small").write_text("small\n")
        credentials = self.dir / "b2.toml"
        credentials.touch(mode=0o600)
        credentials.write_text(f'key_id = "{KEY_ID}"\nkey = "{KEY}"\n')
        places = {f"ROTA_{p}_DIR": str(self.dir / p) for p in ("CONFIG", "STATE", "CACHE")}
        rota = os.path.abspath(os.environ["ROTA"])
        self.run_program(rota, "init", "--source", source, "--target", "b2://bucket-1/rota",
                         "--credentials", credentials, environment=places)
        with open(self.dir / "CONFIG/main/profile.toml", "a", encoding="utf-8") as profile:
            profile.write(f'\nb2.api_url = "{self.url}"\n')
        self.run_program(rota, "backup", environment=places)
        counted = self.control()
        self.assertEqual(counted["mistakes"], {})
        self.assertGreater(counted["calls"]["b2_upload_file"], 2)


class Rclone(Foreign):
    def setUp(self):
        if shutil.which("rclone") is None:
            skip(self, "rclone is not installed")
        super().setUp()
        self.config = self.dir / "rclone.conf"
        self.config.write_text(f"[b2]\ntype = b2\naccount = {KEY_ID}\nkey = {KEY}\n"
                               f"endpoint = {self.url}\n")

    def rclone(self, *args, **more):
        return self.run_program("rclone", "--config", self.config, "--retries", "1",
                                "--b2-hard-delete", *args, **more)

    def test_files_go_there_and_come_back(self):
        local = self.dir / "local"
        for name in PLAIN_NAMES:
            (local / name).parent.mkdir(parents=True, exist_ok=True)
            (local / name).write_bytes(DATA + name.encode())
        self.rclone("copy", local, "b2:bucket-1/x")
        listed = json.loads(self.rclone("lsjson", "-R", "--files-only", "--hash", "b2:bucket-1/x"))
        self.assertEqual(sorted(f["Path"] for f in listed), sorted(PLAIN_NAMES))
        for file in listed:
            expected = hashlib.sha1(DATA + file["Path"].encode()).hexdigest()
            self.assertEqual(file["Hashes"]["sha1"], expected)
        self.rclone("check", "--download", local, "b2:bucket-1/x")
        part = self.rclone("cat", "--offset", "1000", "--count", "20", "b2:bucket-1/x/plain")
        self.assertEqual(part, DATA[1000:1020])
        self.rclone("copyto", "b2:bucket-1/x/plain", "b2:bucket-1/copy")  # on the server
        self.assertEqual(self.control()["calls"]["b2_copy_file"], 1)
        self.assertEqual(self.rclone("cat", "b2:bucket-1/copy"), DATA + b"plain")
        self.rclone("deletefile", "b2:bucket-1/copy")
        self.rclone("purge", "b2:bucket-1/x")
        self.assertEqual(self.rclone("ls", "b2:bucket-1"), b"")
        self.assertEqual(self.control()["mistakes"], {})

    def test_large_files_and_streams(self):
        large = self.dir / "large"
        large.write_bytes(DATA * 50)  # 12.8 MB
        sizes = ("--b2-upload-cutoff", "6M", "--b2-chunk-size", "5M")
        self.rclone("copy", *sizes, large, "b2:bucket-1/")
        self.assertGreater(self.control()["calls"]["b2_upload_part"], 1)
        self.rclone("check", "--download", self.dir, "b2:bucket-1", "--include", "/large")
        self.rclone("rcat", "b2:bucket-1/stream", input=DATA)
        self.assertEqual(self.rclone("cat", "b2:bucket-1/stream"), DATA)

    def test_hidden_and_old_versions(self):
        for text in (b"one", b"two"):
            self.rclone("rcat", "b2:bucket-1/v", input=text)
        self.run_program("rclone", "--config", self.config, "deletefile", "b2:bucket-1/v")
        self.assertEqual(self.rclone("ls", "b2:bucket-1"), b"")
        old = self.rclone("lsf", "--b2-versions", "b2:bucket-1").split()
        self.assertEqual(len(old), 2)
        self.rclone("cleanup", "b2:bucket-1")
        self.assertEqual(self.control()["versions"]["bucket-1"], 0)

    def test_what_rota_wrote_is_there_with_its_hashes(self):
        self.back_up_with_rota()
        copy = self.dir / "copy"
        self.rclone("copy", "b2:bucket-1/rota", copy)
        listed = json.loads(self.rclone("lsjson", "-R", "--files-only", "--hash", "b2:bucket-1/rota"))
        self.assertGreater(len(listed), 2)
        for file in listed:
            data = (copy / file["Path"]).read_bytes()
            self.assertEqual(hashlib.sha1(data).hexdigest(), file["Hashes"]["sha1"])
            self.assertEqual(len(data), file["Size"])


B2SDK = """
import hashlib, io, json, sys
from b2sdk.v2 import B2Api, InMemoryAccountInfo
url, key_id, key, task = sys.argv[1:]
api = B2Api(InMemoryAccountInfo())
api.authorize_account(url, key_id, key)
bucket = api.get_bucket_by_name("bucket-1")
data = bytes(range(256)) * 1000

def load(name, **more):
    out = io.BytesIO()
    bucket.download_file_by_name(name, **more).save(out)
    return out.getvalue()

if task == "use":
    names = json.loads(sys.stdin.read())
    for name in names:
        version = bucket.upload_bytes(data, name, file_infos={"test": "ä+b c"})
        assert version.content_sha1 == hashlib.sha1(data).hexdigest()
    seen = [v.file_name for v, _ in bucket.ls(recursive=True)]
    assert sorted(seen) == sorted(names), seen
    assert sorted(f or v.file_name for v, f in bucket.ls()) == sorted(
        {n.split("/")[0] + "/" if "/" in n else n for n in names})
    for name in names:
        assert load(name) == data
        assert load(name, range_=(10, 19)) == data[10:20]
        assert bucket.get_file_info_by_name(name).file_info["test"] == "ä+b c"
    first = bucket.get_file_info_by_name(names[0])
    copy = bucket.copy(first.id_, "copied")
    assert load("copied") == data
    bucket.hide_file("copied")
    assert "copied" not in [v.file_name for v, _ in bucket.ls(recursive=True)]
    versions = [v for v, _ in bucket.ls(recursive=True, latest_only=False)]
    assert [v.action for v in versions if v.file_name == "copied"] == ["hide", "upload"]
    assert api.get_file_info(first.id_).content_sha1 == hashlib.sha1(data).hexdigest()
    large = data * 50
    bucket.upload_bytes(large, "large", )
    assert load("large") == large
    for version, _ in bucket.ls(recursive=True, latest_only=False):
        api.delete_file_version(version.id_, version.file_name)
    assert not list(bucket.ls(recursive=True, latest_only=False))
    try:
        load("copied")
    except Exception as error:
        assert type(error).__name__ == "FileNotPresent", error
    else:
        raise AssertionError("a file that is not there")
else:
    count = 0
    for version, _ in bucket.ls("rota", recursive=True):
        content = load(version.file_name)
        assert hashlib.sha1(content).hexdigest() == version.content_sha1, version.file_name
        count += 1
    assert count > 2
print("fine")
"""


class B2Sdk(Foreign):
    def setUp(self):
        probe = subprocess.run([SYSTEM_PYTHON, "-c", "import b2sdk.v2"], capture_output=True,
                               check=False)
        if probe.returncode != 0:
            skip(self, "python3-b2sdk is not installed")
        super().setUp()

    def sdk(self, task, **more):
        out = self.run_program(SYSTEM_PYTHON, "-c", B2SDK, self.url, KEY_ID, KEY, task, **more)
        self.assertEqual(out, b"fine\n")

    def test_files_go_there_and_come_back(self):
        self.sdk("use", input=json.dumps(PLAIN_NAMES).encode())
        self.assertEqual(self.control()["mistakes"], {})
        self.assertEqual(self.control()["versions"]["bucket-1"], 0)

    def test_what_rota_wrote_is_there_with_its_hashes(self):
        self.back_up_with_rota()
        self.sdk("read")


if __name__ == "__main__":
    unittest.main()
