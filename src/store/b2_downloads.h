#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "store/b2_session.h"

namespace rota::store {

/// One thing to download: by name the newest version, by id any.
struct B2File {
  std::string name;  ///< the object's, for messages
  std::string path;  ///< behind the download URL, encoded
};

/// The file of that name in a bucket.
B2File file_by_name(const B2Session& session, const std::string& name);
/// The version of that id.
B2File file_by_id(const std::string& name, const std::string& id);

/// The whole file, its SHA-1 checked where B2 has one. Throws as Store::get() does.
base::Bytes download(B2Session& session, const B2File& file, std::uint64_t limit);

/// As Store::read_some(). B2 checks nothing on the way out, and the SHA-1 is of the whole: a range
/// is checked for its place and length alone.
std::size_t download_range(B2Session& session, const B2File& file, std::uint64_t offset,
                           std::span<std::byte> buffer);

}  // namespace rota::store
