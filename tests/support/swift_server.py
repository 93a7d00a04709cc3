#!/usr/bin/python3
"""OpenStack Swift with its S3 interface on loopback, for tests: a server that verifies signatures and
digests.

    swift_server.py DIRECTORY

Everything is in DIRECTORY, which must lie on a filesystem with user xattrs and is the caller's to
remove; the system's own /etc/swift is neither read nor written. All four of Swift's servers run in
this one process, without memcached, at ports that the system chooses. When they answer, one line of
JSON goes to standard output: {"endpoint": "http://127.0.0.1:PORT", "bucket": …, "key_id": …,
"key": …, "region": …}, of an empty bucket. The process ends when its standard input does, and so with whoever started it.

Exit status 77: cannot run here, with the reason on standard error (the Debian package python3-swift
is missing, or there are no xattrs).
"""

import json
import os
import pathlib
import sys
from time import monotonic

KEY_ID, KEY, REGION, BUCKET = "test:tester", "testing", "us-east-1", "rota-test"
SKIPPED = 77

SWIFT_CONF = """[swift-hash]
swift_hash_path_suffix = test
[storage-policy:0]
name = one
default = yes
"""

STORAGE = """[DEFAULT]
swift_dir = {dir}
devices = {dir}/srv
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

FILTERS = ["catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "s3api",
           "tempauth", "slo", "dlo", "versioned_writes", "symlink"]
SETTINGS = {
    "s3api": f"location = {REGION}\ndns_compliant_bucket_names = true\n"
             "allow_multipart_uploads = true\n",
    "tempauth": "user_test_tester = testing .admin\n",
    "versioned_writes": "allow_object_versioning = true\n",
}
PROXY = """[DEFAULT]
swift_dir = {dir}
log_level = ERROR
[pipeline:main]
pipeline = {pipeline} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
"""


class Cache:
    """What the servers ask of memcached."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_more):
        text, end = self.values.get(key, ("null", 0))
        return json.loads(text) if monotonic() < end else None

    def set(self, key, value, time=0, **_more):  # pylint: disable=redefined-outer-name
        self.values[key] = (json.dumps(value), monotonic() + (time or 1e9))

    def delete(self, key, **_more):
        self.values.pop(key, None)


def with_cache(app, cache):
    def wrapped(environ, start_response):
        environ["swift.cache"] = cache
        return app(environ, start_response)
    return wrapped


def skip(reason):
    print(reason, file=sys.stderr)
    sys.exit(SKIPPED)


def check_xattrs(directory):
    probe = directory / "probe"
    probe.write_bytes(b"")
    try:
        os.setxattr(probe, "user.swift", b"x")
    except OSError as error:
        skip(f"Swift needs user xattrs, which {directory} does not take: {error}")
    probe.unlink()


def serve(directory):
    # The place of swift.conf is read when the other modules are loaded: it is changed before.
    from swift.common import utils  # pylint: disable=import-outside-toplevel
    utils.SWIFT_CONF_FILE = str(directory / "swift.conf")
    (directory / "swift.conf").write_text(SWIFT_CONF, encoding="utf-8")
    # pylint: disable=import-outside-toplevel
    import eventlet
    import eventlet.wsgi
    from swift.common.ring import RingBuilder
    from swift.common.swob import Request
    from swift.common.wsgi import SwiftHttpProtocol, loadapp
    eventlet.monkey_patch()
    os.fsync = os.fdatasync = lambda _file: None  # nothing here outlives the test
    cache = Cache()

    def start(name, text, listener):
        path = directory / f"{name}.conf"
        path.write_text(text, encoding="utf-8")
        app = loadapp(str(path), global_conf={"log_name": name})
        eventlet.spawn_n(eventlet.wsgi.server, listener, with_cache(app, cache), log_output=False,
                         protocol=SwiftHttpProtocol, max_size=256)

    (directory / "srv" / "d1").mkdir(parents=True)
    listeners = {}
    for kind in ("account", "container", "object"):
        listeners[kind] = eventlet.listen(("127.0.0.1", 0))
        builder = RingBuilder(4, 1, 0)
        builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "device": "d1", "weight": 1.0,
                         "port": listeners[kind].getsockname()[1]})
        builder.rebalance()
        builder.get_ring().save(str(directory / f"{kind}.ring.gz"))
    for kind, listener in listeners.items():
        start(kind, STORAGE.format(dir=directory, kind=kind), listener)
    # The bucket of the account of the user, by the proxy without its guards.
    plain = directory / "plain.conf"
    plain.write_text(PROXY.format(dir=directory, pipeline=""), encoding="utf-8")
    made = Request.blank(f"/v1/AUTH_test/{BUCKET}", method="PUT").get_response(
        with_cache(loadapp(str(plain), global_conf={"log_name": "plain"}), cache))
    assert made.status_int == 201, made.status
    proxy = eventlet.listen(("127.0.0.1", 0))
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n{SETTINGS.get(name, '')}"
                      for name in FILTERS)
    start("proxy", PROXY.format(dir=directory, pipeline=" ".join(FILTERS)) + filters, proxy)
    print(json.dumps({"endpoint": f"http://127.0.0.1:{proxy.getsockname()[1]}", "key_id": KEY_ID,
                      "key": KEY, "region": REGION, "bucket": BUCKET}), flush=True)
    eventlet.spawn(eventlet.tpool.execute, sys.stdin.buffer.read).wait()


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    directory = pathlib.Path(sys.argv[1]).resolve()
    check_xattrs(directory)
    try:
        serve(directory)
    except ImportError as error:
        skip(f"OpenStack Swift is not installed (Debian package python3-swift): {error}")
    # No clean end of four servers: whatever runs is of no interest to anybody any more.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
