// What an SFTP server sends, from its greeting on: a listing, a read, a put.
#include <algorithm>
#include <cstring>

#include "fuzz/fuzz.h"
#include "store/sftp_folder.h"
#include "store/sftp_put.h"
#include "store/sftp_transfer.h"

using namespace rota;

namespace {

/// The input is all that the server ever says; what it is told goes nowhere.
class Server final : public store::ByteStream {
 public:
  explicit Server(std::span<const std::byte> says) : says_(says) {}
  void write(std::span<const std::byte>) override {}
  std::size_t read(std::span<std::byte> buffer) override {
    if (says_.empty()) throw store::ConnectionLost("the end of the input");
    const auto part = says_.first(std::min(buffer.size(), says_.size()));
    std::memcpy(buffer.data(), part.data(), part.size());
    says_ = says_.subspan(part.size());
    return part.size();
  }

 private:
  std::span<const std::byte> says_;
};

void check(const store::Page& page) {
  const std::string* before = nullptr;
  for (const store::ObjectInfo& object : page.objects) {
    fuzz::require(store::is_name(object.name), "a listing has only names of objects");
    // A server may name a file twice.
    fuzz::require(before == nullptr || *before <= object.name, "a listing is in order");
    before = &object.name;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using base::ErrorKind;
  fuzz::Input input(data, size);
  const std::uint32_t what = input.number(1) % 3;
  fuzz::accepted(
      [&] {
        store::SftpClient client(std::make_unique<Server>(input.rest()));
        if (what == 0) {
          store::SftpFolder root(client, "root", client.handle(client.open_directory("root")));
          check(store::list_tree(root, "", "", 1000));
        } else if (what == 1) {
          base::Bytes buffer(1000);
          const std::size_t got = store::read_range(client, "handle", 0, buffer);
          fuzz::require(got <= buffer.size(), "no more is read than was asked for");
        } else {
          store::SftpPut(client, "root", "sftp://host/root").run("a/b", {}, true);
        }
      },
      {ErrorKind::io, ErrorKind::unavailable, ErrorKind::not_found, ErrorKind::refused});
  return 0;
}
