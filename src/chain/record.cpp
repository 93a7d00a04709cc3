#include "chain/record.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "tree/entry.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

namespace {

/// Lines of records are flat: a tree that goes deeper is meant to cost memory.
constexpr int kMaxDepth = 8;

/// One line each, so that neither writer nor reader holds the whole as a JSON tree.
class Lines {
 public:
  void add(const json& value) {
    text_ += value.dump(-1, ' ', false, json::error_handler_t::strict);
    text_ += '\n';
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string hex_of(const base::Sha256Digest& digest) { return base::to_hex(digest); }

json object_line(const char* key, const ObjectRow& object) {
  return {{key, fmt::format("{}{:06}", static_cast<char>(object.type), object.number)},
          {"size", object.size},
          {"sha256", hex_of(object.sha256)},
          {"hash", object.store_hash}};
}

/// get() alone would take negative numbers and fractions, and give others.
std::uint64_t number64(const json& value) {
  if (!value.is_number_unsigned()) {
    throw Error(ErrorKind::corrupt, "something else stands where a number should");
  }
  return value.get<std::uint64_t>();
}

std::uint32_t number32(const json& value) {
  const std::uint64_t number = number64(value);
  if (number > UINT32_MAX) throw Error(ErrorKind::corrupt, "a number is larger than it may be");
  return static_cast<std::uint32_t>(number);
}

base::Sha256Digest digest_of(const json& value) {
  base::Sha256Digest digest;
  base::from_hex(value.get_ref<const std::string&>(), digest);
  return digest;
}

ObjectRow parse_object(const json& line, const char* key) {
  ObjectRow object;
  const auto& name = line.at(key).get_ref<const std::string&>();
  if (name.size() < 7 || name.size() > 11 || (name[0] != 'v' && name[0] != 'i' && name[0] != 'f') ||
      name.find_first_not_of("0123456789", 1) != std::string::npos) {
    throw Error(ErrorKind::corrupt, "an object's name has another form");
  }
  object.type = static_cast<ObjectType>(name[0]);
  object.number = number32(json(std::stoull(name.substr(1))));
  object.size = number64(line.at("size"));
  object.sha256 = digest_of(line.at("sha256"));
  object.store_hash = line.at("hash").get<std::string>();
  return object;
}

store::HashKind parse_hash_kind(const std::string& name) {
  for (const auto kind : {store::HashKind::none, store::HashKind::sha1, store::HashKind::md5}) {
    if (store::hash_name(kind) == name) return kind;
  }
  throw Error(ErrorKind::corrupt, "the kind of the store's hash is unknown");
}

/// What has an encoding of its own stands in hexadecimal.
template <typename Value>
std::string to_text(const Value& value) {
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  value.encode(out);
  return base::to_hex(bytes);
}

template <typename Value>
Value from_text(const json& value) {
  const auto& text = value.get_ref<const std::string&>();
  base::Bytes bytes(text.size() / 2);
  base::from_hex(text, bytes);
  base::ByteReader in(bytes);
  Value read = Value::decode(in);
  if (!in.at_end()) throw Error(ErrorKind::corrupt, "a key in it has another form");
  return read;
}

void parse_head(const json& head, RunRecord& record) {
  const std::uint64_t version = number64(head.at("version"));
  if (version > kFormatVersion) {
    throw Error(ErrorKind::config,
                fmt::format("it has format version {}, and this rota knows version {}; install a "
                            "newer rota",
                            version, kFormatVersion));
  }
  if (version == 0) throw Error(ErrorKind::corrupt, "its format version is unknown");
  record.run = head.at("run").get<std::string>();
  record.chain = head.at("chain").get<std::string>();
  const auto& kind = head.at("kind").get_ref<const std::string&>();
  if (kind != "full" && kind != "increment") throw Error(ErrorKind::corrupt, "its kind is unknown");
  record.kind = kind == "full" ? RunKind::full : RunKind::increment;
  record.runs = head.at("runs").get<std::vector<std::string>>();
  record.parent = head.at("parent").get<std::string>();
  if (!record.parent.empty()) record.parent_sha256 = digest_of(head.at("parent_sha256"));
  record.source = percent_decode(head.at("source").get_ref<const std::string&>());
  record.host = head.at("host").get<std::string>();
  record.program = head.at("program").get<std::string>();
  record.files = number64(head.at("files"));
  record.bytes = number64(head.at("bytes"));
  record.stored = number64(head.at("stored"));
  record.warnings = number64(head.at("warnings"));
  record.store_hash = parse_hash_kind(head.at("store_hash").get<std::string>());
  if (const std::string until = head.value("locked_until", ""); !until.empty()) {
    record.locked_until = base::parse_iso(until);
    if (!record.locked_until) throw Error(ErrorKind::corrupt, "it is locked until no real time");
  }
  if (const auto facts = head.find("facts"); facts != head.end() && !facts->is_null()) {
    record.facts = Facts{number32(facts->at("run")), digest_of(facts->at("sha256"))};
    if (record.facts->run >= record.runs.size()) {
      throw Error(ErrorKind::corrupt, "its system facts belong to no run");
    }
  }
  for (const json& recipient : head.value("recipients", json::array())) {
    record.recipients.push_back(from_text<Recipient>(recipient));
  }
  const auto time = run_time(record.run);
  const bool consistent =
      time && run_time(record.chain) && !record.runs.empty() &&
      record.runs.front() == record.chain && record.runs.back() == record.run &&
      (record.kind == RunKind::full) == record.parent.empty() &&
      (record.parent.empty()
           ? record.runs.size() == 1
           : record.runs.size() > 1 && record.runs[record.runs.size() - 2] == record.parent);
  for (const std::string& run : record.runs) {
    if (!run_time(run)) throw Error(ErrorKind::corrupt, "a run's name has another form");
  }
  std::vector<std::string> sorted = record.runs;
  std::ranges::sort(sorted);
  if (!consistent || std::ranges::adjacent_find(sorted) != sorted.end())
    throw Error(ErrorKind::corrupt, "its runs do not fit each other");
  record.time = *time;
}

/// What reads the index relies on this: objects by their place, blocks inside them and sorted.
void check_blocks(const Piece& piece) {
  for (std::size_t i = 0; i < piece.objects.size(); ++i) {
    const ObjectRow& object = piece.objects[i];
    if (object.type != ObjectType::index || object.number != i || object.size > store::kMaxObject) {
      throw Error(ErrorKind::corrupt, "the objects of its index do not fit each other");
    }
  }
  std::string_view before;
  for (const BlockRow& block : piece.blocks) {
    if (block.object >= piece.objects.size() || block.position < kHeaderSize || block.size == 0 ||
        std::uint64_t{block.position} + block.size > piece.objects[block.object].size) {
      throw Error(ErrorKind::corrupt, "a block of its index lies nowhere");
    }
    if (tree::compare_paths(block.first_path, before) < 0) {
      throw Error(ErrorKind::corrupt, "the blocks of its index are not in order");
    }
    before = block.first_path;
  }
}

void check_pieces(const RunRecord& record) {
  std::uint32_t last = 0;
  for (std::size_t i = 0; i < record.pieces.size(); ++i) {
    const Piece& piece = record.pieces[i];
    const bool ordered = i == 0 ? piece.run == 0 : piece.run > last;
    if (!ordered || piece.run >= record.runs.size()) {
      throw Error(ErrorKind::corrupt, "the parts of its index do not fit each other");
    }
    last = piece.run;
    check_blocks(piece);
  }
  if (record.pieces.empty()) throw Error(ErrorKind::corrupt, "it names no index");
  const bool keys_fit = std::ranges::all_of(record.envelopes, [&](const Envelope& envelope) {
    return envelope.wrapped.size() == record.recipients.size();
  });
  if (!keys_fit || record.recipients.size() > kMaxRecipients ||
      record.envelopes.size() != (record.encrypted() ? record.runs.size() : 0)) {
    throw Error(ErrorKind::corrupt, "its keys do not fit its runs");
  }
}

}  // namespace

std::string percent_encode(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c > ' ' && c <= '~' && c != '%') {
      text.push_back(c);
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

std::string percent_decode(std::string_view text) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    throw Error(ErrorKind::corrupt, "a path is not encoded as it should be");
  };
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) throw Error(ErrorKind::corrupt, "a path ends too early");
    bytes.push_back(static_cast<char>(digit(text[i + 1]) << 4 | digit(text[i + 2])));
    i += 2;
  }
  return bytes;
}

