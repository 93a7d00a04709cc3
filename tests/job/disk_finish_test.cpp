#include "job/disk_finish.h"

#include <catch2/catch.hpp>

#include "ledger/disk_samples.h"

using namespace rota;
using Names = std::vector<std::string>;

TEST_CASE("the ledger on a disk tells no more than whoever finds the disk may know",
          "[disk_finish]") {
  const profile::Rotation rotation =
      profile::read_rotation("[set.main]\n[disk.C]\nprofiles = [\"shop\"]\n", "rotation.toml");
  ledger::DiskRow disk = test::some_disk("B");
  const auto scope = [&] { return job::scope_of(disk, rotation, {"shop", "web"}); };
  CHECK(scope().people);
  CHECK(scope().disk.empty());
  CHECK_FALSE(scope().servers);
  CHECK(scope().known_servers == Names{"shop", "web"});

  disk.luks_uuid.clear();  // plain
  CHECK_FALSE(scope().people);
  CHECK(scope().disk == "B");

  disk = test::some_disk("C");  // a customer's, encrypted
  CHECK(scope().people);
  CHECK(scope().servers == Names{"shop"});
}
