// Writes the first files of each target's corpus, with rota's own writers:
//   ninja -C build fuzz_seeds && build/bin/fuzz_seeds tests/fuzz/corpus
#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "chain/index_samples.h"
#include "chain/record.h"
#include "chain/signature.h"
#include "profile/settings.h"

using namespace rota;

namespace {

std::filesystem::path corpus;

void write(const std::string& target, const std::string& name, std::string_view bytes) {
  std::filesystem::create_directories(corpus / target);
  std::ofstream(corpus / target / name, std::ios::binary) << bytes;
}
void write(const std::string& target, const std::string& name, const base::Bytes& bytes) {
  write(target, name, base::as_text(bytes));
}

base::Bytes numbered(std::size_t width, std::size_t number, std::span<const std::byte> rest) {
  base::Bytes bytes;
  for (std::size_t i = width; i-- > 0;) bytes.push_back(static_cast<std::byte>(number >> (8 * i)));
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

void records() {
  chain::RunRecord record;
  record.chain = record.run = "20260104T030000Z-7f3a9c";
  record.runs = {record.run};
  record.time = *chain::run_time(record.run);
  record.source = "/srv/a b";
  record.host = "host";
  record.program = "rota 0.1.0";
  record.objects = {{chain::ObjectType::volume, 0, 4711, {}, ""},
                    {chain::ObjectType::index, 0, 900, {}, ""}};
  record.pieces = {{0, 1, 12, {record.objects[1]}, {{0, 16, 400, ""}, {0, 416, 300, "etc/\xff"}}}};
  const auto put = [&](const char* name) {
    const base::Bytes object = chain::encode(record);
    write("record", name, chain::unpack(std::span(object).subspan(chain::kHeaderSize), 1 << 20));
  };
  put("full");
  record.kind = chain::RunKind::increment;
  record.parent = record.run;
  record.parent_sha256.emplace();
  record.run = "20260105T030000Z-000001";
  record.runs.push_back(record.run);
  record.time = *chain::run_time(record.run);
  record.pieces.push_back({1, 1, 1, {record.objects[1]}, {{0, 16, 40, "etc"}}});
  put("increment");
  write("names", "full", "runs/20260104T030000Z-7f3a9c/20260104T030000Z-7f3a9c.full");
  write("names", "increment", "runs/20260104T030000Z-7f3a9c/20260105T030000Z-000001.incr");
  write("names", "run", record.run);
  write("names", "path", chain::percent_encode("a b\xff%"));
}

void blocks() {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    test::IndexSamples samples(seed);
    std::vector<base::Bytes> blocks;
    chain::BlockEncoder out;
    const auto close = [&] { blocks.push_back(out.take()); };
    for (const std::string& path : samples.paths(6)) {
      out.add(
          samples.record(path, 20), [](chain::Extent extent) { return extent; }, close);
    }
    close();
    write("block", "sample" + std::to_string(seed), numbered(2, blocks[0].size(), blocks[0]));
  }
  // A file whose extents go on, in the same block and in the next.
  test::IndexSamples samples(99);
  chain::IndexRecord record;
  record.entry.path = "large";
  record.entry.kind = tree::EntryKind::file;
  record.entry.size = 1;
  record.entry.digest.emplace();
  record.extents = samples.extents(chain::kExtentsPerRecord + 3);
  chain::BlockEncoder out;
  out.add(
      record, [](chain::Extent extent) { return extent; }, [] {});
  const base::Bytes block = out.take();
  write("block", "continued", numbered(2, block.size(), block));
}

void frames() {
  test::Chance chance(1);
  chain::Compressor compressor(3);
  const std::string text = "all work and no play makes a backup tool. ";
  for (const base::Bytes& raw :
       {base::Bytes(), base::Bytes(300), chance.bytes(40),
        base::Bytes(base::as_bytes(text).begin(), base::as_bytes(text).end())}) {
    const base::Bytes packed = compressor.pack(raw);
    write("frame", "packed" + std::to_string(raw.size()), packed);
    base::Bytes object = chain::object_header(chain::ObjectType::volume);
    object.insert(object.end(), packed.begin(), packed.end());
    write("frame", "object" + std::to_string(raw.size()), object);
  }
}

void deltas() {
  using namespace std::string_view_literals;
  // piece, old size, magic, then: literals of one length byte, copies of several widths, the end
  write("delta", "mixed", "\3\0\0\x10\0rs\x02\x36\3abc\x45\0\x10\x4a\1\0\0\x20\0"sv);
  write("delta", "wide", "\0\0\1\0\0rs\x02\x36\x41\2xy\x54\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\5\0"sv);
  write("delta", "beyond", "\0\0\0\0\x10rs\x02\x36\x45\x0f\2\0"sv);
  write("delta", "empty", "\0\0\0\0\0rs\x02\x36\0"sv);
  test::Chance chance(2);
  base::Bytes old = chance.bytes(1500);
  chain::SignatureWriter writer({512, 1024});
  base::Sha256 hasher;
  for (const auto chunk : {std::span(old).first(600), std::span(old).subspan(600)}) {
    writer.update(chunk);
    writer.end_chunk(chain::chunk_hash(hasher, chunk));
  }
  base::Bytes signature = writer.finish();
  old.insert(old.begin() + 700, std::byte{7});
  const std::size_t size = signature.size();
  signature.insert(signature.end(), old.begin(), old.end());
  write("signature", "loaded", numbered(2, size, signature));
  write("signature", "old-and-new", numbered(2, 700, old));
  write("signature", "none", numbered(2, 0, {}));
}

void texts() {
  using namespace std::string_view_literals;
  write("exclude", "usual",
        "# what is made anew\n- /tmp\n+ /var/tmp/keep\n- /var/*\n- **/[!a-c]?.o/\n"
        "- ignorecase:**.BAK\n- \"/a b \"\n\0/tmp\0/var/tmp/keep/x\0/a/b/d1.o\0/x.bak\0"sv);
  write("exclude", "wrong", "- /tmp\n-nothing\n"sv);
  write("exclude", "brackets", "- /[]a-]*/**/x\n+ /**\0/a/b/x\0"sv);
  std::string all;
  for (const profile::Setting& setting : profile::settings()) {
    all += fmt::format("{} = {}\n", setting.key, setting.value);
  }
  write("profile", "all", all);
  write("profile", "unknown", "target = \"/b\"\nmax_aeg = \"1Y\"\n");
  write("profile", "wrong", "source = \"a\\nb\"\ntarget = 1\n");
  write("profile", "no-toml", "target = soon\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  corpus = argv[1];
  records();
  blocks();
  frames();
  deltas();
  texts();
}