namespace {

/// Encrypted, it grows by keys and tags: 44 bytes for each 16 KiB, and envelopes.
constexpr std::size_t kMaxRecordObject = store::kMaxPut - (1 << 20);

/// Of an object's or a block's line at most: keys, numbers, digits of the SHA-256.
constexpr std::size_t kLineBytes = 160;

[[noreturn]] void refuse_size(const std::string& source) {
  throw Error(
      ErrorKind::refused,
      fmt::format("this run would have more objects than its record can name so that it can "
                  "be read again ({}): back up parts of {} in profiles of their own",
                  base::human_size(kMaxRecordText), base::printable(source)));
}

}  // namespace

void RecordRoom::take(std::size_t bytes) {
  std::size_t left = left_;
  do {
    if (left < bytes) refuse_size(source_);
  } while (!left_.compare_exchange_weak(left, left - bytes));
}

void RecordRoom::take(const ObjectRow& object) { take(kLineBytes + object.store_hash.size()); }

void RecordRoom::take(const BlockRow& block) {
  take(kLineBytes + percent_encode(block.first_path).size());
}

void RecordRoom::take(const Piece& piece) {
  for (const ObjectRow& object : piece.objects) take(object);
  for (const BlockRow& block : piece.blocks) take(block);
}

base::Bytes encode(const RunRecord& record) try {
  Lines lines;
  json facts;
  if (record.facts) {
    facts = {{"run", record.facts->run}, {"sha256", hex_of(record.facts->sha256)}};
  }
  json recipients = json::array();
  for (const Recipient& recipient : record.recipients) recipients.push_back(to_text(recipient));
  lines.add({{"format", "rota-run"},
             {"version", kFormatVersion},
             {"run", record.run},
             {"chain", record.chain},
             {"kind", kind_word(record.kind)},
             {"time", base::iso(record.time)},
             {"runs", record.runs},
             {"parent", record.parent},
             {"parent_sha256", record.parent_sha256 ? hex_of(*record.parent_sha256) : ""},
             {"source", percent_encode(record.source)},
             {"host", record.host},
             {"program", record.program},
             {"files", record.files},
             {"bytes", record.bytes},
             {"stored", record.stored},
             {"warnings", record.warnings},
             {"store_hash", store::hash_name(record.store_hash)},
             {"locked_until", record.locked_until ? base::iso(*record.locked_until) : ""},
             {"facts", std::move(facts)},
             {"recipients", std::move(recipients)}});
  for (const Envelope& envelope : record.envelopes) lines.add({{"key", to_text(envelope)}});
  for (const ObjectRow& object : record.objects) lines.add(object_line("object", object));
  for (const Piece& piece : record.pieces) {
    lines.add({{"piece", piece.run}, {"span", piece.span}, {"entries", piece.entries}});
    for (const ObjectRow& object : piece.objects) lines.add(object_line("index", object));
    for (const BlockRow& block : piece.blocks) {
      lines.add({{"block", percent_encode(block.first_path)},
                 {"at", {block.object, block.position, block.size}}});
    }
  }
  lines.add({{"end", true}});
  if (lines.text().size() > kMaxRecordText) refuse_size(record.source);
  base::Bytes bytes = object_header(ObjectType::record);
  const base::Bytes packed = Compressor(9).pack(base::as_bytes(lines.text()));
  bytes.insert(bytes.end(), packed.begin(), packed.end());
  if (bytes.size() > kMaxRecordObject) refuse_size(record.source);
  return bytes;
} catch (const json::exception&) {
  throw Error(ErrorKind::usage,
              fmt::format("the run record cannot hold the host's name {}: it is no UTF-8",
                          base::printable(record.host)));
}

