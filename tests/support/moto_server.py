#!/usr/bin/env python3
"""moto's S3 on loopback, for tests of what OpenStack Swift has not: Object Lock. It checks no
signatures.

    moto_server.py

Behaves as swift_server.py does: one line of JSON when it answers, the end with standard input, status
77 when it cannot run here. Everything is held in memory.
"""

import json
import os
import sys

SKIPPED = 77


def main():
    # The announced line only; moto's own words go where errors go.
    announce = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        from moto.server import ThreadedMotoServer  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        print(f"moto is not installed (pip install 'moto[server]'): {error}", file=sys.stderr)
        return SKIPPED
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    announce.write(json.dumps({"endpoint": f"http://{host}:{port}", "key_id": "any", "key": "any",
                               "region": "us-east-1", "bucket": ""}) + "\n")
    announce.flush()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
