#include "profile/places.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "base/error.h"

namespace rota::profile {

namespace {

/// An environment that holds just these variables.
Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

}  // namespace

TEST_CASE("root keeps its places in the system's directories", "[profile]") {
  const Places places =
      find_places(true, environment({{"HOME", "/root"}, {"XDG_CONFIG_HOME", "/root/c"}}));
  CHECK(places.config == "/etc/rota");
  CHECK(places.state == "/var/lib/rota");
  CHECK(places.cache == "/var/cache/rota");
  CHECK(places.run == "/run/rota");
}

TEST_CASE("other users keep their places in their home", "[profile]") {
  const Places places = find_places(false, environment({{"HOME", "/home/anna"}}));
  CHECK(places.config == "/home/anna/.config/rota");
  CHECK(places.state == "/home/anna/.local/state/rota");
  CHECK(places.cache == "/home/anna/.cache/rota");
  CHECK(places.run == "/home/anna/.cache/run/rota");
}

TEST_CASE("other users move their places with the XDG variables", "[profile]") {
  const Places places = find_places(false, environment({{"XDG_CONFIG_HOME", "/x/config/"},
                                                        {"XDG_STATE_HOME", "/x/state"},
                                                        {"XDG_CACHE_HOME", "/x/cache"},
                                                        {"XDG_RUNTIME_DIR", "/run/user/7"}}));
  CHECK(places.config == "/x/config/rota");
  CHECK(places.state == "/x/state/rota");
  CHECK(places.cache == "/x/cache/rota");
  CHECK(places.run == "/run/user/7/rota");
}

TEST_CASE("empty and relative XDG variables count as unset", "[profile]") {
  const Places places = find_places(
      false,
      environment({{"HOME", "/h"}, {"XDG_CONFIG_HOME", ""}, {"XDG_STATE_HOME", "relative"}}));
  CHECK(places.config == "/h/.config/rota");
  CHECK(places.state == "/h/.local/state/rota");
}

TEST_CASE("ROTA variables stand above everything, for root too", "[profile]") {
  const bool root = GENERATE(true, false);
  const Places places = find_places(root, environment({{"HOME", "/h"},
                                                       {"XDG_CACHE_HOME", "/x"},
                                                       {"ROTA_CONFIG_DIR", "/r/config//"},
                                                       {"ROTA_STATE_DIR", "/r/./state"},
                                                       {"ROTA_CACHE_DIR", "/r/cache"},
                                                       {"ROTA_RUN_DIR", "/r/run"}}));
  CHECK(places.config == "/r/config");
  CHECK(places.state == "/r/state");
  CHECK(places.cache == "/r/cache");
  CHECK(places.run == "/r/run");
}

TEST_CASE("places are taken from the environment of the process", "[profile]") {
  ::setenv("ROTA_STATE_DIR", "/from/environment", 1);
  const Places places = find_places();
  ::unsetenv("ROTA_STATE_DIR");
  CHECK(places.state == "/from/environment");
}

TEST_CASE("a relative ROTA variable is an error that names it", "[profile]") {
  try {
    find_places(true, environment({{"ROTA_STATE_DIR", "state"}}));
    FAIL("accepted");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::config);
    CHECK(std::string(error.what()) ==
          "ROTA_STATE_DIR is \"state\"; it must be an absolute path without \"..\", such as "
          "/var/lib/rota");
  }
}

TEST_CASE("without HOME the error says what to set", "[profile]") {
  try {
    find_places(false, environment({}));
    FAIL("accepted");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::config);
    CHECK(std::string(error.what()) ==
          "HOME is not set to an absolute path, so it is not known where rota keeps its files; set "
          "HOME or ROTA_CONFIG_DIR");
  }
}

TEST_CASE("absolute paths are brought into one form", "[profile]") {
  CHECK(absolute_path("/") == "/");
  CHECK(absolute_path("///") == "/");
  CHECK(absolute_path("/./.") == "/");
  CHECK(absolute_path("/srv/") == "/srv");
  CHECK(absolute_path("//srv///a/./b//") == "/srv/a/b");
  CHECK(absolute_path("/srv/.hidden/..x") == "/srv/.hidden/..x");
  CHECK(absolute_path("/srv/\xff name") == "/srv/\xff name");
}

TEST_CASE("paths that are relative, climb or hold a NUL are none", "[profile]") {
  CHECK_FALSE(absolute_path(""));
  CHECK_FALSE(absolute_path("srv"));
  CHECK_FALSE(absolute_path("./srv"));
  CHECK_FALSE(absolute_path("~/srv"));
  CHECK_FALSE(absolute_path("/srv/../etc"));
  CHECK_FALSE(absolute_path("/srv/.."));
  CHECK_FALSE(absolute_path(std::string_view("/a\0b", 4)));
}

TEST_CASE("a path is within itself and what stands above it", "[profile]") {
  CHECK(is_within("/srv", "/"));
  CHECK(is_within("/", "/"));
  CHECK(is_within("/srv", "/srv"));
  CHECK(is_within("/srv/a/b", "/srv"));
  CHECK_FALSE(is_within("/srv2", "/srv"));
  CHECK_FALSE(is_within("/srv", "/srv/a"));
  CHECK_FALSE(is_within("/", "/srv"));
}

}  // namespace rota::profile
