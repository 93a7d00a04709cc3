#include "chain/piece.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {
/// The index is small and read often: a higher level than content costs little and saves some.
constexpr int kIndexLevel = 6;
}  // namespace

PieceWriter::PieceWriter(PutObject put, OnBlock on_block)
    : put_(std::move(put)), on_block_(std::move(on_block)), compressor_(kIndexLevel) {}

void PieceWriter::add(const IndexRecord& record, const BlockEncoder::Resolve& resolve) {
  encoder_.add(record, resolve, [this] { flush_block(); });
  ++entries_;
  if (encoder_.full()) flush_block();
}

void PieceWriter::flush_block() {
  BlockRow row;
  row.first_path = encoder_.first_path();
  const base::Bytes packed = compressor_.pack(encoder_.take());
  if (object_.empty()) object_ = object_header(ObjectType::index);
  row.object = object_number_;
  row.position = static_cast<std::uint32_t>(object_.size());
  row.size = static_cast<std::uint32_t>(packed.size());
  object_.insert(object_.end(), packed.begin(), packed.end());
  on_block_(row);
  blocks_.push_back(std::move(row));
  if (object_.size() >= kIndexObjectSize) put_(object_number_++, std::exchange(object_, {}));
}

void PieceWriter::finish() {
  if (!encoder_.empty()) flush_block();
  if (!object_.empty()) put_(object_number_++, std::exchange(object_, {}));
}

IndexObjects::IndexObjects(store::Store& store, std::string chain, std::string copies,
                           bool decrypted)
    : store_(store), chain_(std::move(chain)), copies_(std::move(copies)), decrypted_(decrypted) {}

std::string IndexObjects::copy_path(const std::string& run, std::uint32_t number) const {
  return fmt::format("{}/{}/i{:06}", copies_, run, number);
}

std::string IndexObjects::describe(const std::string& run, std::uint32_t number) const {
  return index_name(chain_, run, number);
}

base::Bytes IndexObjects::read(const std::string& run, std::uint32_t number, std::uint64_t position,
                               std::size_t size) {
  base::Bytes bytes(size);
  if (!copies_.empty()) {
    const std::string path = copy_path(run, number);
    try {
      const base::Fd fd = base::open_for_reading(path);
      if (base::read_at(fd.get(), bytes, position, path) == size) return bytes;
      distrust(run, number);
    } catch (const Error&) {
      // No copy, or one that cannot be read: the store has the object.
    }
  }
  const std::string name = index_name(chain_, run, number);
  {
    const std::lock_guard lock(mutex_);
    if (const auto held = held_.find(name); held != held_.end()) {
      if (position > held->second.size || size > held->second.size - position ||
          base::read_at(held_file_.get(), bytes, held->second.position + position,
                        "a temporary file") != size) {
        throw Error(ErrorKind::corrupt, "it ends too early");
      }
      return bytes;
    }
    for (const Part& part : kept_) {
      if (part.name == name && part.position == position && part.bytes.size() == size) {
        return part.bytes;
      }
    }
    if (missing_.contains(name)) {
      throw Error(ErrorKind::corrupt, fmt::format("{} does not have it", store_.description()));
    }
  }
  try {
    store_.read(name, position, bytes);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    const std::lock_guard lock(mutex_);
    missing_.insert(name);
    throw Error(ErrorKind::corrupt, fmt::format("{} does not have it", store_.description()));
  }
  if (size <= kKeptSize) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() == kKept) kept_.pop_front();
    kept_.push_back({name, position, bytes});
  }
  return bytes;
}

bool IndexObjects::distrust(const std::string& run, std::uint32_t number) {
  if (copies_.empty() || !base::exists(copy_path(run, number))) return false;
  base::real_files().unlink(copy_path(run, number));
  return true;
}

void IndexObjects::hold(const std::string& run, std::uint32_t number,
                        std::span<const std::byte> object) {
  const std::lock_guard lock(mutex_);
  if (!held_file_.valid()) held_file_ = base::open_temporary();
  base::real_files().write_all(held_file_.get(), object, "a temporary file");
  held_[index_name(chain_, run, number)] = {held_end_, object.size()};
  held_end_ += object.size();
}

