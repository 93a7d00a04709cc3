#!/usr/bin/env python3
"""A small server that behaves like Backblaze B2, for tests: the native API, versions 1 to 4.

    b2_fake.py [--port N] [--directory DIR] [--bucket NAME] [--tls-cert PEM]

It listens on 127.0.0.1 only, prints "port N" when it is ready, and ends when its standard input
does, so that it never outlives the test that started it. Data is held in memory, or as files in
DIR. There is one key, "masterkeyid" with "mastersecret".

POST /_control takes a JSON object, and answers with what was counted:
    bucket, key, remove_key       make or remove one: {"name": .., "lock": .., "rules": [..],
                                  "retention": {"mode": .., "days": ..}, "kind": "allPublic"},
                                  {"id": .., "secret": .., "capabilities": [..], "buckets": [..],
                                  "prefix": ..}
    large_files                   a list of those that another program uploads: {"bucket": ..,
                                  "name": .., "parts": [..], "finish": true}, parts as text
    faults                        a list of faults, see Faults
    random                        {"seed": n, "rate": 0.1, "kinds": [..]}: faults by chance
    latency_ms                    added to every answer
    advance_ms                    moves the server's clock
    expire_tokens, apply_lifecycle, clear_faults, reset     true
    tokens                        true: the answer has all that were given out, too
What a client does wrong without being told by an answer is counted under "mistakes".
"""

import argparse
import hashlib
import json
import random
import re
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import urllib.parse
from collections import Counter
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from b2_calls import CLASS_OF, FIELDS, Calls, Upload  # noqa: E402
from b2_model import Key, Model, Refuse, bad_request, decode_name  # noqa: E402

UPLOADS = ("b2_upload_file", "b2_upload_part")
DOWNLOADS = ("b2_download_file_by_name", "b2_download_file_by_id")
HTML = b"<html><body><h1>The proxy has something to say</h1></body></html>" * 50


class Cut(Exception):
    """The connection is to break."""


class Faults:
    """Faults as data. Each is an object with

        call      a call's name, "*" for any     subject  a regular expression for the file's name
        after     how many such calls pass first        times    how often it strikes (1)
        kind      one of: status (with status, code, retry_after), html (status), echo (status: the
                  message repeats the request's headers), expire, cut_request, cut_response, lose, slow (seconds), truncate, corrupt, ignore_range
    """

    # Those that come by chance; busy is a status 429 with Retry-After.
    ANY = ("status", "busy", "html", "expire", "cut_request", "cut_response", "lose", "truncate",
           "corrupt", "ignore_range")

    def __init__(self):
        self.list, self.random, self.kinds, self.rate = [], None, (), 0.0
        self.fired = Counter()

    def chance(self, settings):
        self.random = random.Random(settings["seed"])
        self.rate = settings["rate"]
        self.kinds = settings.get("kinds", self.ANY)

    def pick(self, call, subject):
        for fault in self.list:
            if fault.get("call", "*") not in ("*", call):
                continue
            if not re.search(fault.get("subject", ""), subject):
                continue
            if fault.get("after", 0) > 0:
                fault["after"] -= 1
                continue
            if fault.setdefault("times", 1) > 0:
                fault["times"] -= 1
                self.fired[fault["kind"]] += 1
                return fault
        if self.random is not None and self.random.random() < self.rate:
            kind = self.random.choice(self.kinds)
            fault = {"kind": kind}
            if kind in ("truncate", "corrupt", "ignore_range") and call not in DOWNLOADS:
                return None
            if kind == "expire" and call == "b2_authorize_account":
                return None
            self.fired[kind] += 1
            if kind in ("status", "html"):
                fault["status"] = self.random.choice((408, 500, 502, 503))
            if kind == "busy":
                fault = {"kind": "status", "status": 429, "code": "too_many_requests",
                         "retry_after": self.random.randint(1, 20)}
            return fault
        return None


