"""What the fake of Backblaze B2 in b2_fake.py remembers: keys, buckets, files and their versions.

Rules are those of the native API as Backblaze documents it (backblaze.com/apidocs) and as its own
integration tests show it. No network here; one lock around everything.
"""

import base64
import bisect
import hashlib
import os
import re
import secrets
import threading
import time

MASTER_CAPABILITIES = [
    "listKeys", "writeKeys", "deleteKeys", "listBuckets", "listAllBucketNames", "readBuckets",
    "writeBuckets", "deleteBuckets", "readBucketRetentions", "writeBucketRetentions",
    "readBucketEncryption", "writeBucketEncryption", "listFiles", "readFiles", "shareFiles",
    "writeFiles", "deleteFiles", "readFileLegalHolds", "writeFileLegalHolds",
    "readFileRetentions", "writeFileRetentions", "bypassGovernance"]
DAY_MS = 86_400_000
MIN_PART = 5_000_000
HIDE_TYPE = "application/x-bz-hide-marker"


class Refuse(Exception):
    """An answer that is an error."""

    def __init__(self, status, code, message="", headers=None):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}


def bad_request(message):
    return Refuse(400, "bad_request", message)


def unauthorized(message="not entitled"):
    return Refuse(401, "unauthorized", message)


class Key:
    def __init__(self, key_id, secret, capabilities=None, buckets=None, prefix=None):
        self.id, self.secret = key_id, secret
        self.capabilities = MASTER_CAPABILITIES if capabilities is None else capabilities
        self.buckets = buckets  # names, or None for all
        self.prefix = prefix or ""

    def need(self, capability, bucket=None, name=None):
        if capability not in self.capabilities:
            raise unauthorized(f"the key has no {capability}")
        if bucket is not None and self.buckets is not None and bucket.name not in self.buckets:
            raise unauthorized("not entitled to this bucket")
        if name is not None and not name.startswith(self.prefix):
            raise unauthorized("not entitled to this prefix")


class Bucket:
    def __init__(self, bucket_id, name, kind="allPrivate", lock=False, rules=None, info=None):
        self.id, self.name, self.kind = bucket_id, name, kind
        self.lock, self.rules, self.info = lock, rules or [], info or {}
        self.revision = 1
        self.names = []  # sorted as UTF-8
        self.versions = {}  # name -> versions, the newest first

    def add(self, version):
        known = self.versions.get(version.name)
        if known is None:
            bisect.insort(self.names, version.name, key=str.encode)
            known = self.versions[version.name] = []
        known.insert(0, version)

    def drop(self, version):
        self.versions[version.name].remove(version)
        if not self.versions[version.name]:
            del self.versions[version.name]
            self.names.remove(version.name)

    def visible(self, name):
        """The version that a download by name gives, or None."""
        for version in self.versions.get(name, []):
            if version.action == "hide":
                return None
            if version.action == "upload":
                return version
        return None


class Version:
    def __init__(self, file_id, name, action, bucket, now):
        self.id, self.name, self.action, self.bucket, self.since = file_id, name, action, bucket, now
        self.size, self.sha1, self.md5 = 0, None, None
        self.type, self.info = "application/octet-stream", {}
        self.retention, self.hold = None, None  # {"mode":, "until":}, "on"
        self.data = b""  # bytes, or the path of a file
        self.parts = {}  # of an unfinished large file: number -> (sha1, md5, data, size)

    def read(self, first=0, last=None):
        last = self.size if last is None else last
        if isinstance(self.data, bytes):
            return self.data[first:last]
        with open(self.data, "rb") as file:
            file.seek(first)
            return file.read(last - first)


def decode_name(text, mistakes):
    """A name from a header or a URL."""
    if re.search(r"%(?![0-9A-Fa-f]{2})|[^\x21-\x7e]|[+?#\"<>\\^`{|}]", text):
        mistakes["badly_encoded_name"] += 1
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]),
                 text.replace("+", " ").encode("latin-1"))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise bad_request("File name is not valid UTF-8") from None


