"""The calls of the B2 native API, versions 1 to 4, over the model of b2_model.py.

Each takes a Request and gives the answer's JSON, or an Answer for downloads.
"""

import hashlib
import secrets

from b2_model import (MIN_PART, Refuse, Version, bad_request, check_name, decode_name,
                      unauthorized)

CLASSES = {  # what Backblaze bills; backblaze.com/b2/b2-transactions-price.html
    "A": "b2_cancel_large_file b2_finish_large_file b2_start_large_file b2_get_upload_url "
         "b2_get_upload_part_url b2_upload_file b2_upload_part b2_hide_file b2_delete_file_version "
         "b2_delete_bucket b2_update_file_retention b2_update_file_legal_hold",
    "B": "b2_download_file_by_name b2_download_file_by_id b2_get_file_info",
    "C": "b2_authorize_account b2_copy_file b2_copy_part b2_create_bucket b2_list_buckets "
         "b2_get_download_authorization b2_list_file_names b2_list_file_versions b2_list_parts "
         "b2_list_unfinished_large_files b2_update_bucket"}
CLASS_OF = {call: letter for letter, calls in CLASSES.items() for call in calls.split()}

# Fields that a call takes: required, then optional. Others are refused, as the service does.
FIELDS = {
    "b2_list_buckets": ("accountId", "bucketId bucketName bucketTypes"),
    "b2_create_bucket": ("accountId bucketName bucketType",
                         "bucketInfo lifecycleRules fileLockEnabled corsRules "
                         "defaultServerSideEncryption replicationConfiguration"),
    "b2_update_bucket": ("accountId bucketId", "bucketType bucketInfo lifecycleRules ifRevisionIs "
                         "fileLockEnabled corsRules defaultRetention defaultServerSideEncryption "
                         "replicationConfiguration"),
    "b2_delete_bucket": ("accountId bucketId", ""),
    "b2_get_upload_url": ("bucketId", ""),
    "b2_list_file_names": ("bucketId", "startFileName maxFileCount prefix delimiter"),
    "b2_list_file_versions": ("bucketId",
                              "startFileName startFileId maxFileCount prefix delimiter"),
    "b2_hide_file": ("bucketId fileName", ""),
    "b2_delete_file_version": ("fileName fileId", "bypassGovernance"),
    "b2_get_file_info": ("fileId", ""),
    "b2_copy_file": ("sourceFileId fileName", "destinationBucketId range metadataDirective "
                     "contentType fileInfo fileRetention legalHold serverSideEncryption"),
    "b2_start_large_file": ("bucketId fileName contentType",
                            "fileInfo fileRetention legalHold serverSideEncryption"),
    "b2_get_upload_part_url": ("fileId", ""),
    "b2_finish_large_file": ("fileId partSha1Array", ""),
    "b2_cancel_large_file": ("fileId", ""),
    "b2_list_parts": ("fileId", "startPartNumber maxPartCount"),
    "b2_list_unfinished_large_files": ("bucketId", "namePrefix startFileId maxFileCount"),
    "b2_get_download_authorization": ("bucketId fileNamePrefix validDurationInSeconds",
                                      "b2ContentDisposition"),
    "b2_update_file_retention": ("fileName fileId fileRetention", "bypassGovernance"),
    "b2_update_file_legal_hold": ("fileName fileId legalHold", ""),
}


class Upload:
    """An upload URL and its token."""

    def __init__(self, key, bucket, file=None):
        self.key, self.bucket, self.file = key, bucket, file
        self.busy = self.failed = False