namespace {

json parse_line(std::string_view text) {
  return json::parse(text, [](int depth, json::parse_event_t, const json&) {
    if (depth > kMaxDepth) throw Error(ErrorKind::corrupt, "its lines are nested too deeply");
    return true;
  });
}

/// The piece that a line of its parts belongs to.
Piece& current_piece(RunRecord& record) {
  if (record.pieces.empty()) {
    throw Error(ErrorKind::corrupt, "the parts of its index do not fit each other");
  }
  return record.pieces.back();
}

}  // namespace

RunRecord decode_record(std::span<const std::byte> data) {
  if (check_header(data, ObjectType::record) != 0) {
    throw Error(ErrorKind::corrupt, "it says that it is encrypted where it cannot be");
  }
  const base::Bytes raw = unpack(data.subspan(kHeaderSize), kMaxRecordText);
  std::string_view text = base::as_text(raw);
  RunRecord record;
  bool ended = false;
  bool first = true;
  try {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos || ended)
        throw Error(ErrorKind::corrupt, "it is cut short");
      const json line = parse_line(text.substr(0, end));
      text.remove_prefix(end + 1);
      if (first) {
        if (line.at("format") != "rota-run") throw Error(ErrorKind::corrupt, "it is no run record");
        parse_head(line, record);
        first = false;
      } else if (line.contains("key")) {
        record.envelopes.push_back(from_text<Envelope>(line.at("key")));
      } else if (line.contains("object")) {
        record.objects.push_back(parse_object(line, "object"));
      } else if (line.contains("piece")) {
        Piece piece;
        piece.run = number32(line.at("piece"));
        piece.span = number32(line.at("span"));
        piece.entries = number64(line.at("entries"));
        record.pieces.push_back(std::move(piece));
      } else if (line.contains("index")) {
        current_piece(record).objects.push_back(parse_object(line, "index"));
      } else if (line.contains("block")) {
        Piece& piece = current_piece(record);
        const json& at = line.at("at");
        BlockRow block{number32(at.at(0)), number32(at.at(1)), number32(at.at(2)),
                       percent_decode(line.at("block").get_ref<const std::string&>())};
        tree::check_path(block.first_path);
        piece.blocks.push_back(std::move(block));
      } else if (line.contains("end")) {
        ended = true;
      }
      // Lines of other kinds are for later versions that older readers may ignore.
    }
  } catch (const json::exception& error) {
    throw Error(ErrorKind::corrupt, fmt::format("it cannot be read: {}", error.what()));
  } catch (const std::out_of_range&) {
    throw Error(ErrorKind::corrupt, "a number in it is larger than it may be");
  }
  if (first || !ended) throw Error(ErrorKind::corrupt, "it is cut short");
  check_pieces(record);
  return record;
}

}  // namespace rota::chain
