// Writes the first files of each target's corpus, with rota's own writers:
//   ninja -C build fuzz_seeds && build/bin/fuzz_seeds tests/fuzz/corpus
#include <fcntl.h>
#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "chain/index_samples.h"
#include "chain/record.h"
#include "chain/signature.h"
#include "disk/copy_index.h"
#include "disk/copy_index_format.h"
#include "disk/copy_record.h"
#include "disk/scrub.h"
#include "ledger/disk_samples.h"
#include "ledger/export.h"
#include "profile/settings.h"
#include "store/sftp_client.h"

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
  write("rotation", "all",
        "[set.a]\ndisks = [\"A\", \"B\"]\ninterval = \"1M\"\nprofiles = [\"web\"]\nplace = "
        "\"bank\"\ntransit = \"3D\"\nmax_age = \"1Y\"\nkeep = 6\nreplace_after = \"2Y\"\n"
        "scrub_budget = \"30m\"\nreserve = \"1G\"\nkey_file = \"/k\"\nallow_fixed = true\n"
        "[set.b]\n[disk.A]\nprofiles = [\"web\"]\n");
  write("rotation", "twice", "[set.a]\ndisks = [\"A\"]\n[set.b]\ndisks = [\"A\"]\n");
  write("rotation", "no-table", "set = 1\n");
}

void ledger_exports() {
  const std::filesystem::path file = corpus / "ledger.db";
  {
    ledger::Ledger ledger(file);
    write("ledger_export", "empty", ledger::export_json(ledger, {}));
    ledger::Disks disks(ledger);
    const base::Instant now = test::when("2026-10-24T10:00:00Z");
    disks.add(test::some_disk("B"), now);
    const ledger::CopyRow copy = test::some_copy("B", "20261024T030000Z");
    disks.put_copy(copy, now);
    disks.claim(test::claimed("B", ledger::Claimed::off_site, "2026-10-24T10:00:00Z", "bank"), now);
    disks.observe(test::seen("B", ledger::Observed::connected, "2026-10-25T10:00:00Z"));
    ledger::CheckRow check;
    check.disk = copy.disk;
    check.server = copy.server;
    check.snapshot = copy.snapshot;
    check.time = now;
    disks.add_check(check);
    write("ledger_export", "all", ledger::export_json(ledger, {}));
    write("ledger_export", "without-people", ledger::export_json(ledger, {.people = false}));
    disks.add(test::some_disk("C"), now);
    write("ledger_export", "withheld", ledger::export_json(ledger, {.people = false, .disk = "B"}));
  }
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + end);
}

