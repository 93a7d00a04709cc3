#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "profile/toml_file.h"

namespace rota::profile {

/// One value in profile.toml or rotation.toml, with what it takes to complain about it: each reader
/// throws Error(config), "<file>:<line>: <key> …", when the value is of another type or cannot be
/// used. What it is made from outlives it.
class SettingValue {
 public:
  SettingValue(const std::string& file, std::string_view key, const toml::node& node)
      : file_(file), key_(key), node_(node) {}

  [[noreturn]] void reject(const std::string& reason) const;

  bool boolean() const;
  int integer(int lowest, int highest) const;
  double number(double lowest, double highest) const;

  /// A few printable characters, for people.
  std::string short_text() const;

  std::string text() const;

  /// Absolute, without "..".
  std::string path() const;
  std::vector<std::string> paths() const;  ///< a list of path()

  /// A path, or the name of a credential that systemd hands over: a name without a directory.
  std::string credential() const;

  /// The beginning of an address, without a path's end.
  std::string web_address() const;

  /// Bytes a second.
  std::uint64_t rate() const;

  /// Bytes: "1G", "500M".
  std::uint64_t size() const;

  /// Names of files, without a directory.
  std::vector<std::string> names() const;

  /// Texts that only somebody else can check.
  std::vector<std::string> texts(std::string_view example) const;

  /// More than nothing and at most a thousand years, which keeps all arithmetic on dates safe.
  base::Span span() const;

 private:
  [[noreturn]] void reject_type(const std::string& wanted) const;

  std::string_view type() const;

  /// A number with K, M or G behind it, within these limits.
  std::uint64_t scaled(std::uint64_t lowest, std::uint64_t highest, const std::string& range,
                       const std::string& hint) const;

  const std::string& file_;
  std::string_view key_;
  const toml::node& node_;
};

}  // namespace rota::profile
