#include <atomic>

#include "contract.h"
#include "store/open.h"
#include "store/sftp_store.h"
#include "support/b2_server.h"
#include "support/files.h"
#include "support/s3_server.h"
#include "support/sftp_server.h"
#include "support/skip.h"

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

/// One server for all tests of the program; each store lies in a directory of its own.
StoreUnderTest sftp_row() {
  static std::atomic<int> made{0};
  return {"sftp",
          [] {
            static SftpServer server;
            return std::make_unique<store::SftpStore>(
                server.target(server.root() + "/" + std::to_string(++made)), server.settings());
          },
          true};
}

StoreUnderTest b2_row() {
  B2Server& server = shared_b2_server();
  const auto clock = std::make_shared<ServerClock>(server);
  return {"B2",
          [&server, clock] {
            return store::open_store({.target = "b2://" + server.make_bucket() + "/some/where",
                                      .credentials = {{B2Server::kKeyId, B2Server::kKey}},
                                      .b2_api_url = server.url(),
                                      .clock = clock.get()});
          },
          true};
}

StoreUnderTest s3_row(const S3Server& server) {
  static std::atomic<int> made{0};
  return {"S3 (OpenStack Swift)",
          [&server] {
            return store::open_store({
                .target = "s3://" + server.bucket() + "/" + std::to_string(++made) + "/deep",
                .credentials = {{server.key_id(), server.key()}},
                .s3 = {.endpoint = server.endpoint(), .region = server.region()},
            });
          },
          true,
          // It looks which of an object's files is the newest, and opens it then: by now a newer
          // put may have removed that, and here there is no other replica to ask.
          true};
}

}  // namespace

std::vector<StoreUnderTest> stores_under_test() {
  std::vector<StoreUnderTest> rows{directory_row(), b2_row()};
  if (const S3Server* server = shared_swift()) rows.push_back(s3_row(*server));
  if (const auto reason = SftpServer::missing()) {
    skip("of SFTP: " + *reason);
  } else {
    rows.push_back(sftp_row());
  }
  return rows;
}

}  // namespace rota::test
