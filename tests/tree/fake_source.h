#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "tree/source.h"

namespace rota::tree {

/// A source that gives what it is told to, true or not.
class FakeSource final : public Source {
 public:
  FakeSource() { add("", EntryKind::directory); }
  /// Without even a root.
  struct Empty {};
  explicit FakeSource(Empty) {}

  Entry& add(const std::string& path, EntryKind kind, const std::string& target = "") {
    Entry entry;
    entry.path = path;
    entry.kind = kind;
    entry.mode = kind == EntryKind::directory ? 0755 : 0644;
    entry.uid = ::geteuid();
    entry.gid = ::getegid();
    entry.mtime = {1'000'000'000, 5};
    entry.target = target;
    items_.push_back({std::move(entry), "", nullptr, nullptr});
    return items_.back().entry;
  }
  Entry& add_file(const std::string& path, const std::string& text, bool with_digest = false) {
    Entry& entry = add(path, EntryKind::file);
    entry.size = text.size();
    if (with_digest) entry.digest = base::sha256(base::as_bytes(text));
    items_.back().text = text;
    return entry;
  }
  /// The file that was added last: `action` runs when its content is read, before the end of it.
  void on_read(std::function<void()> action) { items_.back().on_read = std::move(action); }
  /// The file that was added last: `action` runs when it is opened.
  void on_open(std::function<void()> action) { items_.back().on_open = std::move(action); }
  /// The file that was added last says so many times that it changed while it was read.
  void changes(int times) { items_.back().changes = times; }
  /// What is read instead of what the digest was made of.
  void set_text(const std::string& text) { items_.back().text = text; }

  std::size_t given() const { return next_; }

  bool next(Entry& entry) override {
    if (next_ == items_.size()) return false;
    entry = items_[next_++].entry;
    return true;
  }
  bool complete(Entry&) override { return true; }
  std::unique_ptr<Content> open(Entry& entry) override {
    for (Item& item : items_) {
      if (item.entry.path == entry.path && item.entry.is_file()) {
        if (item.on_open) item.on_open();
        return std::make_unique<Text>(item);
      }
    }
    return nullptr;
  }

 private:
  struct Item {
    Entry entry;
    std::string text;
    std::function<void()> on_read;
    std::function<void()> on_open;
    int changes = 0;
  };

  class Text final : public Content {
   public:
    explicit Text(Item& item) : item_(item) {}
    std::optional<Segment> next_segment() override {
      if (started_ || item_.text.empty()) return std::nullopt;
      started_ = true;
      return Segment{false, item_.text.size()};
    }
    std::size_t read(std::span<std::byte> buffer) override {
      const std::size_t n = std::min(buffer.size(), item_.text.size() - at_);
      if (n > 0) std::memcpy(buffer.data(), item_.text.data() + at_, n);
      at_ += n;
      if (n == 0 && item_.on_read) item_.on_read();
      return n;
    }
    bool unchanged() override { return item_.changes-- <= 0; }

   private:
    Item& item_;
    bool started_ = false;
    std::size_t at_ = 0;
  };

  std::vector<Item> items_;
  std::size_t next_ = 0;
};

}  // namespace rota::tree
