#include "tree/compare.h"

#include <vector>

#include "base/signals.h"
#include "tree/zeros.h"

namespace rota::tree {

bool compute_digest(Source& source, Entry& entry, const std::stop_token& stop) {
  const std::unique_ptr<Content> content = source.open(entry);
  if (!content) return false;
  base::Sha256 hasher;
  std::vector<std::byte> buffer(256 << 10);
  while (const auto segment = content->next_segment()) {
    if (!segment->hole) {
      while (const std::size_t n = content->read(buffer)) {
        base::check_stop(stop);
        hasher.update(std::span(buffer).first(n));
      }
      continue;
    }
    hash_zeros(hasher, segment->length, stop);
  }
  entry.digest = hasher.finish();
  return true;
}

namespace {

std::string differing_fields(const Entry& a, const Entry& b) {
  std::string fields;
  const auto differ = [&](bool yes, const char* name) {
    if (!yes) return;
    if (!fields.empty()) fields += ", ";
    fields += name;
  };
  differ(a.mode != b.mode, "mode");
  differ(a.uid != b.uid, "owner");
  differ(a.gid != b.gid, "group");
  differ(a.mtime != b.mtime, "mtime");
  differ(a.target != b.target, "target");
  differ(a.device_major != b.device_major || a.device_minor != b.device_minor, "device");
  differ(a.xattrs != b.xattrs, "xattrs");
  return fields;
}

/// Everything of an entry that may be compared. A hard link has nothing of its own but its target.
void complete(Source& source, Entry& entry, Contents contents, const std::stop_token& stop) {
  if (entry.kind == EntryKind::hard_link) return;
  if (entry.is_file() && contents == Contents::read) {
    if (!entry.digest) compute_digest(source, entry, stop);
  } else {
    source.complete(entry);
  }
}

}  // namespace

void compare(Source& first, Source& second, const std::function<void(const Difference&)>& report,
             Contents contents, const std::stop_token& stop) {
  Entry a;
  Entry b;
  bool has_a = first.next(a);
  bool has_b = second.next(b);
  while (has_a || has_b) {
    auto order = std::strong_ordering::equal;
    if (!has_a) order = std::strong_ordering::greater;
    if (!has_b) order = std::strong_ordering::less;
    if (has_a && has_b) order = compare_paths(a.path, b.path);
    if (order < 0) {
      report({Change::removed, a, ""});
      has_a = first.next(a);
      continue;
    }
    if (order > 0) {
      report({Change::added, b, ""});
      has_b = second.next(b);
      continue;
    }
    complete(first, a, contents, stop);
    complete(second, b, contents, stop);
    const bool same_content = contents == Contents::trust || a.digest == b.digest;
    if (a.kind != b.kind) {
      report({Change::content, b, "kind"});
    } else if (a.is_file() && (a.size != b.size || !same_content)) {
      report({Change::content, b, "content"});
    } else if (a.kind == EntryKind::hard_link) {
      if (a.target != b.target) report({Change::metadata, b, "target"});
    } else if (const std::string fields = differing_fields(a, b); !fields.empty()) {
      report({Change::metadata, b, fields});
    }
    has_a = first.next(a);
    has_b = second.next(b);
  }
}

}  // namespace rota::tree
