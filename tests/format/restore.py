#!/usr/bin/env python3
"""A second reader of a rota store: restores one run of an unencrypted chain.

    restore.py STORE_DIR RUN OUT_DIR

It shows that docs/format.md suffices, and is the page's example: reader.py reads the format, this
file does what is not of the format and every reader has to do. Every content is checked against its
sum. As root it sets owners and makes devices; as somebody else it leaves both out and says so.

OUT_DIR must be new. Exit status: 0 restored, 1 not (one line says why), 2 wrong arguments.
"""

import hashlib
import os
import pathlib
import re
import stat
import sys

from reader import (BLOCK, CHARACTER, DIRECTORY, FIFO, FILE, HARD_LINK, SYMLINK, Chain, Unreadable,
                    need, tree_of, unpack)


class Target:
    """A new directory. Its paths are walked by descriptors: they may be longer than the kernel
    takes at once, and a symlink among the entries must lead nowhere."""

    def __init__(self, path):
        os.mkdir(path, 0o700)
        self.top = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        self.parent, self.fd = b"", os.dup(self.top)

    def at(self, path):
        """(descriptor of its directory, its name); the descriptor is good until the next call."""
        parent, _, name = path.rpartition(b"/")
        if parent != self.parent:
            os.close(self.fd)
            self.parent, self.fd = parent, os.dup(self.top)
            for part in filter(None, parent.split(b"/")):
                up = self.fd
                self.fd = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=up)
                os.close(up)
        return self.fd, name or b"."

    def open(self, path, flags):
        directory, name = self.at(path)
        return os.open(name, flags | os.O_NOFOLLOW, 0o600, dir_fd=directory)

    def make(self, entry):
        """The entry without content and metadata."""
        directory, name = self.at(entry.path)
        if entry.kind == FILE:
            file = self.open(entry.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            os.ftruncate(file, entry.size)  # one hole, until extents are written into it
            os.close(file)
        elif entry.kind == DIRECTORY and entry.path:
            os.mkdir(name, 0o700, dir_fd=directory)
        elif entry.kind == SYMLINK:
            os.symlink(entry.target, name, dir_fd=directory)
        elif entry.kind == FIFO:
            os.mkfifo(name, 0o600, dir_fd=directory)
        elif entry.kind in (CHARACTER, BLOCK):
            kind = stat.S_IFCHR if entry.kind == CHARACTER else stat.S_IFBLK
            os.mknod(name, kind | 0o600, entry.device, dir_fd=directory)
        elif entry.kind == HARD_LINK:
            here = os.dup(directory)
            first, first_name = self.at(entry.target)
            os.link(first_name, name, src_dir_fd=first, dst_dir_fd=here, follow_symlinks=False)
            os.close(here)

    def finish(self, entry):
        """Owner, attributes, mode, time: in this order, because a new owner clears capabilities
        and bits of the mode, and an ACL sets bits of it."""
        directory, name = self.at(entry.path)
        if os.geteuid() == 0:
            os.chown(name, entry.uid, entry.gid, dir_fd=directory, follow_symlinks=False)
        for key, value in entry.xattrs:
            os.setxattr(b"/proc/self/fd/%d/%s" % (directory, name), key, value,
                        follow_symlinks=False)
        if entry.kind != SYMLINK:
            os.chmod(name, entry.mode, dir_fd=directory)
        os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=directory,
                 follow_symlinks=False)

    def check(self, entry):
        with open(self.open(entry.path, os.O_RDONLY), "rb") as file:
            need(hashlib.file_digest(file, "sha256").digest() == entry.sha256,
                 f"{os.fsdecode(entry.path)} is not what was backed up")


def write_contents(chain, target, files):
    """Volume by volume, so that each is read once, and its frames are unpacked once."""
    wanted = {}  # (run, volume) -> [(frame, packed size, offset, length, file's number, position)]
    for number, entry in enumerate(files):
        position = 0
        for extent in entry.extents:
            if not extent.hole:
                wanted.setdefault((extent.run, extent.volume), []).append(
                    (extent.frame, extent.packed, extent.offset, extent.length, number, position))
            position += extent.length
        need(position == entry.size, f"the extents of {os.fsdecode(entry.path)} do not cover it")
    for (run, volume), extents in sorted(wanted.items()):
        data = chain.object(run, f"v{volume:06}")
        by_frame = {}
        for frame, packed, *rest in sorted(extents):
            by_frame.setdefault((frame, packed), []).append(rest)
        unpacked = unpack([data[frame:frame + packed] for frame, packed in by_frame])
        file, opened = -1, None
        for content, parts in zip(unpacked, by_frame.values()):
            for offset, length, number, position in parts:
                need(offset + length <= len(content), "an extent leaves its frame")
                if number != opened:
                    if file >= 0:
                        os.close(file)
                    file, opened = target.open(files[number].path, os.O_WRONLY), number
                written = os.pwrite(file, content[offset:offset + length], position)
                need(written == length, "the disk is full")
        os.close(file)


def restore(store, run, out):
    need(re.fullmatch(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}", run), f"{run} is no name of a run")
    chain = Chain(pathlib.Path(store), run)
    entries = list(tree_of(chain))
    need(entries and entries[0].path == b"", "the run has no root")
    root = os.geteuid() == 0
    if not root:
        print("restore.py: not root: owners are not set, devices not made", file=sys.stderr)
        devices = {entry.path for entry in entries if entry.kind in (CHARACTER, BLOCK)}
        entries = [e for e in entries if e.path not in devices and e.target not in devices]
    target = Target(out)
    for entry in entries:
        target.make(entry)
    files = [entry for entry in entries if entry.kind == FILE and entry.size != 0]
    write_contents(chain, target, files)
    for entry in files:
        target.check(entry)
    # Directories after what is in them, which would change their times.
    for entry in reversed(entries):
        if entry.kind != HARD_LINK:
            target.finish(entry)
    return len(entries)


def main(arguments):
    if len(arguments) != 3:
        print("usage: restore.py STORE_DIR RUN OUT_DIR", file=sys.stderr)
        return 2
    try:
        restore(*arguments)
    except (Unreadable, OSError) as error:
        print(f"restore.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
