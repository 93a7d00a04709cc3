// The medium changes what was written: found by reading back, never hidden by the page cache, and
// never linked again.

#include <catch2/catch.hpp>
#include <filesystem>

#include "disk/index_source.h"
#include "disk/mounted_disk.h"
#include "disk/scrub.h"
#include "support/skip.h"

namespace rota::test {

namespace {

constexpr std::uint64_t kSize = 32 << 20;

/// Turns over a bit of the only place on the medium where `text` stands.
void damage(LoopDisk& disk, const std::string& text) {
  const std::string image = read(disk.image());
  const std::size_t at = image.find(text);
  REQUIRE(at != std::string::npos);
  REQUIRE(image.find(text, at + 1) == std::string::npos);
  disk.flip_bit(at + 100);
}

/// Text that stands nowhere else, of so many bytes.
std::string marked(const std::string& mark, std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += mark + std::to_string(i) + "\n";
  return text.substr(0, size);
}

std::vector<std::string> damaged_paths(const disk::CheckResult& result) {
  std::vector<std::string> paths;
  for (const disk::Damage& damage : result.damage) paths.push_back(damage.path);
  return paths;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("a bit that turned over between write and read-back is found", "[disk][medium]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  TempDir temp(fast_directory());
  write(temp / "source/small", marked("small", 3000));
  write(temp / "source/large", marked("large", 6 << 20));
  write(temp / "source/other", marked("other", 20'000));
  MountedDisk disk("ext4", kSize);
  disk.place->write(temp / "source", 0);
  const std::string name = GENERATE("small", "large");
  const std::string text = marked(name, 3000);

  SECTION("after a remount, past the page cache") {
    disk.unmount();
    damage(disk.disk, text);
    disk.mount(disk::MountMode::read_only);
    const disk::CheckResult result = disk.place->verify(CopyPlace::partial(0));
    CHECK(result.direct);
    CHECK(result.files == 3);
    CHECK(damaged_paths(result) == Paths{name});
  }
  SECTION("even when nothing was unmounted") {
    damage(disk.disk, text);
    CHECK(damaged_paths(disk.place->verify(CopyPlace::partial(0))) == Paths{name});
  }
  SECTION("but not when the page cache answers: it hides the damage") {
    damage(disk.disk, text);
    const disk::CheckResult result =
        disk.place->verify(CopyPlace::partial(0), {.bypass_cache = false});
    CHECK_FALSE(result.direct);
    CHECK(result.good());
  }
}

TEST_CASE("what is known to be damaged is written anew and not linked", "[disk][medium]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  TempDir temp(fast_directory());
  const std::string bad = "odd\n\\name";
  write(temp / "source/" + bad, marked("bad", 3000));
  write(temp / "source/good", marked("good", 3000));
  MountedDisk disk("ext4", kSize);
  const bool sealed = GENERATE(true, false);
  sealed ? disk.place->copy(temp / "source", 0) : disk.place->write(temp / "source", 0);
  disk.unmount();
  damage(disk.disk, marked("bad", 3000));
  disk.mount();
  const std::string name = sealed ? CopyPlace::name(0) : CopyPlace::partial(0);
  const disk::CheckResult result = disk.place->verify(name);
  CHECK(damaged_paths(result) == Paths{bad});
  disk::note_damage(disk.place->fd(), "web", result);
  const std::string old_tree = disk.place->server() + "/" + name + "/tree/";
  const std::uint64_t bad_inode = inode_of(old_tree + bad);
  const std::uint64_t good_inode = inode_of(old_tree + "good");
  disk.place->copy(temp / "source", 1);
  CHECK(inode_of(disk.place->tree(1) + "/" + bad) != bad_inode);
  CHECK(inode_of(disk.place->tree(1) + "/good") == good_inode);
  disk.remount();
  CHECK(disk.place->verify(CopyPlace::name(1), {.what = disk::What::everything}).good());
  // Once written anew it is a file like others.
  disk.place->copy(temp / "source", 2);
  CHECK(inode_of(disk.place->tree(2) + "/" + bad) == inode_of(disk.place->tree(1) + "/" + bad));
}

TEST_CASE("an entry that is not as the index says is found, and not linked again",
          "[disk][medium]") {
  TempDir temp(fast_directory());
  for (const char* name : {"content", "gone", "mode", "same"}) write(temp / "source/" + name, name);
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  place.copy(temp / "source", 0);
  write(place.tree(0) + "/stranger", "");
  REQUIRE(
      run_program({"sh", "-c", "cd \"$1\" && rm gone && chmod 600 mode && echo longer >>content",
                   "sh", place.tree(0)}) == "");
  const disk::CheckResult result = place.verify(CopyPlace::name(0));
  std::vector<std::string> found;
  for (const auto& [path, what] : result.differences) found.push_back(path + ": " + what);
  CHECK(found == std::vector<std::string>{": another mtime", "content: its size is another",
                                          "gone: is missing", "mode: another mode",
                                          "stranger: stands in the tree, but not in the index"});
  CHECK(damaged_paths(result).size() == 2);
  disk::note_damage(place.fd(), "web", result);
  CHECK(place.copy(temp / "source", 1).record.linked == 1);
  CHECK(place.verify(CopyPlace::name(1)).good());
}

TEST_CASE("what the copy before has lost is written anew", "[disk][medium]") {
  TempDir temp(fast_directory());
  for (const char* name : {"a", "d/b", "kind"}) write(temp / "source/" + name, name);
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  place.copy(temp / "source", 0);
  REQUIRE(run_program({"sh", "-c", "cd \"$1\" && rm -r a d kind && mkdir kind && ln -s /etc d",
                       "sh", place.tree(0)}) == "");
  CHECK(place.copy(temp / "source", 1).record.new_inodes == 3);
  CHECK(place.verify(CopyPlace::name(1)).good());
  CHECK(compared(temp / "source", place.tree(1)) == "");
}

TEST_CASE("ACLs and attributes are the same on every filesystem", "[disk][medium]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "xfs", "btrfs");
  CAPTURE(fs);
  TempDir temp(fast_directory());
  write(temp / "source/d/file", "text");
  REQUIRE(run_program({"sh", "-c",
                       "cd \"$1\" && setfacl -m u:4711:r d/file && setfacl -m d:u:4712:rx d && "
                       "setfattr -n user.note -v hello d/file",
                       "sh", temp / "source"}) == "");
  MountedDisk disk(fs, fs == "ext4" ? kSize : 320 << 20);
  disk.place->copy(temp / "source", 0);
  const disk::CheckResult check = disk.place->verify(CopyPlace::name(0));
  CAPTURE(check.differences);
  CHECK(check.good());
  // Both ways: XFS would show an ACL as an attribute of its own, too.
  CHECK(compared(temp / "source", disk.place->tree(0)) == "");
  MountedDisk other("ext4", kSize);
  other.place->copy(disk.place->tree(0), 0);
  CHECK(compared(temp / "source", other.place->tree(0)) == "");
  CHECK(disk.place->warnings.list.empty());
}

TEST_CASE("damage of what describes a copy is damage of the copy", "[disk][medium]") {
  TempDir temp(fast_directory());
  write(temp / "source/a", "a");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  place.copy(temp / "source", 0);
  const std::string name = GENERATE("index", "SHA256SUMS", "COPY.json", "tree");
  const std::string path = place.server() + "/" + CopyPlace::name(0) + "/" + name;
  const bool is_gone = name == "tree" || GENERATE(true, false);
  if (is_gone) {
    std::filesystem::remove_all(path);
  } else {
    std::string text = read(path);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    if (name == "COPY.json") text.resize(20);
    write(path, text);
  }
  const disk::CheckResult result = place.verify(CopyPlace::name(0));
  CHECK_FALSE(result.good());
  CHECK(damaged_paths(result) == Paths{name});
  disk::note_damage(place.fd(), "web", result);
  // The next copy is made all the same.
  place.copy(temp / "source", 1);
  CHECK(place.verify(CopyPlace::name(1)).good());
}

}  // namespace rota::test
