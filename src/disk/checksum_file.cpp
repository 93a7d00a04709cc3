#include "disk/checksum_file.h"

#include "disk/small_file.h"

namespace rota::disk {

namespace {
constexpr std::size_t kBuffer = 128 << 10;
}

std::string escape_name(std::string_view name) {
  std::string text;
  text.reserve(name.size());
  for (const char c : name) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else {
      text += c;
    }
  }
  return text;
}

std::string unescape_name(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '\\' || next == 'n' || next == 'r') {
      name += next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
      ++i;
    } else {
      name += text[i];
    }
  }
  return name;
}

ChecksumFile::ChecksumFile(base::Fd file, std::string shown)
    : file_(std::move(file)), shown_(std::move(shown)) {
  buffer_.reserve(kBuffer + 3 * kMaxPath);
}

void ChecksumFile::add(const std::string& path, const base::Sha256Digest& digest) {
  if (path.size() > kMaxPath) {
    ++left_out_;
    return;
  }
  const bool escaped = path.find_first_of("\\\n\r") != std::string::npos;
  if (escaped) buffer_ += '\\';
  buffer_ += base::to_hex(digest);
  buffer_ += "  ";
  buffer_ += escaped ? escape_name(path) : path;
  buffer_ += '\n';
  if (buffer_.size() >= kBuffer) flush();
}

void ChecksumFile::flush() {
  const auto bytes = base::as_bytes(buffer_);
  hasher_.update(bytes);
  write_all(file_.get(), bytes, shown_);
  buffer_.clear();
}

base::Sha256Digest ChecksumFile::finish() {
  flush();
  sync_file(file_.get(), shown_);
  return hasher_.finish();
}

}  // namespace rota::disk
