"""Reads a rota store: records, index and frames, as docs/format.md describes them.

Written from that page alone, with Python's standard library and the `zstd` command, and no line of
rota's own code. The headings below are the page's. Every object is checked against its sum. What
rota streams, this reader holds in memory.
"""

import dataclasses
import hashlib
import heapq
import itertools
import json
import os
import struct
import subprocess
import urllib.parse

BATCH = 64 << 20  # bytes unpacked by one call of zstd, about


class Unreadable(Exception):
    """The store is damaged, or this reader cannot read it: one sentence."""


def need(condition, sentence):
    if not condition:
        raise Unreadable(sentence)


# ---- Objects ----

HEADER = struct.Struct("<II4scBBB")


def check_header(data, kind, name):
    """Every object begins with the same 16 bytes, which are a zstd frame of the skippable kind."""
    need(len(data) > HEADER.size, f"{name} is cut short")
    magic, length, rota, found, version, flags, rest = HEADER.unpack_from(data)
    need((magic, length, rota) == (0x184D2A52, 8, b"ROTA"), f"{name} is not an object of rota")
    need(found == kind, f"{name} is an object of another kind")
    need(version == 1, f"{name} has version {version}, and this reader knows only 1")
    need(not flags & 1, f"{name} is encrypted, and this reader reads unencrypted chains only")
    need(flags == 0 and rest == 0, f"{name} has flags that this reader does not know")


def content_size(frame):
    """What a zstd frame unpacks to, from its header: RFC 8878, 3.1.1.1."""
    descriptor = frame[4]
    single_segment = descriptor >> 5 & 1
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    width = (single_segment, 2, 4, 8)[descriptor >> 6]
    need(frame[:4] == b"\x28\xb5\x2f\xfd" and width, "a frame is damaged")
    at = 6 - single_segment + dictionary
    return int.from_bytes(frame[at:at + width], "little") + (256 if width == 2 else 0)


def unpack(frames):
    """The contents of frames, by calls of zstd that each unpack many."""
    sizes = [content_size(frame) for frame in frames]
    first = 0
    while first < len(frames):
        end, total = first, 0
        while end < len(frames) and (end == first or total + sizes[end] <= BATCH):
            total += sizes[end]
            end += 1
        done = subprocess.run(["zstd", "-dcq"], input=b"".join(frames[first:end]),
                              capture_output=True, check=False)
        need(done.returncode == 0 and len(done.stdout) == total, "frames are damaged")
        at = 0
        for size in sizes[first:end]:
            yield done.stdout[at:at + size]
            at += size
        first = end


# ---- Run records ----

@dataclasses.dataclass
class Piece:
    number: int  # of the run that wrote it
    span: int  # of how many runs it holds the changes
    objects: list = dataclasses.field(default_factory=list)  # its index objects
    blocks: list = dataclasses.field(default_factory=list)


class Record:
    """A run record, as lines of JSON."""

    def __init__(self, data, name):
        check_header(data, b"r", name)
        (text,) = unpack([data[HEADER.size:]])
        lines = [json.loads(line) for line in text.splitlines()]
        need(lines and lines[-1].get("end") is True, f"{name} is cut short")
        self.head = lines[0]
        need(self.head["format"] == "rota-run", f"{name} is not a run record")
        need(self.head["version"] == 1, f"{name} is of a newer version")
        self.objects = {}
        self.pieces = []
        for line in lines:
            if "object" in line:
                self.objects[line["object"]] = line
            elif "piece" in line:
                self.pieces.append(Piece(line["piece"], line["span"]))
            elif "index" in line:
                self.pieces[-1].objects.append(line)
            elif "block" in line:
                self.pieces[-1].blocks.append(line)


class Chain:
    """The run to be restored, and all runs of its chain before it: extents refer to their volumes,
    whose sums stand in their records."""

    def __init__(self, store, run):
        self.store = store
        found = [path for kind in ("full", "incr") for path in store.glob(f"runs/*/{run}.{kind}")]
        need(len(found) == 1, f"{store} has no run {run}")
        self.name = found[0].parent.name
        data = found[0].read_bytes()
        newest = Record(data, run)
        self.runs = newest.head["runs"]
        need(self.runs and self.runs[-1] == run, f"the record of {run} is of another run")
        self.records = [newest]
        while parent := self.records[0].head["parent"]:
            kind = "full" if parent == self.name else "incr"
            data = (store / "runs" / self.name / f"{parent}.{kind}").read_bytes()
            need(hashlib.sha256(data).hexdigest() == self.records[0].head["parent_sha256"],
                 f"the record of {parent} is not the one that the next run was built on")
            self.records.insert(0, Record(data, parent))
        need([record.head["run"] for record in self.records] == self.runs, "runs are missing")

    def object(self, number, name):
        """An object of run `number`, checked."""
        line = self.records[number].objects[name]
        path = self.store / "data" / self.name / self.runs[number] / name
        data = path.read_bytes()
        need(len(data) == line["size"], f"{path} has {len(data)} bytes, not {line['size']}")
        need(hashlib.sha256(data).hexdigest() == line["sha256"], f"{path} is damaged")
        check_header(data, name[:1].encode(), path)
        return data


# ---- Index blocks ----