void IndexObjects::copy(const std::string& run, const Piece& piece) {
  for (const ObjectRow& object : piece.objects) {
    const std::string path = copy_path(run, object.number);
    if (base::exists(path)) continue;
    base::Bytes bytes;
    try {
      bytes = store_.get(index_name(chain_, run, object.number), store::kMaxObject);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) throw;
      throw Error(
          ErrorKind::corrupt,
          fmt::format("{} is missing from {}", describe(run, object.number), store_.description()));
    }
    if (!decrypted_ && base::sha256(bytes) != object.sha256) {
      throw Error(ErrorKind::corrupt,
                  fmt::format("{} in {} is damaged; run `rota verify --data` to see what else is",
                              describe(run, object.number), store_.description()));
    }
    base::real_files().make_directories(base::parent_directory(path), 0700);
    base::AtomicFile file(path);
    file.write(bytes);
    file.commit();
  }
}

bool LostRange::ends_before(std::string_view path) const {
  if (!end) return false;
  const auto order = tree::compare_paths(*end, path);
  return with_end ? order < 0 : order <= 0;
}

std::string LostRange::words() const {
  const auto shown = [](const std::string& path) {
    return path.empty() ? std::string("the root") : base::printable(path);
  };
  if (!end) return fmt::format("from {} to the end of the tree", shown(first));
  return fmt::format("from {} to {}{}", shown(first), shown(*end), with_end ? " (included)" : "");
}

PieceCursor::PieceCursor(IndexObjects& objects, const std::string& run, const Piece& piece,
                         bool scan, bool skip)
    : objects_(objects), run_(run), piece_(piece), scan_(scan), skip_(skip) {}

void PieceCursor::seek(const std::string& from) {
  from_ = from;
  decoder_.reset();
  losing_.reset();
  lost_.clear();
  unfinished_.clear();
  // The last block that starts at or before the path; a long file's blocks start with the same one.
  const auto after = std::partition_point(
      piece_.blocks.begin(), piece_.blocks.end(),
      [&](const BlockRow& row) { return tree::compare_paths(row.first_path, from) < 0; });
  next_block_ = static_cast<std::size_t>(after - piece_.blocks.begin());
  if (next_block_ > 0) --next_block_;
}

base::Bytes PieceCursor::block_bytes(const BlockRow& row) {
  const std::uint64_t own_end = std::uint64_t{row.position} + row.size;
  const bool inside = !window_.empty() && window_object_ == row.object &&
                      row.position >= window_start_ && own_end <= window_start_ + window_.size();
  if (!inside) {
    std::uint64_t end = own_end;
    for (std::size_t i = next_block_; scan_ && i < piece_.blocks.size(); ++i) {
      const BlockRow& more = piece_.blocks[i];
      if (more.object != row.object || more.position != end ||
          end + more.size - row.position > kWindow) {
        break;
      }
      end += more.size;
    }
    const auto fetch = [&](std::uint64_t to) {
      window_ = objects_.read(run_, row.object, row.position,
                              static_cast<std::size_t>(to - row.position));
    };
    try {
      fetch(end);
    } catch (const Error& error) {
      // An object that is cut short behind this block.
      if (error.kind() != ErrorKind::corrupt || end == own_end) throw;
      fetch(own_end);
    }
    window_object_ = row.object;
    window_start_ = row.position;
  }
  const auto packed = std::span<const std::byte>(window_).subspan(
      static_cast<std::size_t>(row.position - window_start_), row.size);
  return unpack(packed, kMaxBlock);
}

bool PieceCursor::load_block() {
  if (next_block_ >= piece_.blocks.size()) return false;
  const BlockRow& row = piece_.blocks[next_block_++];
  for (;;) {
    try {
      decoder_.emplace(block_bytes(row));
      if (losing_) end_lost(row.first_path, decoder_->begins_inside());
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::corrupt || !objects_.distrust(run_, row.object)) throw;
      window_.clear();
    }
  }
}

bool PieceCursor::next(IndexRecord& record) {
  for (;;) {
    try {
      if (read(record)) return true;
      if (losing_) end_lost(std::nullopt, false);
      return false;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::corrupt || next_block_ == 0) throw;
      const BlockRow& row = piece_.blocks[next_block_ - 1];
      const std::string what =
          fmt::format("the index object {} is damaged at byte {}: {}",
                      objects_.describe(run_, row.object), row.position, error.what());
      if (!skip_) throw Error(ErrorKind::corrupt, what);
      lose(what);
    }
  }
}