def check_name(name):
    raw = name.encode()
    if not 1 <= len(raw) <= 1024:
        raise bad_request("File names must be between 1 and 1024 bytes")
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        raise bad_request("File names must not contain control characters")
    if name.startswith("/") or name.endswith("/") or "//" in name:
        raise bad_request("File names must not start or end with / or contain //")
    if any(len(part) > 250 for part in raw.split(b"/")):
        raise bad_request("File name segments must be at most 250 bytes")


class Model:
    def __init__(self, directory=None):
        self.lock = threading.RLock()
        self.directory = directory
        self.account = "0123456789ab"
        self.keys = {}
        self.buckets = {}  # by id
        self.files = {}  # by id
        self.tokens = {}  # account token -> (key, expiry in ms)
        self.uploads = {}  # upload token -> Upload
        self.downloads = {}  # download authorization -> (bucket, prefix, expiry)
        self.shift_ms = 0
        self.last_ms = 0
        self.counter = 0

    # ---- time and ids ----

    def now(self):
        return int(time.time() * 1000) + self.shift_ms

    def stamp(self):
        """The time of a change: no two have the same."""
        self.last_ms = max(self.now(), self.last_ms + 1)
        return self.last_ms

    def new_id(self, bucket, large=False):
        self.counter += 1
        return f"4_z{bucket.id}_f{2 if large else 1}{secrets.token_hex(8)}_u{self.counter:08d}"

    def keep(self, data):
        if self.directory is None:
            return data
        path = os.path.join(self.directory, secrets.token_hex(12))
        with open(path, "wb") as file:
            file.write(data)
        return path

    # ---- keys and tokens ----

    def login(self, header):
        if not header.startswith("Basic "):
            raise Refuse(401, "bad_auth_token", "")
        try:
            key_id, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
        except ValueError:
            key_id = secret = ""
        key = self.keys.get(key_id)
        if key is None or key.secret != secret:
            raise Refuse(401, "bad_auth_token", "", {"WWW-Authenticate": 'Basic realm="b2"'})
        token = "4_" + secrets.token_urlsafe(24)
        self.tokens[token] = (key, self.now() + DAY_MS)
        return key, token

    def key_of(self, token):
        known = self.tokens.get(token)
        if known is None:
            raise Refuse(401, "bad_auth_token", "Invalid authorization token")
        if known[1] <= self.now():
            raise Refuse(401, "expired_auth_token", "Authorization token has expired")
        return known[0]

    def expire_tokens(self):
        for token, (key, _) in list(self.tokens.items()):
            self.tokens[token] = (key, 0)

    # ---- buckets ----

    def make_bucket(self, name, **settings):
        if any(b.name.lower() == name.lower() for b in self.buckets.values()):
            raise Refuse(400, "duplicate_bucket_name", "Bucket name is already in use.")
        bucket = Bucket(secrets.token_hex(12), name, **settings)
        self.buckets[bucket.id] = bucket
        return bucket

    def bucket(self, bucket_id):
        try:
            return self.buckets[bucket_id]
        except (KeyError, TypeError):
            raise Refuse(400, "bad_bucket_id", f"Bucket {bucket_id} does not exist") from None

    def bucket_named(self, name):
        for bucket in self.buckets.values():
            if bucket.name == name:
                return bucket
        raise Refuse(404, "not_found", f"Bucket {name} does not exist")

    # ---- files ----

    def file(self, file_id):
        try:
            return self.files[file_id]
        except (KeyError, TypeError):
            raise Refuse(404, "not_found", f"file_state_none {file_id}") from None

    def check_lock(self, bucket, key, retention, hold):
        if retention is None and hold is None:
            return
        if retention is not None:
            key.need("writeFileRetentions")
        if hold is not None:
            key.need("writeFileLegalHolds")
        if not bucket.lock:
            raise Refuse(400, "bucket_missing_file_lock", "Bucket is missing file lock configuration")
        if retention is not None:
            if retention["mode"] not in ("governance", "compliance"):
                raise bad_request("unknown retention mode")
            if retention["until"] <= self.now():
                raise Refuse(400, "retain_until_timestamp_must_be_in_future", "")

    def add_file(self, bucket, name, data, sha1, **more):
        version = Version(self.new_id(bucket), name, "upload", bucket, self.stamp())
        version.size = len(data)
        version.sha1, version.md5 = sha1, hashlib.md5(data).hexdigest()
        version.data = self.keep(data)
        for field, value in more.items():
            setattr(version, field, value)
        bucket.add(version)
        self.files[version.id] = version
        return version

    def hide(self, bucket, name):
        if name not in bucket.versions:
            raise Refuse(400, "no_such_file", f"File not present: {name}")
        if bucket.versions[name][0].action == "hide":
            raise Refuse(400, "already_hidden", f"File already hidden: {name}")
        version = Version(self.new_id(bucket), name, "hide", bucket, self.stamp())
        version.type, version.sha1 = HIDE_TYPE, "none"
        bucket.add(version)
        self.files[version.id] = version
        return version

    def locked(self, version):
        return version.hold == "on" or (
            version.retention is not None and version.retention["until"] > self.now())

    def delete(self, key, name, file_id, bypass):
        version = self.files.get(file_id)
        if version is None or version.name != name:
            raise Refuse(400, "file_not_present", f"File not present: {name} {file_id}")
        key.need("deleteFiles", version.bucket, name)
        if bypass and "bypassGovernance" not in key.capabilities:
            raise unauthorized()
        if self.locked(version):
            governed = version.hold != "on" and version.retention["mode"] == "governance"
            if not (governed and bypass):
                raise Refuse(401, "access_denied", "Access Denied")
        self.discard(version)

    def discard(self, version):
        version.bucket.drop(version)
        del self.files[version.id]
        if isinstance(version.data, str):
            os.unlink(version.data)

    def set_retention(self, key, version, mode, until, bypass):
        key.need("writeFileRetentions", version.bucket, version.name)
        if not version.bucket.lock:
            raise Refuse(400, "bucket_missing_file_lock", "")
        old = version.retention
        if old is not None and old["until"] > self.now():
            shorter = mode is None or until < old["until"]
            weaker = old["mode"] == "compliance" and mode != "compliance"
            allowed = old["mode"] == "governance" and bypass
            if (shorter or weaker) and not allowed:
                raise Refuse(403, "access_denied", "Access Denied")
            if (shorter or weaker) and "bypassGovernance" not in key.capabilities:
                raise unauthorized()
        version.retention = None if mode is None else {"mode": mode, "until": until}

    def apply_lifecycle(self):
        """What the service does about once a day."""
        now = self.now()
        for bucket in self.buckets.values():
            for rule in bucket.rules:
                days = rule.get("daysFromHidingToDeleting")
                prefix = rule.get("fileNamePrefix", "")
                if not days:
                    continue
                for name in [n for n in bucket.names if n.startswith(prefix)]:
                    versions = bucket.versions[name]
                    for newer, older in list(zip(versions, versions[1:])):
                        if newer.since + days * DAY_MS <= now and not self.locked(older):
                            self.discard(older)
                    rest = bucket.versions.get(name, [])
                    if len(rest) == 1 and rest[0].action == "hide":
                        self.discard(rest[0])

    # ---- listings ----

    def list_names(self, bucket, start, count, prefix, delimiter):
        """(versions and folder names, the next name or None)"""
        def shown(name):
            version = bucket.visible(name)
            return [] if version is None else [version]
        found, following, _ = self.listing(bucket, start, None, count, prefix, delimiter, shown)
        return found, following

    def list_versions(self, bucket, start, start_id, count, prefix, delimiter):
        """(versions and folder names, next name, next id)"""
        return self.listing(bucket, start, start_id, count, prefix, delimiter,
                            lambda name: bucket.versions[name])

    def listing(self, bucket, start, start_id, count, prefix, delimiter, shown):
        found, folder = [], None
        first = max(start, prefix, key=str.encode)
        for index in range(bisect.bisect_left(bucket.names, first.encode(), key=str.encode),
                           len(bucket.names)):
            name = bucket.names[index]
            if not name.startswith(prefix):
                break
            versions = shown(name)
            cut = name.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0 and versions:
                if folder == name[:cut + len(delimiter)]:
                    continue
                folder = name[:cut + len(delimiter)]
                versions = [folder]
            elif start_id is not None and name == start:
                ids = [version.id for version in versions]
                versions = versions[ids.index(start_id):] if start_id in ids else []
            for version in versions:
                if len(found) == count:
                    return found, name, None if isinstance(version, str) else version.id
                found.append(version)
        return found, None, None