class Calls:
    def __init__(self, model, mistakes, address):
        self.model, self.mistakes, self.address = model, mistakes, address

    # ---- shapes ----

    def authorize(self, version, header):
        key, token = self.model.login(header)
        url = self.address()
        buckets = None
        if key.buckets is not None:
            by_name = {b.name: b.id for b in self.model.buckets.values()}
            buckets = [{"id": by_name.get(n, "gone"), "name": n} for n in key.buckets]
        if version < 4 and buckets is not None and len(buckets) > 1:
            raise Refuse(401, "unsupported", "the key is for several buckets")
        one = buckets[0] if buckets else {"id": None, "name": None}
        sizes = {"absoluteMinimumPartSize": MIN_PART, "recommendedPartSize": 100_000_000}
        places = {"apiUrl": url, "downloadUrl": url, "s3ApiUrl": url}
        answer = {"accountId": self.model.account, "authorizationToken": token}
        prefix = key.prefix or None
        if version < 3:
            answer |= places | sizes | {"allowed": {
                "capabilities": key.capabilities, "bucketId": one["id"], "bucketName": one["name"],
                "namePrefix": prefix}}
            if version == 1:
                answer["minimumPartSize"] = sizes["recommendedPartSize"]
            return answer
        storage = {**places, **sizes}
        if version == 3:
            storage |= {"infoType": "storageApi", "capabilities": key.capabilities,
                        "bucketId": one["id"], "bucketName": one["name"], "namePrefix": prefix}
        else:
            storage["allowed"] = {"capabilities": key.capabilities, "buckets": buckets,
                                  "namePrefix": prefix}
        return answer | {"apiInfo": {"storageApi": storage},
                         "applicationKeyExpirationTimestamp": None}

    def bucket_shape(self, bucket, key):
        may = "readBucketRetentions" in key.capabilities
        kept = bucket.retention
        lock = {"isFileLockEnabled": bucket.lock, "defaultRetention": {
            "mode": kept and kept["mode"],
            "period": kept and {"duration": kept["days"], "unit": "days"}}} if may else None
        return {"accountId": self.model.account, "bucketId": bucket.id, "bucketName": bucket.name,
                "bucketType": bucket.kind, "bucketInfo": bucket.info, "corsRules": [],
                "lifecycleRules": bucket.rules, "options": [], "revision": bucket.revision,
                "defaultServerSideEncryption": {"isClientAuthorizedToRead": True,
                                                "value": {"mode": None, "algorithm": None}},
                "fileLockConfiguration": {"isClientAuthorizedToRead": may, "value": lock}}

    def file_shape(self, version, item, key, action=None):
        if isinstance(item, str):
            return {"action": "folder", "fileName": item, "fileId": None, "contentLength": 0,
                    "contentSha1": None, "contentType": None, "fileInfo": {}, "uploadTimestamp": 0,
                    "bucketId": None, "accountId": self.model.account}
        shape = {"accountId": self.model.account, "action": action or item.action,
                 "bucketId": item.bucket.id, "contentLength": item.size,
                 "contentSha1": item.sha1, "contentMd5": item.md5, "contentType": item.type,
                 "fileId": item.id, "fileInfo": item.info, "fileName": item.name,
                 "uploadTimestamp": item.since}
        if version == 1:
            shape["size"] = item.size
        if item.action != "hide" and version > 1:
            kept = item.retention or {"mode": None, "until": None}
            may = "readFileRetentions" in key.capabilities
            shape["fileRetention"] = {
                "isClientAuthorizedToRead": may,
                "value": {"mode": kept["mode"], "retainUntilTimestamp": kept["until"]}
                         if may else None}
            may = "readFileLegalHolds" in key.capabilities
            shape["legalHold"] = {"isClientAuthorizedToRead": may,
                                  "value": item.hold if may else None}
            shape["serverSideEncryption"] = {"mode": None, "algorithm": None}
        return shape

    # ---- JSON calls ----

    def call(self, version, name, key, arguments):
        required, optional = (f.split() for f in FIELDS[name])
        for field in required:
            if arguments.get(field) is None:
                raise Refuse(400, "bad_json", f"required field {field} is missing")
        for field in arguments:
            if field not in required and field not in optional:
                raise Refuse(400, "bad_json", f"unknown field in {name}: {field}")
        return getattr(self, name[3:])(version, key, arguments)

    def list_buckets(self, version, key, a):
        key.need("listBuckets")
        wanted_id, wanted = a.get("bucketId"), a.get("bucketName")
        if key.buckets is not None and wanted_id is None and wanted not in key.buckets:
            raise unauthorized("a bucket-limited key must name its bucket")
        found = [b for b in self.model.buckets.values()
                 if wanted_id in (None, b.id) and wanted in (None, b.name)]
        if key.buckets is not None and any(b.name not in key.buckets for b in found):
            raise unauthorized()
        return {"buckets": [self.bucket_shape(b, key) for b in found]}

    def create_bucket(self, version, key, a):
        key.need("writeBuckets")
        bucket = self.model.make_bucket(
            a["bucketName"], kind=a["bucketType"], lock=bool(a.get("fileLockEnabled")),
            rules=a.get("lifecycleRules"), info=a.get("bucketInfo"))
        return self.bucket_shape(bucket, key)

    def update_bucket(self, version, key, a):
        bucket = self.model.bucket(a["bucketId"])
        key.need("writeBuckets", bucket)
        if a.get("ifRevisionIs", bucket.revision) != bucket.revision:
            raise Refuse(409, "conflict", "the revision is another")
        bucket.rules = a.get("lifecycleRules", bucket.rules)
        bucket.info = a.get("bucketInfo", bucket.info)
        bucket.kind = a.get("bucketType", bucket.kind)
        bucket.revision += 1
        return self.bucket_shape(bucket, key)

    def delete_bucket(self, version, key, a):
        bucket = self.model.bucket(a["bucketId"])
        key.need("deleteBuckets", bucket)
        if bucket.names:
            raise Refuse(400, "cannot_delete_non_empty_bucket", "")
        del self.model.buckets[bucket.id]
        return self.bucket_shape(bucket, key)

    def count(self, a, field="maxFileCount", most=10_000):
        count = a.get(field) or 100
        if not isinstance(count, int) or not 0 < count <= most:
            raise Refuse(400, "out_of_range", f"{field} is out of range: {count}")
        return count

    def listed(self, version, key, a):
        bucket = self.model.bucket(a["bucketId"])
        prefix = a.get("prefix") or ""
        key.need("listFiles", bucket, prefix if version > 1 else None)
        if version == 1 and not prefix.startswith(key.prefix):
            prefix = key.prefix
        return bucket, a.get("startFileName") or "", prefix, a.get("delimiter") or ""

    def list_file_names(self, version, key, a):
        bucket, start, prefix, delimiter = self.listed(version, key, a)
        found, following = self.model.list_names(bucket, start, self.count(a), prefix, delimiter)
        return {"files": [self.file_shape(version, f, key) for f in found],
                "nextFileName": following}

    def list_file_versions(self, version, key, a):
        bucket, start, prefix, delimiter = self.listed(version, key, a)
        if a.get("startFileId") is not None and not start:
            raise bad_request("startFileId needs startFileName")
        found, following, next_id = self.model.list_versions(
            bucket, start, a.get("startFileId"), self.count(a), prefix, delimiter)
        return {"files": [self.file_shape(version, f, key) for f in found],
                "nextFileName": following, "nextFileId": next_id}

    def hide_file(self, version, key, a):
        bucket = self.model.bucket(a["bucketId"])
        key.need("writeFiles", bucket, a["fileName"])
        return self.file_shape(version, self.model.hide(bucket, a["fileName"]), key)

    def delete_file_version(self, version, key, a):
        self.model.delete(key, a["fileName"], a["fileId"], bool(a.get("bypassGovernance")))
        return {"fileName": a["fileName"], "fileId": a["fileId"]}

    def get_file_info(self, version, key, a):
        item = self.model.file(a["fileId"])
        key.need("readFiles", item.bucket, item.name)
        return self.file_shape(version, item, key)

    def retention_of(self, a):
        value = a.get("fileRetention")
        if not value or value.get("mode") is None:
            return None
        return {"mode": value["mode"], "until": value["retainUntilTimestamp"]}

    def update_file_retention(self, version, key, a):
        item = self.model.file(a["fileId"])
        value = a["fileRetention"]
        self.model.set_retention(key, item, value.get("mode"), value.get("retainUntilTimestamp"),
                                 bool(a.get("bypassGovernance")))
        return {"fileName": item.name, "fileId": item.id, "fileRetention": value}

    def update_file_legal_hold(self, version, key, a):
        item = self.model.file(a["fileId"])
        key.need("writeFileLegalHolds", item.bucket, item.name)
        item.hold = a["legalHold"]
        return {"fileName": item.name, "fileId": item.id, "legalHold": item.hold}

    def copy_file(self, version, key, a):
        source = self.model.file(a["sourceFileId"])
        target = self.model.bucket(a.get("destinationBucketId") or source.bucket.id)
        key.need("readFiles", source.bucket, source.name)
        key.need("writeFiles", target, a["fileName"])
        check_name(a["fileName"])
        replace = (a.get("metadataDirective") or "COPY") == "REPLACE"
        if replace != ("contentType" in a):
            raise bad_request("contentType goes with metadataDirective REPLACE")
        first, last = 0, source.size
        if a.get("range"):
            ends = a["range"].removeprefix("bytes=").split("-")
            first, last = int(ends[0]), int(ends[1]) + 1
        data = source.read(first, last)
        copy = self.model.add_file(
            target, a["fileName"], data, hashlib.sha1(data).hexdigest(),
            type=a["contentType"] if replace else source.type,
            info=a.get("fileInfo", {}) if replace else source.info)
        return self.file_shape(version, copy, key, "copy")

    def get_download_authorization(self, version, key, a):
        bucket = self.model.bucket(a["bucketId"])
        key.need("shareFiles", bucket, a["fileNamePrefix"])
        token = "3_" + secrets.token_urlsafe(24)
        until = self.model.now() + 1000 * a["validDurationInSeconds"]
        self.model.downloads[token] = (bucket, a["fileNamePrefix"], until)
        return {"bucketId": bucket.id, "fileNamePrefix": a["fileNamePrefix"],
                "authorizationToken": token}

    # ---- uploads ----

    def get_upload_url(self, version, key, a):
        bucket = self.model.bucket(a["bucketId"])
        key.need("writeFiles", bucket)
        return {"bucketId": bucket.id, **self.new_place(version, Upload(key, bucket), "file")}

    def get_upload_part_url(self, version, key, a):
        item = self.unfinished(key, a["fileId"])
        return {"fileId": item.id,
                **self.new_place(version, Upload(key, item.bucket, item), "part")}

    def new_place(self, version, upload, kind):
        token = "4_" + secrets.token_urlsafe(24)
        number = secrets.token_hex(6)
        self.model.uploads[number] = (token, upload)
        return {"authorizationToken": token,
                "uploadUrl": f"{self.address()}/b2api/v{version}/b2_upload_{kind}/{number}"}

    def upload_file(self, version, upload, headers, body):
        name = decode_name(headers.get("x-bz-file-name", ""), self.mistakes)
        check_name(name)
        upload.key.need("writeFiles", upload.bucket, name)
        body, sha1 = self.checked(headers, body)
        if "content-type" not in headers:
            raise bad_request("Missing header Content-Type")
        retention = None
        mode = headers.get("x-bz-file-retention-mode")
        until = headers.get("x-bz-file-retention-retain-until-timestamp")
        if (mode is None) != (until is None):
            raise bad_request("both retention headers belong together")
        if mode is not None:
            retention = {"mode": mode, "until": int(until)}
        hold = headers.get("x-bz-file-legal-hold")
        self.model.check_lock(upload.bucket, upload.key, retention, hold)
        retention = retention or self.model.default_retention(upload.bucket)
        kind = headers["content-type"]
        info = {k[10:]: decode_name(v, self.mistakes) for k, v in headers.items()
                if k.startswith("x-bz-info-")}
        item = self.model.add_file(
            upload.bucket, name, body, sha1, info=info, retention=retention, hold=hold,
            type="application/octet-stream" if kind == "b2/x-auto" else kind)
        return self.file_shape(version, item, upload.key)

    def checked(self, headers, body):
        claim = headers.get("x-bz-content-sha1", "")
        if claim == "hex_digits_at_end":
            body, claim = body[:-40], body[-40:].decode("latin-1")
        sha1 = hashlib.sha1(body).hexdigest()
        if claim == "do_not_verify":
            return body, "unverified:" + sha1
        if len(claim) != 40:
            raise bad_request("Missing or bad header X-Bz-Content-Sha1")
        if claim != sha1:
            raise bad_request("Sha1 did not match data received")
        return body, sha1

    # ---- large files ----

    def unfinished(self, key, file_id):
        item = self.model.files.get(file_id)
        if item is None or item.action != "start":
            raise bad_request(f"No active upload for: {file_id}")
        key.need("writeFiles", item.bucket, item.name)
        return item

    def start_large_file(self, version, key, a):
        bucket = self.model.bucket(a["bucketId"])
        check_name(a["fileName"])
        key.need("writeFiles", bucket, a["fileName"])
        retention = self.retention_of(a)
        self.model.check_lock(bucket, key, retention, a.get("legalHold"))
        item = Version(self.model.new_id(bucket, True), a["fileName"], "start", bucket,
                       self.model.stamp())
        item.type, item.info, item.sha1 = a["contentType"], a.get("fileInfo") or {}, "none"
        item.retention = retention or self.model.default_retention(bucket)
        item.hold = a.get("legalHold")
        bucket.add(item)
        self.model.files[item.id] = item
        return self.file_shape(version, item, key)

    def upload_part(self, version, upload, headers, body):
        number = int(headers.get("x-bz-part-number", 0))
        if not 1 <= number <= 10_000:
            raise bad_request("part number must be 1 to 10000")
        body, sha1 = self.checked(headers, body)
        part = (sha1, hashlib.md5(body).hexdigest(), self.model.keep(body), len(body))
        upload.file.parts[number] = part
        return self.part_shape(upload.file, number)

    def part_shape(self, item, number):
        sha1, md5, _, size = item.parts[number]
        return {"fileId": item.id, "partNumber": number, "contentLength": size,
                "contentSha1": sha1, "contentMd5": md5, "uploadTimestamp": self.model.now(),
                "serverSideEncryption": {"mode": None, "algorithm": None}}

    def finish_large_file(self, version, key, a):
        item = self.unfinished(key, a["fileId"])
        wanted = a["partSha1Array"]
        if len(wanted) < 2:
            raise bad_request("large files must have at least 2 parts")
        if sorted(item.parts) != list(range(1, len(wanted) + 1)):
            raise Refuse(400, "missing_part", "a part is missing")
        pieces = []
        for number, sha1 in enumerate(wanted, 1):
            have, _, data, size = item.parts[number]
            if have != sha1:
                raise Refuse(400, "part_sha1_mismatch", f"part {number}")
            if size < MIN_PART and number < len(wanted):
                raise bad_request(f"part {number} is smaller than the minimum")
            pieces.append(data if isinstance(data, bytes) else open(data, "rb").read())
        whole = b"".join(pieces)
        item.size, item.data, item.action, item.parts = len(whole), self.model.keep(whole), "upload", {}
        return self.file_shape(version, item, key)

    def cancel_large_file(self, version, key, a):
        item = self.unfinished(key, a["fileId"])
        self.model.discard(item)
        return {"accountId": self.model.account, "bucketId": item.bucket.id, "fileId": item.id,
                "fileName": item.name}

    def list_parts(self, version, key, a):
        item = self.unfinished(key, a["fileId"])
        numbers = [n for n in sorted(item.parts) if n >= (a.get("startPartNumber") or 1)]
        count = self.count(a, "maxPartCount", 1000)
        return {"parts": [self.part_shape(item, n) for n in numbers[:count]],
                "nextPartNumber": numbers[count] if len(numbers) > count else None}

    def list_unfinished_large_files(self, version, key, a):
        bucket = self.model.bucket(a["bucketId"])
        prefix = a.get("namePrefix") or ""
        key.need("listFiles", bucket, prefix)
        count = self.count(a, most=100)
        found = sorted((v for name in bucket.names if name.startswith(prefix)
                        for v in bucket.versions[name]
                        if v.action == "start" and v.id >= (a.get("startFileId") or "")),
                       key=lambda v: v.id)
        return {"files": [self.file_shape(version, v, key) for v in found[:count]],
                "nextFileId": found[count].id if len(found) > count else None}
