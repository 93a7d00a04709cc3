"""A tree of everything that a backup must carry, and its life: what happens to it from day to day.

All by one seed, but for the times that the kernel sets. Without root it has no devices and no
foreign owners.
"""

import os
import random
import shutil
import stat
import struct

BIG = b"big.sql"  # edited in many places a day: its extents fill several records
ROOT = os.geteuid() == 0

# As the kernel stores them: struct posix_acl_xattr_header and its entries (tag, rights, id);
# cap_net_bind_service, permitted and effective, revision 2.
ACL = struct.pack("<I" + "HHI" * 5, 2, 0x01, 7, 0xFFFFFFFF, 0x02, 5, 1234, 0x04, 5, 0xFFFFFFFF,
                  0x10, 7, 0xFFFFFFFF, 0x20, 1, 0xFFFFFFFF)
CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)


class Life:
    def __init__(self, seed, top):
        self.random = random.Random(seed)
        self.top = os.fsencode(top)
        self.makers = [self.make_text] * 6 + [self.make_noise, self.make_sparse, self.make_link,
                                              self.make_fifo, self.make_hard_link]
        if ROOT:
            self.makers.append(self.make_device)
        for _ in range(15):
            os.mkdir(self.new(self.directory()))
        self.make_big()
        for make in self.makers:
            make()
        for _ in range(120):
            self.random.choice(self.makers)()
        for path in self.list():
            self.decorate(path)

    def day(self):
        self.edit_big()
        for _ in range(12):
            self.random.choice(self.makers)()
        happenings = (self.edit, self.edit, self.append, self.cut, self.remove, self.rename,
                      self.decorate, self.touch)
        for _ in range(30):
            paths = self.list()
            self.random.choice(happenings)(self.random.choice(paths))
        self.remove_directory()

    # ---- what there is ----

    def list(self, wanted=lambda mode: True):
        """All paths but the root and the big file, in an order that the seed alone decides."""
        found = []
        for directory, names, files in os.walk(self.top):
            names.sort()
            for name in sorted(names + files):
                path = os.path.join(directory, name)
                if name != BIG and wanted(os.lstat(path).st_mode):
                    found.append(path)
        return found

    def directory(self):
        return self.random.choice([self.top] + self.list(stat.S_ISDIR))

    def any(self, wanted):
        return self.random.choice(self.list(wanted) or [None])

    def new(self, directory):
        """A path that is free; mostly with a plain name."""
        while True:
            length = self.random.choice((3, 8, 12, 20, 255))
            name = bytes(self.random.choices(range(97, 123), k=length))
            if self.random.random() < 0.3:
                name = self.random.randbytes(length).replace(b"\0", b"\n").replace(b"/", b" ")
            path = os.path.join(directory, name)
            if name not in (b".", b"..") and len(path) < 3000 and not os.path.lexists(path):
                return path

    # ---- what is made ----

    def words(self, count):
        return b"".join(b"%d %s\n" % (self.random.getrandbits(20), self.random.choice(
            (b"order", b"payment", b"shipped", b"cancelled"))) for _ in range(count))

    def write(self, data):
        path = self.new(self.directory())
        with open(path, "wb") as file:
            file.write(data)
        return path

    def make_text(self):
        self.write(self.words(self.random.choice((0, 1, 50, 2_000, 40_000))))

    def make_noise(self):
        self.write(self.random.randbytes(self.random.choice((1, 4_096, 300_000))))

    def make_sparse(self):
        with open(self.write(b""), "r+b") as file:
            for _ in range(self.random.randrange(4)):
                file.seek(self.random.randrange(5 << 20))
                file.write(self.words(3_000))
            file.truncate(6 << 20)

    def make_link(self):
        os.symlink(self.random.choice((b"nowhere", b"/etc/passwd", b"..", b"x" * 1_000)),
                   self.new(self.directory()))

    def make_fifo(self):
        os.mkfifo(self.new(self.directory()))

    def make_device(self):
        kind = self.random.choice((stat.S_IFCHR, stat.S_IFBLK))
        major, minor = self.random.choice(((1, 3), (8, 1), (250, 70_000)))
        os.mknod(self.new(self.directory()), kind | 0o600, os.makedev(major, minor))

    def make_hard_link(self):
        """Of any kind that may have one."""
        first = self.any(lambda mode: not stat.S_ISDIR(mode))
        if first:
            os.link(first, self.new(self.directory()), follow_symlinks=False)

    def make_big(self):
        with open(os.path.join(self.top, BIG), "wb") as file:
            file.write(self.words(600_000))

    # ---- what happens ----

    def edit_big(self):
        path = os.path.join(self.top, BIG)
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            for _ in range(800):
                file.seek(self.random.randrange(size))
                file.write(b"edited %d" % self.random.getrandbits(30))
            file.seek(0, os.SEEK_END)
            file.write(self.words(5_000))

    def edit(self, path):
        if stat.S_ISREG(os.lstat(path).st_mode):
            with open(path, "r+b") as file:
                file.seek(self.random.randrange(os.path.getsize(path) + 1))
                file.write(self.words(20))

    def append(self, path):
        if stat.S_ISREG(os.lstat(path).st_mode):
            with open(path, "ab") as file:
                file.write(self.words(100))

    def cut(self, path):
        if stat.S_ISREG(os.lstat(path).st_mode):
            os.truncate(path, self.random.randrange(os.path.getsize(path) + 1))

    def remove(self, path):
        """And sometimes makes something else of its name."""
        if stat.S_ISDIR(os.lstat(path).st_mode):
            return
        os.unlink(path)
        if self.random.random() < 0.3:
            os.mkdir(path)

    def remove_directory(self):
        path = self.any(stat.S_ISDIR)
        if path and len(os.listdir(path)) < 20:
            shutil.rmtree(path)
            if self.random.random() < 0.5:
                os.symlink(b"instead", path)

    def rename(self, path):
        directory = self.directory()
        if not (directory + b"/").startswith(path + b"/"):
            os.rename(path, self.new(directory))

    def touch(self, path):
        seconds = self.random.choice((-1_000_000_000, -1, 0, 1, 1_700_000_000, 5_000_000_000))
        when = seconds * 1_000_000_000 + self.random.randrange(1_000_000_000)
        os.utime(path, ns=(0, when), follow_symlinks=False)

    def decorate(self, path):
        """Another owner, another mode, attributes, another time: each now and then."""
        mode = os.lstat(path).st_mode
        chance = self.random.random
        if ROOT and chance() < 0.4:
            os.chown(path, *self.random.choices((0, 33, 1234, 4_000_000_000), k=2),
                     follow_symlinks=False)
        if not stat.S_ISLNK(mode) and chance() < 0.5:
            os.chmod(path, self.random.choice((0o600, 0o755, 0o700, 0o4751, 0o2770, 0o1777)))
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            if chance() < 0.2:
                os.setxattr(path, b"user.note", self.random.randbytes(self.random.randrange(99)))
            if chance() < 0.2:
                os.setxattr(path, b"system.posix_acl_access", ACL)
        if stat.S_ISDIR(mode) and chance() < 0.2:
            os.setxattr(path, b"system.posix_acl_default", ACL)
        if ROOT and stat.S_ISREG(mode) and chance() < 0.2:
            os.setxattr(path, b"security.capability", CAPABILITY)
        if chance() < 0.6:
            self.touch(path)