REMOVED, FILE, DIRECTORY, SYMLINK, CHARACTER, BLOCK, FIFO, HARD_LINK = range(8)
CONTINUATION = 15
SAME_OWNER, HAS_XATTRS, MORE_EXTENTS = 0x10, 0x20, 0x80


@dataclasses.dataclass
class Extent:
    length: int
    run: int = 0
    volume: int = 0
    frame: int = 0
    packed: int = 0
    offset: int = 0
    hole: bool = False


@dataclasses.dataclass
class Entry:
    path: bytes
    kind: int
    uid: int = 0
    gid: int = 0
    mode: int = 0
    mtime_ns: int = 0
    xattrs: tuple = ()
    size: int = 0
    sha256: bytes = b""
    target: bytes = b""  # of a symlink; of a hard link the path of its group's first entry
    device: int = 0
    extents: list = dataclasses.field(default_factory=list)


class Block:
    """One index block, from its first byte to its last."""

    def __init__(self, data):
        self.data = data
        self.at = 0
        # What is kept from record to record.
        self.path = b""
        self.owner = (0, 0, b"", b"")
        self.inode = 0
        self.extent = Extent(0)  # the last one with data

    def bytes(self, count):
        self.at += count
        need(self.at <= len(self.data), "an index block is cut short")
        return self.data[self.at - count:self.at]

    def byte(self):
        return self.bytes(1)[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def string(self):
        return self.bytes(self.varint())

    def records(self):
        """Entries, each with its more_extents flag."""
        while self.at < len(self.data):
            shared = self.varint()
            self.path = self.path[:shared] + self.string()
            byte = self.byte()
            yield self.entry(byte & 15, byte & 0xF0), bool(byte & MORE_EXTENTS)

    def entry(self, kind, flags):
        entry = Entry(self.path, kind)
        if kind == REMOVED:
            return entry
        if kind == CONTINUATION:
            entry.extents = self.extent_list()
            return entry
        need(kind <= HARD_LINK, f"this reader does not know entries of kind {kind}")
        if not flags & SAME_OWNER:
            self.owner = (self.varint(), self.varint(), self.string(), self.string())
        entry.uid, entry.gid = self.owner[:2]
        entry.mode = self.varint()
        seconds = self.zigzag()
        entry.mtime_ns = seconds * 1_000_000_000 + self.varint()
        _ctime = self.zigzag() + seconds, self.varint()
        self.inode = (self.inode + self.zigzag()) % 2**64
        _links = self.varint()
        if flags & HAS_XATTRS:
            entry.xattrs = tuple((self.string(), self.string()) for _ in range(self.varint()))
        if kind == FILE:
            entry.size = self.varint()
            if entry.size != 0:
                entry.sha256 = self.bytes(32)
                _costs = self.varint(), self.varint()
                entry.extents = self.extent_list()
        elif kind in (SYMLINK, HARD_LINK):
            entry.target = self.string()
        elif kind in (CHARACTER, BLOCK):
            entry.device = os.makedev(self.varint(), self.varint())
        return entry

    # ---- Extent lists ----

    def extent_list(self):
        return [self.one_extent() for _ in range(self.varint())]

    def one_extent(self):
        length, form = divmod(self.varint(), 4)
        if form == 3:
            return Extent(length, hole=True)
        before = self.extent
        if form == 0:
            place = before.run, before.volume, before.frame, before.packed
            offset = before.offset + before.length
        elif form == 1:
            place = before.run, before.volume, before.frame, before.packed
            offset = self.varint()
        else:
            place = self.varint(), self.varint(), self.varint(), self.varint()
            offset = self.varint()
        self.extent = Extent(length, *place, offset)
        return self.extent


# ---- Pieces ----

def blocks_of(chain, piece):
    objects = [chain.object(piece.number, line["index"]) for line in piece.objects]
    return unpack([objects[number][at:at + packed]
                   for number, at, packed in (block["at"] for block in piece.blocks)])


def entries_of_piece(chain, piece):
    """The entries of one piece in their order, continuations joined to their files."""
    last, more = None, False
    for block, data in zip(piece.blocks, blocks_of(chain, piece)):
        first = urllib.parse.unquote_to_bytes(block["block"])
        for entry, entry_more in Block(data).records():
            need(first in (None, entry.path), "an index block does not begin as its record says")
            first = None
            if entry.kind == CONTINUATION:
                need(more and last.path == entry.path, "extents without their file")
                last.extents += entry.extents
            else:
                need(not more, "a file lacks extents")
                if last is not None:
                    yield last
                last = entry
            more = entry_more
    need(not more, "a file lacks extents")
    if last is not None:
        yield last


def in_order(path):
    """Sorts like a walk: `/` below every other byte (NUL is in no path)."""
    return path.replace(b"/", b"\0")


def tree_of(chain):
    """The run's entries: of each path the newest piece's."""
    def keyed(piece):
        for entry in entries_of_piece(chain, piece):
            yield in_order(entry.path), -piece.number, entry

    merged = heapq.merge(*map(keyed, chain.records[-1].pieces), key=lambda item: item[:2])
    for _, group in itertools.groupby(merged, key=lambda item: item[0]):
        entry = next(group)[2]
        if entry.kind != REMOVED:
            yield entry
