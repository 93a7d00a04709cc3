#include "tree/new_name.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "base/file.h"
#include "support/files.h"
#include "tree/trees.h"

namespace rota::tree {

using test::TempDir;
using List = std::vector<std::string>;

namespace {

struct Place {
  TempDir temp;
  base::Fd directory{::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};

  int make(NewName& name, std::string_view text) {
    const base::Fd fd(
        ::openat(directory.get(), name.here(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) return -1;
    name.is_made();
    return ::write(fd.get(), text.data(), text.size()) < 0 ? -1 : 0;
  }
  List names() const { return paths(walk(temp.path())); }
};

}  // namespace

TEST_CASE("a new name is there when it is committed, and gone when it is not", "[names]") {
  const bool replace = GENERATE(false, true);
  Place place;
  {
    NewName name(place.directory.get(), "f", replace);
    REQUIRE(place.make(name, "new") == 0);
  }
  CHECK(place.names() == List{""});
  {
    NewName name(place.directory.get(), "f", replace);
    REQUIRE(place.make(name, "new") == 0);
    CHECK(name.commit());
  }
  CHECK(place.names() == List{"", "f"});
  CHECK(test::read(place.temp / "f") == "new");
}

TEST_CASE("a name that is taken is neither replaced nor removed unless it shall be", "[names]") {
  Place place;
  test::write(place.temp / "f", "old");
  {
    NewName name(place.directory.get(), "f", false);
    CHECK(place.make(name, "new") == -1);
  }
  CHECK(test::read(place.temp / "f") == "old");
  {
    NewName name(place.directory.get(), "f", true);
    REQUIRE(place.make(name, "new") == 0);
    CHECK(test::read(place.temp / "f") == "old");
    CHECK(name.commit());
  }
  CHECK(test::read(place.temp / "f") == "new");
  CHECK(place.names() == List{"", "f"});
}

TEST_CASE("a directory is not replaced by a new name, which leaves nothing behind", "[names]") {
  Place place;
  REQUIRE(::mkdir((place.temp / "d").c_str(), 0700) == 0);
  {
    NewName name(place.directory.get(), "d", true);
    REQUIRE(place.make(name, "new") == 0);
    CHECK_FALSE(name.commit());
    CHECK(errno == EISDIR);
  }
  CHECK(place.names() == List{"", "d"});
}

TEST_CASE("a hard link that replaces another name of its inode leaves nothing behind", "[names]") {
  Place place;
  test::write(place.temp / "f", "text");
  REQUIRE(::link((place.temp / "f").c_str(), (place.temp / "g").c_str()) == 0);
  {
    NewName name(place.directory.get(), "g", true);
    REQUIRE(::linkat(place.directory.get(), "f", place.directory.get(), name.here(), 0) == 0);
    name.is_made();
    CHECK(name.commit());
  }
  CHECK(place.names() == List{"", "f", "g"});
}

TEST_CASE("what a killed restore left beside a name is taken away by the next one", "[names]") {
  Place place;
  std::string left;
  {
    const NewName name(place.directory.get(), "f", true);
    left = name.here();
  }
  test::write(place.temp / left, "half");
  {
    NewName name(place.directory.get(), "f", true);
    REQUIRE(place.make(name, "new") == 0);
    CHECK(name.commit());
  }
  CHECK(place.names() == List{"", "f"});
}

}  // namespace rota::tree
