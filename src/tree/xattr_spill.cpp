#include "tree/xattr_spill.h"

#include "base/error.h"
#include "tree/entry_codec.h"

namespace rota::tree {

void XattrSpill::keep(std::size_t index, Entry& entry) {
  const std::size_t size = xattr_bytes(entry);
  if (in_memory_ + size <= kInMemory) {
    in_memory_ += size;
    return;
  }
  base::Bytes bytes;
  encode_xattrs(bytes, entry);
  entry.xattrs = {};
  if (!file_.valid()) file_ = base::open_temporary();
  base::real_files().write_all(file_.get(), bytes, "a temporary file");
  places_.push_back({index, end_, bytes.size()});
  end_ += bytes.size();
}

void XattrSpill::give_back(std::size_t index, Entry& entry) {
  if (places_.empty() || places_.front().index != index) return;
  base::Bytes bytes(places_.front().size);
  if (base::read_at(file_.get(), bytes, places_.front().position, "a temporary file") !=
      bytes.size()) {
    throw base::Error(base::ErrorKind::io, "a temporary file was cut short");
  }
  base::ByteReader in(bytes);
  decode_xattrs(in, entry);
  places_.pop_front();
}

}  // namespace rota::tree
