#include <atomic>

#include "contract.h"
#include "store/open.h"
#include "support/b2_server.h"
#include "support/files.h"

namespace rota::test {

namespace {

StoreUnderTest directory_row() {
  struct Place {
    TempDir dir;
    std::atomic<int> made{0};
  };
  const auto place = std::make_shared<Place>();
  return {"directory", [place] {
            return store::open_store(
                {.target = "file://" + (place->dir / std::to_string(++place->made))});
          }};
}

StoreUnderTest b2_row() {
  B2Server& server = shared_b2_server();
  const auto clock = std::make_shared<ServerClock>(server);
  return {"B2", [&server, clock] {
            return store::open_store({.target = "b2://" + server.make_bucket() + "/some/where",
                                      .credentials = {{B2Server::kKeyId, B2Server::kKey}},
                                      .b2_api_url = server.url(),
                                      .clock = clock.get()});
          }};
}

}  // namespace

std::vector<StoreUnderTest> stores_under_test() { return {directory_row(), b2_row()}; }

}  // namespace rota::test