/// The block that was read last is lost, and the file whose extents break off there.
void PieceCursor::lose(const std::string& what) {
  decoder_.reset();
  if (!losing_) {
    losing_ = LostRange{piece_.blocks[next_block_ - 1].first_path, std::nullopt, false, what};
    if (!unfinished_.empty() && tree::compare_paths(unfinished_, losing_->first) < 0) {
      losing_->first = unfinished_;
    }
  }
  unfinished_.clear();
}

void PieceCursor::end_lost(std::optional<std::string> end, bool with_end) {
  losing_->end = std::move(end);
  losing_->with_end = with_end;
  if (from_.empty() || !losing_->ends_before(from_)) lost_.push_back(std::move(*losing_));
  losing_.reset();
}

bool PieceCursor::read(IndexRecord& record) {
  for (;;) {
    bool more = false;
    if (!decoder_ || !decoder_->next(record, more)) {
      if (!load_block()) return false;
      continue;
    }
    record_block_ = next_block_ - 1;
    if (more) unfinished_ = record.entry.path;
    while (more) {
      if (!decoder_->continue_extents(record, more) && !load_block()) {
        throw Error(ErrorKind::corrupt, "the extents of a file break off in the index");
      }
    }
    unfinished_.clear();
    if (!from_.empty() && tree::compare_paths(record.entry.path, from_) < 0) continue;
    from_.clear();
    return true;
  }
}

IndexView::IndexView(IndexObjects& objects, const RunRecord& record, bool scan,
                     std::size_t first_piece, OnLost lost)
    : lost_(std::move(lost)) {
  for (std::size_t i = first_piece; i < record.pieces.size(); ++i) {
    const Piece& piece = record.pieces[i];
    heads_.push_back(
        {PieceCursor(objects, record.runs.at(piece.run), piece, scan, lost_ != nullptr),
         {},
         false,
         {}});
  }
}

void IndexView::seek(const std::string& from) {
  for (Head& head : heads_) {
    head.cursor.seek(from);
    head.lost.clear();
  }
  primed_ = false;
}

void IndexView::advance(Head& head) {
  head.has = head.cursor.next(head.record);
  for (LostRange& range : head.cursor.take_lost()) {
    lost_(range);
    head.lost.push_back(std::move(range));
  }
}

/// True when a newer piece than `from` has lost its word on this path. Paths come in order.
bool IndexView::suspect(const Head& from, const std::string& path) {
  for (auto head = heads_.rbegin(); &*head != &from; ++head) {
    while (!head->lost.empty() && head->lost.front().ends_before(path)) head->lost.pop_front();
    if (!head->lost.empty() && head->lost.front().contains(path)) return true;
  }
  return false;
}

bool IndexView::next(IndexRecord& record, bool keep_removed) {
  if (!primed_) {
    for (Head& head : heads_) advance(head);
    primed_ = true;
  }
  for (;;) {
    Head* best = nullptr;
    for (Head& head : heads_) {
      if (!head.has) continue;
      const auto order = best == nullptr
                             ? std::strong_ordering::less
                             : tree::compare_paths(head.record.entry.path, best->record.entry.path);
      // Pieces stand oldest first: an equal path in a later one is newer.
      if (order < 0) {
        best = &head;
      } else if (order == 0) {
        advance(*best);
        best = &head;
      }
    }
    if (best == nullptr) return false;
    std::swap(record, best->record);
    advance(*best);
    if (suspect(*best, record.entry.path)) continue;
    if (!record.removed || keep_removed) return true;
  }
}

std::optional<IndexRecord> IndexView::find(IndexObjects& objects, const RunRecord& record,
                                           const std::string& path) {
  // Newest first: the first piece that says anything decides, and the rest is not read.
  for (auto piece = record.pieces.rbegin(); piece != record.pieces.rend(); ++piece) {
    PieceCursor cursor(objects, record.runs.at(piece->run), *piece, false, true);
    cursor.seek(path);
    IndexRecord found;
    const bool has = cursor.next(found);
    for (const LostRange& range : cursor.take_lost()) {
      if (range.contains(path)) throw Error(ErrorKind::corrupt, range.what);
    }
    if (!has || found.entry.path != path) continue;
    if (found.removed) return std::nullopt;
    return found;
  }
  return std::nullopt;
}

}  // namespace rota::chain