class State:
    """All that the connections share."""

    def __init__(self, directory):
        self.model = Model(directory)
        self.faults = Faults()
        self.latency = 0.0
        self.address = None
        self.reset()
        self.calls = Calls(self.model, self.mistakes, lambda: self.address)

    def reset(self):
        self.count = Counter()
        self.bytes = Counter()
        self.mistakes = getattr(self, "mistakes", Counter())
        self.mistakes.clear()
        self.faults.fired.clear()
        self.not_before = {}
        self.uploading = self.most_uploading = self.connections = 0

    def control(self, orders):
        model = self.model
        if "bucket" in orders:
            model.make_bucket(**orders["bucket"])
        if "key" in orders:
            settings = dict(orders["key"])
            key = Key(settings.pop("id"), settings.pop("secret"), **settings)
            model.keys[key.id] = key
        if "remove_key" in orders:
            del model.keys[orders["remove_key"]]
        for settings in orders.get("large_files", []):
            self.large_file(**settings)
        if orders.get("clear_faults"):
            self.faults.list, self.faults.random = [], None
        self.faults.list += orders.get("faults", [])
        if "random" in orders:
            self.faults.chance(orders["random"])
        self.latency = orders.get("latency_ms", self.latency * 1000) / 1000
        model.shift_ms += orders.get("advance_ms", 0)
        if orders.get("expire_tokens"):
            model.expire_tokens()
        if orders.get("apply_lifecycle"):
            model.apply_lifecycle()
        if orders.get("reset"):
            self.reset()
        classes = Counter()
        for call, number in self.count.items():
            classes[CLASS_OF.get(call, "?")] += number
        answer = {"calls": self.count, "classes": classes, "bytes": self.bytes,
                "mistakes": self.mistakes, "fired": self.faults.fired, "now_ms": model.now(),
                "most_uploading": self.most_uploading, "connections": self.connections,
                "versions": {b.name: sum(map(len, b.versions.values()))
                             for b in model.buckets.values()}}
        if orders.get("tokens"):
            answer["tokens"] = [*model.tokens, *(token for token, _ in model.uploads.values())]
        return answer


    def large_file(self, bucket, name, parts=(), finish=False):
        """Uploads as another program would; by the calls, so that their rules hold."""
        key = Key("other", "other")
        arguments = {"bucketId": self.model.bucket_named(bucket).id, "fileName": name,
                     "contentType": "application/octet-stream"}
        started = self.calls.call(3, "b2_start_large_file", key, arguments)
        item = self.model.files[started["fileId"]]
        sha1s = []
        for number, text in enumerate(parts, 1):
            data = text.encode()
            sha1s.append(hashlib.sha1(data).hexdigest())
            self.calls.upload_part(3, Upload(key, item.bucket, item),
                                   {"x-bz-part-number": str(number),
                                    "x-bz-content-sha1": sha1s[-1]}, data)
        if finish:
            self.calls.call(3, "b2_finish_large_file", key,
                            {"fileId": item.id, "partSha1Array": sha1s})


