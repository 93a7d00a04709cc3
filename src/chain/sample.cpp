#include "chain/sample.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

namespace rota::chain {

namespace {

constexpr std::uint64_t kCircle = std::uint64_t{1} << 32;
constexpr std::uint64_t kMaxFile = 4096;

std::string path_below(const std::string& state) { return state + "/sample"; }

}  // namespace

bool Sample::contains(std::string_view name) const {
  const base::Sha256Digest digest = base::sha256(base::as_bytes(name));
  const std::uint32_t place = base::ByteReader(digest).u32();
  return static_cast<std::uint32_t>(place - position) < width;
}

Sample next_sample(const std::string& state, double share) {
  Sample sample;
  sample.width = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(kCircle))), 1, kCircle);
  try {
    const auto value = nlohmann::json::parse(base::read_file(path_below(state), kMaxFile));
    sample.position = value.at("next").get<std::uint32_t>();
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found && error.kind() != base::ErrorKind::corrupt) {
      throw;
    }
  } catch (const nlohmann::json::exception&) {
    // Where it stood is lost: begin anew.
  }
  return sample;
}

void keep_sample(const std::string& state, const Sample& done, base::FileOps& files) {
  const auto next = static_cast<std::uint32_t>(done.position + done.width);
  base::write_file(path_below(state), nlohmann::json{{"next", next}}.dump() + "\n", 0600, files);
}

}  // namespace rota::chain
