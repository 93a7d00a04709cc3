#include "disk/recognise.h"

#include <catch2/catch.hpp>

using namespace rota;
using disk::Verdict;
using udev::BlockDevice;

namespace {

const std::string kToken(64, 'a');
const std::string kOldToken(64, 'b');
const std::string kNextToken(64, 'c');

BlockDevice plain(const std::string& node = "/dev/sdb1", const std::string& uuid = "1111-aaaa") {
  BlockDevice device;
  device.node = node;
  device.disk_node = node.substr(0, node.size() - 1);
  device.kind = udev::DeviceKind::partition;
  device.fs_type = "ext4";
  device.label = "ROTA-B";
  device.uuid = uuid;
  device.serial = "S1";
  return device;
}

disk::KnownDisk known_plain() {
  return {"B", "ROTA-B", "1111-aaaa", "", disk::token_hash(kToken), "", "S1"};
}

disk::Identity identity(const std::string& token) {
  return {"B", "main", "1111-aaaa", base::Instant{}, token};
}

disk::Recognition look(const BlockDevice& device, const std::optional<disk::Identity>& who,
                       const std::vector<disk::KnownDisk>& known,
                       std::vector<BlockDevice> others = {},
                       const BlockDevice* container = nullptr) {
  others.push_back(device);
  if (container != nullptr) others.push_back(*container);
  return disk::recognise(device, who, true, known, others, container);
}

}  // namespace

TEST_CASE("a disk with label, UUID, token and serial as in the ledger is ours", "[recognise]") {
  const auto result = look(plain(), identity(kToken), {known_plain()});
  CHECK(result.verdict == Verdict::known);
  CHECK(result.name == "B");
  CHECK(result.message.empty());
  CHECK(result.is_ours());
  CHECK_FALSE(result.has_next_token);
}

TEST_CASE("a disk without a rotation label is none", "[recognise]") {
  BlockDevice device = plain();
  device.label = "photos";
  CHECK(look(device, std::nullopt, {known_plain()}).verdict == Verdict::no_rotation_disk);
}

TEST_CASE("a rotation label that the ledger does not know is a stranger's", "[recognise]") {
  const auto result = look(plain(), identity(kToken), {});
  CHECK(result.verdict == Verdict::stranger);
  CHECK_FALSE(result.is_ours());
  CHECK(result.message.find("rota disk adopt /dev/sdb1") != std::string::npos);
}

TEST_CASE("a known label on another filesystem is a cloned label", "[recognise]") {
  const auto result = look(plain("/dev/sdb1", "2222-bbbb"), identity(kToken), {known_plain()});
  CHECK(result.verdict == Verdict::cloned_label);
  CHECK_FALSE(result.is_ours());
}

TEST_CASE("a clone goes stale with the token, and so does a disk without one", "[recognise]") {
  CHECK(look(plain(), identity(kOldToken), {known_plain()}).verdict == Verdict::stale);
  CHECK(look(plain(), std::nullopt, {known_plain()}).verdict == Verdict::stale);
  disk::Identity other = identity(kToken);
  SECTION("another disk's name") { other.name = "C"; }
  SECTION("another filesystem's UUID") { other.fs_uuid = "2222-bbbb"; }
  CHECK(look(plain(), other, {known_plain()}).verdict == Verdict::stale);
}

TEST_CASE("between the ledger's note and its confirmation both tokens are good", "[recognise]") {
  disk::KnownDisk known = known_plain();
  known.next_token_hash = disk::token_hash(kNextToken);
  CHECK(look(plain(), identity(kToken), {known}).verdict == Verdict::known);
  CHECK_FALSE(look(plain(), identity(kToken), {known}).has_next_token);
  CHECK(look(plain(), identity(kNextToken), {known}).verdict == Verdict::known);
  CHECK(look(plain(), identity(kNextToken), {known}).has_next_token);
  CHECK(look(plain(), identity(kOldToken), {known}).verdict == Verdict::stale);
}

