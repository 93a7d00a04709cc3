#include <atomic>

#include "contract.h"
#include "store/open.h"
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

}  // namespace

std::vector<StoreUnderTest> stores_under_test() { return {directory_row()}; }

}  // namespace rota::test
