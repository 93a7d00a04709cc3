#pragma once

#include <string>

namespace rota::store {

/// The access key of an online store. The secret half is overwritten when it is no longer needed.
/// It never stands in a URL, an error's text, a log or an argument list.
struct Credentials {
  Credentials() = default;
  Credentials(std::string id, std::string secret) : key_id(std::move(id)), key(std::move(secret)) {}
  Credentials(const Credentials&) = default;
  Credentials(Credentials&&) = default;
  Credentials& operator=(const Credentials&) = default;
  Credentials& operator=(Credentials&&) = default;
  ~Credentials();

  std::string key_id;
  std::string key;
};

}  // namespace rota::store