/// What a good server says in the three conversations of the target, requests counted from 0.
class Says {
 public:
  explicit Says(char conversation) : bytes_{static_cast<std::byte>(conversation)} {
    add(store::SftpPacket(2)
            .u32(3)
            .string(store::SftpClient::kPosixRename)
            .string("1")
            .string(store::SftpClient::kFsync)
            .string("1"));
  }
  Says& add(store::SftpPacket& packet) {
    const auto more = packet.finish();
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  Says& status(std::uint32_t id, std::uint32_t code) {
    return add(store::SftpPacket(101).u32(id).u32(code).string("words").string(""));
  }
  Says& handle(std::uint32_t id) { return add(store::SftpPacket(102).u32(id).string("h")); }
  const base::Bytes& bytes() const { return bytes_; }

 private:
  base::Bytes bytes_;
};

void sftp() {
  constexpr std::uint32_t kAll = 0x0f;  // size, owner, mode, times
  const auto attributes = [](store::SftpPacket& packet, std::uint32_t mode) -> store::SftpPacket& {
    return packet.u32(kAll).u64(5).u64(0).u32(mode).u64(1'800'000'000);
  };
  const auto file = [&](store::SftpPacket& packet, const char* name,
                        std::uint32_t mode) -> store::SftpPacket& {
    return attributes(packet.string(name).string("ls"), mode);
  };
  const auto end = [](Says& says, std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t id = first; id <= last; ++id) says.status(id, 1);
  };

  Says list('\0');
  store::SftpPacket top(104);
  file(file(top.u32(1).u32(2), "runs", 0040700), "b", 0100600);
  list.handle(0).add(top);
  end(list, 2, 5);
  store::SftpPacket look(105);
  list.add(attributes(look.u32(6), 0040700)).handle(7);
  store::SftpPacket below(104);
  list.add(file(below.u32(8).u32(1), "1", 0100600));
  end(list, 9, 12);
  write("sftp", "list", list.bytes());

  Says read('\1');
  read.add(store::SftpPacket(103).u32(0).string("hello")).status(1, 1);
  write("sftp", "read", read.bytes());

  Says put('\2');
  store::SftpPacket newest(105);
  put.handle(0).add(attributes(newest.u32(1), 0100600)).handle(2);
  end(put, 3, 6);
  for (std::uint32_t id = 7; id < 20; ++id) {
    if (id == 10 || id == 11) {
      put.handle(id);
    } else {
      put.status(id, 0);
    }
  }
  write("sftp", "put", put.bytes());
}

void s3_answers() {
  const auto answer = [](const char* name, const std::string& root, const std::string& inner) {
    write("s3_xml", name, fmt::format("<?xml version=\"1.0\"?><{0}>{1}</{0}>", root, inner));
  };
  const std::string row =
      "<Key>a%2Fb+c</Key><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>17</Size>";
  const std::string version =
      "<VersionId>v1</VersionId><IsLatest>true</IsLatest>"
      "<LastModified>2026-01-04T03:00:00.000Z</LastModified>";
  const std::string page = "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>";
  answer("listing", "ListBucketResult",
         page + "<NextContinuationToken>t</NextContinuationToken><Contents>" + row + "</Contents>");
  answer("versions", "ListVersionsResult",
         page + "<NextKeyMarker>a</NextKeyMarker><Version>" + row + version +
             "</Version><DeleteMarker><Key>b</Key>" + version + "</DeleteMarker>");
  answer("error", "Error", "<Code>SlowDown</Code><Message><![CDATA[x]]></Message>");
  answer("location", "LocationConstraint", "eu-central-1");
  answer("versioning", "VersioningConfiguration", "<Status>Enabled</Status>");
  answer("lock", "ObjectLockConfiguration",
         "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE"
         "</Mode><Years>1</Years></DefaultRetention></Rule>");
  answer("lifecycle", "LifecycleConfiguration",
         "<Rule><Status>Enabled</Status><Filter><And><Prefix>a</Prefix></And></Filter><Expiration>"
         "<Days>1</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>2"
         "</NoncurrentDays></NoncurrentVersionExpiration></Rule>");
  write("s3_xml", "entities",
        "<!DOCTYPE x [<!ENTITY a \"&b;&b;\">]><Error><Code>&a;</Code></Error>");
}

void copies() {
  const std::string path = (corpus / "copy_index" / "file").string();
  std::filesystem::create_directories(corpus / "copy_index");
  disk::CopyIndexWriter writer(base::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644)),
                               path);
  base::Bytes block{std::byte{1}};
  tree::EntryEncoder encoder;
  const auto add = [&](const char* name, tree::EntryKind kind, std::int64_t born, bool noise) {
    disk::CopyEntry line;
    line.entry.path = name;
    line.entry.kind = kind;
    line.entry.mode = 0644;
    line.entry.user = "root";
    line.entry.mtime = line.entry.ctime = {1'800'000'000, 7};
    line.entry.inode = 12;
    line.born = born;
    line.noise = noise;
    if (line.entry.is_file()) {
      line.entry.size = 3;
      line.entry.digest.emplace();
      line.entry.xattrs.push_back({"user.a", "b"});
    }
    if (kind == tree::EntryKind::hard_link) line.entry.target = "a";
    writer.add(line);
    encoder.path(block, line.entry.path);
    encoder.entry(block, line.entry, noise ? disk::kRacy : 0);
    base::ByteWriter out(block);
    out.u8(static_cast<std::uint8_t>((born != 0 ? disk::kLinked : 0) | (noise ? disk::kNoise : 0)));
    if (born != 0) out.varint(static_cast<std::uint64_t>(born));
  };
  add("", tree::EntryKind::directory, 0, false);
  add("a", tree::EntryKind::file, 1'700'000'000, false);
  writer.mark();
  add("b", tree::EntryKind::hard_link, 0, false);
  add("c", tree::EntryKind::file, 0, true);
  add("d", tree::EntryKind::fifo, 1'700'000'000, false);
  writer.finish();
  const std::string file = base::read_file(path, 1 << 20);
  write("copy_index", "file", std::string(1, '\0') + file);
  write("copy_index", "block", block);
  disk::CopyRecord record;
  record.server = "web";
  record.host = "host";
  record.source = "/ of web";
  record.entries = 5;
  write("copy_texts", "record", std::string(1, '\0') + disk::to_json(record));
  disk::ScrubState state;
  state.groups.push_back({{}, {}, base::Instant{}, "a/b"});
  write("copy_texts", "scrub", "\1" + disk::to_json(state));
  write("copy_texts", "directory",
        "\2"
        "20261024T030000Z.partial");
  write("copy_texts", "name",
        "\2"
        "a\\n\nb\r");
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
  ledger_exports();
  sftp();
  s3_answers();
  copies();
}