TEST_CASE("a changed serial number asks, and an unknown one does not", "[recognise]") {
  BlockDevice device = plain();
  device.serial = "DOCK";
  const auto result = look(device, identity(kToken), {known_plain()});
  CHECK(result.verdict == Verdict::serial_changed);
  CHECK(result.is_ours());
  CHECK(result.message.find("DOCK") != std::string::npos);
  CHECK(result.message.find("rota disk attach B --accept-serial") != std::string::npos);
  disk::KnownDisk known = known_plain();
  known.serial.clear();
  CHECK(look(device, identity(kToken), {known}).verdict == Verdict::known);
  // A stale clone in a dock is first of all a clone.
  CHECK(look(device, identity(kOldToken), {known_plain()}).verdict == Verdict::stale);
}

TEST_CASE("two devices that would be the same disk stop everything", "[recognise]") {
  const auto with = [](const BlockDevice& second) {
    return look(plain(), identity(kToken), {known_plain()}, {second}).verdict;
  };
  CHECK(with(plain("/dev/sdc1")) == Verdict::duplicate);
  CHECK(with(plain("/dev/sdc1", "2222-bbbb")) == Verdict::duplicate);
  BlockDevice renamed = plain("/dev/sdc1");
  renamed.label = "other";
  CHECK(with(renamed) == Verdict::duplicate);
  BlockDevice unlike = plain("/dev/sdc1", "2222-bbbb");
  unlike.label = "ROTA-C";
  CHECK(with(unlike) == Verdict::known);
  // The superblock of a partition that begins at the disk's first byte shows on the disk too.
  BlockDevice whole = plain();
  whole.node = whole.disk_node;
  whole.kind = udev::DeviceKind::disk;
  CHECK(with(whole) == Verdict::known);
}

TEST_CASE("before it is mounted a disk is known by label and UUID only", "[recognise]") {
  const BlockDevice device = plain();
  const std::vector<disk::KnownDisk> known{known_plain()};
  const std::vector<BlockDevice> all{device};
  CHECK(disk::recognise(device, std::nullopt, false, known, all).verdict == Verdict::known);
}

TEST_CASE("a container is recognised by its own UUID, and what is in it by both", "[recognise]") {
  BlockDevice container = plain("/dev/sdb1", "cccc-0000");
  container.fs_type = "crypto_LUKS";
  disk::KnownDisk known = known_plain();
  known.luks_uuid = "cccc-0000";
  CHECK(look(container, std::nullopt, {known}).verdict == Verdict::container);

  BlockDevice inner = plain("/dev/dm-0");
  inner.kind = udev::DeviceKind::disk;
  inner.disk_node = inner.node;
  inner.serial.clear();
  inner.mapper = true;
  CHECK(look(inner, identity(kToken), {known}, {}, &container).verdict == Verdict::known);
  CHECK(look(inner, identity(kOldToken), {known}, {}, &container).verdict == Verdict::stale);
  CHECK(look(inner, identity(kToken), {known}, {plain("/dev/sdc1")}, &container).verdict ==
        Verdict::duplicate);

  SECTION("another container") {
    container.uuid = "dddd-0000";
    CHECK(look(container, std::nullopt, {known}).verdict == Verdict::cloned_label);
    CHECK(look(inner, identity(kToken), {known}, {}, &container).verdict == Verdict::cloned_label);
  }
  SECTION("a plain filesystem that pretends to be the encrypted disk") {
    CHECK(look(plain(), identity(kToken), {known}).verdict == Verdict::cloned_label);
  }
  SECTION("a container that pretends to be a plain disk") {
    CHECK(look(container, std::nullopt, {known_plain()}).verdict == Verdict::cloned_label);
    container.uuid.clear();  // as a plain disk's luks_uuid in the ledger
    CHECK(look(container, std::nullopt, {known_plain()}).verdict == Verdict::cloned_label);
  }
}
