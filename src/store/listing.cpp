#include "store/listing.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace rota::store {

namespace {

using Entry = Folder::Entry;

class Lister {
 public:
  Lister(const std::string& prefix, const std::string& after, std::size_t limit)
      : prefix_(prefix), after_(after), limit_(limit) {}

  /// base: the full name of the directory, with '/' at its end, or "". One of base and the prefix
  /// starts with the other. False when the page is full and something follows.
  bool visit(Folder& folder, const std::string& base) {
    for (const Entry& entry : entries(folder, base)) {
      const bool go_on =
          entry.is_directory() ? descend(folder, base, entry.key) : take(folder, base, entry);
      if (!go_on) return false;
    }
    return true;
  }

  Page take_page() { return std::move(page_); }

 private:
  std::vector<Entry> entries(Folder& folder, const std::string& base) const {
    // While the prefix names directories, only one of each matters: a directory of thousands is
    // not read for it.
    if (prefix_.size() > base.size()) {
      const std::size_t slash = prefix_.find('/', base.size());
      if (slash != std::string::npos) {
        std::string key = prefix_.substr(base.size(), slash + 1 - base.size());
        if (!is_wanted(base, key)) return {};
        return {Entry{std::move(key), {}}};
      }
    }
    std::vector<Entry> found =
        folder.entries([&](const std::string& key) { return is_wanted(base, key); });
    std::sort(found.begin(), found.end(),
              [](const Entry& a, const Entry& b) { return a.key < b.key; });
    return found;
  }

  bool is_wanted(const std::string& base, const std::string& key) const {
    const std::string full = base + key;
    if (full.ends_with('/')) {
      const bool may_hold_prefix = full.starts_with(prefix_) || prefix_.starts_with(full);
      const bool may_hold_later = full > after_ || after_.starts_with(full);
      return may_hold_prefix && may_hold_later &&
             is_name(std::string_view(full).substr(0, full.size() - 1));
    }
    return full.starts_with(prefix_) && full > after_ && is_name(full);
  }

  bool descend(Folder& folder, const std::string& base, const std::string& key) {
    const std::unique_ptr<Folder> child = folder.open(key.substr(0, key.size() - 1));
    return !child || visit(*child, base + key);
  }

  bool take(Folder& folder, const std::string& base, const Entry& entry) {
    const std::optional<std::uint64_t> size = entry.size ? entry.size : folder.size_of(entry.key);
    if (!size) return true;
    if (page_.objects.size() == limit_) {
      page_.more = true;
      return false;
    }
    page_.objects.push_back({base + entry.key, *size, ""});
    return true;
  }

  const std::string& prefix_;
  const std::string& after_;
  const std::size_t limit_;
  Page page_;
};

}  // namespace

Page list_tree(Folder& root, const std::string& prefix, const std::string& after,
               std::size_t limit) {
  Lister lister(prefix, after, limit);
  if (limit > 0) lister.visit(root, "");
  return lister.take_page();
}

}  // namespace rota::store
