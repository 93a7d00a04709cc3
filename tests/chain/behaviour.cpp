#include "chain/behaviour.h"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

namespace rota::test {

namespace fs = std::filesystem;

void make_tree(Backups& backups) {
  write(backups.path("a"), "a small file");
  write(backups.path("dir/b"), noise(20'000, 1));
  write(backups.path("dir/sub/c"), noise(3'000, 2));
  write(backups.path("large"), noise(kLarge, 3));
  fs::create_symlink("a", backups.path("link"));
}

bool is_restored(Backups& backups, const chain::RunRecord& record) {
  const std::string found = backups.quick_check(record.run);
  if (!found.empty()) WARN(found);
  return found.empty();
}

std::string contents(Backups& backups, const std::string& run, const std::string& path) {
  const std::string target = backups.temp / "one";
  remove_tree(target);
  backups.restore(run, target, {path});
  return read(target + "/" + path);
}

std::vector<std::string> listing(const std::string& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    names.push_back(entry.path().lexically_relative(root));
  }
  std::ranges::sort(names);
  return names;
}

std::uint64_t inode(const std::string& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st.st_ino;
}

}  // namespace rota::test