class Connection(socketserver.StreamRequestHandler):
    rbufsize = 1 << 18
    disable_nagle_algorithm = True

    def handle(self):
        state = self.server.state
        with state.model.lock:
            state.connections += 1
        try:
            while self.exchange():
                pass
        except (Cut, OSError, ValueError):
            pass

    def hang_up(self):
        """As a broken network does: with a reset, not an orderly end."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Cut

    # ---- one request and its answer ----

    def exchange(self):
        line = self.rfile.readline(1 << 16)
        if not line.strip():
            return False
        self.method, target, _ = line.decode("latin-1").split()
        self.headers = {}
        while (line := self.rfile.readline(1 << 16)) not in (b"\r\n", b"\n", b""):
            field, _, value = line.decode("latin-1").partition(":")
            self.headers[field.strip().lower()] = value.strip()
        path, _, query = target.partition("?")
        self.length = int(self.headers.get("content-length", 0))
        state = self.server.state
        if path == "/_control":
            orders = json.loads(self.rfile.read(self.length) or b"{}")
            with state.model.lock:
                answer = json.dumps(state.control(orders)).encode()
            return self.reply(200, {"Content-Type": "application/json"}, answer)
        if "user-agent" not in self.headers:
            state.mistakes["no_user_agent"] += 1
        if "transfer-encoding" in self.headers:
            state.mistakes["chunked"] += 1
            return self.refuse(Refuse(400, "bad_request", "chunked transfer encoding"), unread=True)
        self.fault = None
        self.upload = None
        try:
            return self.route(path, query)
        except Refuse as refusal:
            self.end_upload(failed=refusal.status != 429)
            return self.refuse(refusal)
        finally:
            self.end_upload(failed=False)

    def route(self, path, query):
        state = self.server.state
        self.query = {k: v[0] for k, v in urllib.parse.parse_qs(query).items()}
        parts = path.split("/")
        if parts[1] == "file":
            call, version = "b2_download_file_by_name", 0
        elif parts[1] == "b2api" and re.fullmatch("v[1-4]", parts[2]):
            call, version = parts[3], int(parts[2][1:])
        else:
            self.body = self.rfile.read(self.length)
            raise Refuse(404, "not_found", "no such path")
        subject = "/".join(parts[3:]) if version == 0 else self.headers.get("x-bz-file-name", "")
        with state.model.lock:
            state.count[call] += 1
            self.fault = state.faults.pick(call, subject)
            if state.model.now() < state.not_before.get((call, subject), 0):
                state.mistakes["called_before_retry_after: " + call] += 1
            if call in UPLOADS:
                self.begin_upload(parts[4])
        self.read_body()
        if state.latency:
            time.sleep(state.latency)
        self.strike_before(call, subject)
        if call in DOWNLOADS:
            return self.download(call, parts)
        with state.model.lock:
            answer = self.perform(call, version)
        kind = self.fault["kind"] if self.fault else ""
        self.end_upload(failed=kind in ("lose", "cut_response"))
        if kind == "lose":
            self.hang_up()
        body = json.dumps(answer).encode()
        return self.reply(200, {"Content-Type": "application/json;charset=utf-8"}, body)

    def begin_upload(self, number):
        state = self.server.state
        token, upload = state.model.uploads.get(number, (None, None))
        if upload is None:
            raise Refuse(401, "bad_auth_token", "no such upload URL")
        if upload.failed:
            state.mistakes["upload_url_reused_after_failure"] += 1
        if upload.busy:
            state.mistakes["upload_url_shared"] += 1
            raise Refuse(400, "auth_token_limit", "more than one upload using auth token")
        self.upload = upload
        upload.busy = self
        state.uploading += 1
        state.most_uploading = max(state.most_uploading, state.uploading)
        if self.headers.get("authorization") != token:
            raise Refuse(401, "bad_auth_token", "the upload token is another")

    def end_upload(self, failed):
        """Before the answer goes out: with it in hand the client may use the URL again."""
        upload = self.upload
        if upload is None:
            return
        upload.failed = upload.failed or failed
        if upload.busy is self:
            upload.busy = None
            self.server.state.uploading -= 1

    def read_body(self):
        if self.fault and self.fault["kind"] == "cut_request":
            self.rfile.read(self.length // 2)
            self.end_upload(failed=True)
            self.hang_up()
        self.body = self.rfile.read(self.length)
        if len(self.body) < self.length:
            self.end_upload(failed=True)
            raise Cut
        self.server.state.bytes["received"] += self.length
        self.length = 0

    def strike_before(self, call, subject):
        """Faults that stand in place of what was asked for."""
        fault = self.fault
        if fault is None:
            return
        state = self.server.state
        if fault["kind"] == "slow" and call not in DOWNLOADS:
            time.sleep(fault.get("seconds", 1))
        if fault["kind"] == "expire":
            with state.model.lock:
                if call in UPLOADS:
                    raise Refuse(401, "expired_auth_token", "Authorization token has expired")
                state.model.expire_tokens()
        if fault["kind"] == "status":
            pause = fault.get("retry_after")
            if pause is not None:
                state.not_before[(call, subject)] = state.model.now() + 1000 * pause
            raise Refuse(fault["status"], fault.get("code", "made_up"), "a fault of the test",
                         {} if pause is None else {"Retry-After": str(pause)})
        if fault["kind"] == "echo":
            said = " ".join(self.headers.values())
            raise Refuse(fault.get("status", 400), fault.get("code", "bad_request"), said[-250:])
        if fault["kind"] == "html":
            raise Refuse(fault.get("status", 502), None)

    def perform(self, call, version):
        state = self.server.state
        calls = state.calls
        authorization = self.headers.get("authorization", "")
        if call == "b2_authorize_account":
            return calls.authorize(version, authorization)
        if call in UPLOADS:
            receive = calls.upload_file if call == "b2_upload_file" else calls.upload_part
            return receive(version, self.upload, self.headers, self.body)
        key = state.model.key_of(authorization)
        if call not in FIELDS:
            raise bad_request(f"unknown call {call}")
        if self.method == "GET":
            arguments = dict(self.query)
            if "maxFileCount" in arguments:
                arguments["maxFileCount"] = int(arguments["maxFileCount"])
        else:
            try:
                arguments = json.loads(self.body)
            except ValueError:
                raise Refuse(400, "bad_json", "not JSON") from None
        return calls.call(version, call, key, arguments)

    # ---- downloads ----

    def wanted(self, call, parts):
        model = self.server.state.model
        authorization = self.headers.get("authorization") or self.query.get("Authorization", "")
        given = model.downloads.get(authorization)
        key = None if given else model.key_of(authorization)
        if call == "b2_download_file_by_id":
            item = model.file(self.query.get("fileId"))
            if item.action != "upload":
                raise Refuse(404, "not_found", "not a file")
        else:
            bucket = model.bucket_named(parts[2])
            name = decode_name("/".join(parts[3:]), self.server.state.mistakes)
            item = bucket.visible(name)
            if key is not None:
                key.need("readFiles", bucket, name)
            if item is None:
                raise Refuse(404, "not_found", f"File with such name does not exist: {name}")
        if key is not None:
            key.need("readFiles", item.bucket, item.name)
        elif given[0] is not item.bucket or not item.name.startswith(given[1]) or \
                given[2] < model.now():
            raise Refuse(401, "unauthorized", "")
        return item

    def span(self, size, kind):
        """(first, behind) of the range that was asked for, or None for all."""
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range", ""))
        if match is None or match[0] == "bytes=-" or kind == "ignore_range":
            return None
        if not match[1]:
            return max(0, size - int(match[2])), size
        first = int(match[1])
        behind = min(size, int(match[2]) + 1) if match[2] else size
        if first >= size:
            raise Refuse(416, "range_not_satisfiable", "The range is not satisfiable")
        return first, behind

    def download(self, call, parts):
        kind = self.fault["kind"] if self.fault else ""
        with self.server.state.model.lock:
            item = self.wanted(call, parts)
            span = self.span(item.size, kind)
            first, behind = span or (0, item.size)
            body = item.read(first, behind)
        if kind == "truncate":
            body = body[:len(body) // 2]
        if kind == "corrupt" and body:
            at = len(body) // 2
            body = body[:at] + bytes([body[at] ^ 0x10]) + body[at + 1:]
        headers = {"Accept-Ranges": "bytes", "Content-Type": item.type, "X-Bz-File-Id": item.id,
                   "X-Bz-File-Name": urllib.parse.quote(item.name, safe="/~"),
                   "X-Bz-Content-Sha1": item.sha1, "X-Bz-Upload-Timestamp": str(item.since)}
        for field, value in item.info.items():
            headers["X-Bz-Info-" + field] = urllib.parse.quote(value, safe="")
        if span is not None:
            headers["Content-Range"] = f"bytes {first}-{behind - 1}/{item.size}"
        return self.reply(200 if span is None else 206, headers, body)

    # ---- answers ----

    def refuse(self, refusal, unread=False):
        if refusal.code is None:
            body, kind = HTML, "text/html"
        else:
            kind = "application/json;charset=utf-8"
            body = json.dumps({"status": refusal.status, "code": refusal.code,
                               "message": refusal.message}).encode()
        headers = {"Content-Type": kind, "Connection": "close", **refusal.headers}
        if not unread and self.length:
            self.rfile.read(self.length)  # it was refused before its body was read
        self.reply(refusal.status, headers, body)
        return False

    def reply(self, status, headers, body):
        state = self.server.state
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Other"
        head = [f"HTTP/1.1 {status} {phrase}", f"Content-Length: {len(body)}",
                "Date: " + formatdate(state.model.now() / 1000, usegmt=True)]
        head += [f"{field}: {value}" for field, value in headers.items()]
        data = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
        if self.method == "HEAD":
            body = b""
        fault = getattr(self, "fault", None)
        kind = fault["kind"] if fault and status < 300 else ""
        if kind in ("cut_response", "lose"):
            self.request.sendall(data + body[:len(body) // 2])
            # What was sent must arrive: an orderly end, but too early.
            raise Cut
        if kind == "slow":
            half = len(body) // 2
            self.request.sendall(data + body[:half])
            time.sleep(fault.get("seconds", 1))
            data, body = b"", body[half:]
        self.request.sendall(data + body if len(body) < 1 << 16 else data)
        if len(body) >= 1 << 16:
            self.request.sendall(body)
        state.bytes["sent"] += len(body)
        return self.headers.get("connection", "").lower() != "close"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, address):
        kind = sys.exc_info()[0]
        if kind is not None and not issubclass(kind, (OSError, ssl.SSLError)):
            super().handle_error(request, address)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--directory")
    parser.add_argument("--bucket")
    parser.add_argument("--tls-cert")
    options = parser.parse_args()
    state = State(options.directory)
    state.model.keys["masterkeyid"] = Key("masterkeyid", "mastersecret")
    if options.bucket:
        state.model.make_bucket(options.bucket)
    server = Server(("127.0.0.1", options.port), Connection)
    server.state = state
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    if options.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_cert)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        state.address = "https://api.backblazeb2.com"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("port", server.server_address[1], flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
