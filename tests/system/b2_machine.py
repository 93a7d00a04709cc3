"""A machine whose store is at the fake of Backblaze B2 in tests/support/b2_fake.py, as a process."""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

from machine import Machine

FAKE = pathlib.Path(__file__).resolve().parent.parent / "support" / "b2_fake.py"
KEY_ID, KEY = "masterkeyid", "mastersecret"
PROXIES = {name: None for proxy in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
           for name in (proxy, proxy.upper())}


class B2Machine(Machine):
    # In memory: what is made durable on a disk is not the point here, and takes long.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

    def setUp(self):
        super().setUp()
        self.server = subprocess.Popen([sys.executable, "-B", FAKE, "--bucket", "bucket-1"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_server)
        self.url = f"http://127.0.0.1:{self.server.stdout.readline().split()[1]}"
        self.said = ""
        self.credentials = self.write_credentials("b2.toml", KEY)

    def end_server(self):
        self.server.stdin.close()
        self.server.stdout.close()
        self.server.wait(timeout=30)

    def write_credentials(self, name, key, mode=0o600):
        path = self.dir / name
        path.touch(mode=0o600)
        path.write_text(f'key_id = "{KEY_ID}"\nkey = "{key}"\n', encoding="ascii")
        path.chmod(mode)
        return path

    def environment(self, **more):
        return super().environment(**(PROXIES | more))

    def rota(self, *args, **more):
        result = super().rota(*args, **more)
        self.said += result.out + result.err
        return result

    def control(self, **orders):
        request = urllib.request.Request(self.url + "/_control", json.dumps(orders).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request) as answer:
            return json.load(answer)

    def init_b2(self, credentials=None, bucket="bucket-1"):
        self.rota("init", "main", "--source", self.source, "--target", f"b2://{bucket}/srv",
                  "--credentials", credentials or self.credentials)
        self.set(**{"b2.api_url": f'"{self.url}"'})
