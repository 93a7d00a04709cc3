#include "store/sftp_transfer.h"

#include <algorithm>
#include <deque>

namespace rota::store {

namespace {

/// Requests on their way. Those that a failure leaves behind are ignored.
class Flight {
 public:
  explicit Flight(SftpClient& client) : client_(client) {}
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  ~Flight() {
    for (const Part& part : parts_) client_.ignore(part.ticket);
  }

  void add(SftpClient::Ticket ticket, std::size_t offset, std::size_t size) {
    parts_.push_back({ticket, offset, size});
    bytes_ += size;
  }
  struct Part {
    SftpClient::Ticket ticket;
    std::size_t offset;
    std::size_t size;
  };
  Part take() {
    const Part part = parts_.front();
    parts_.pop_front();
    bytes_ -= part.size;
    return part;
  }
  bool is_empty() const { return parts_.empty(); }
  bool is_full() const { return bytes_ >= kSftpInFlight; }

 private:
  SftpClient& client_;
  std::deque<Part> parts_;
  std::size_t bytes_ = 0;
};

}  // namespace

void write_durably(SftpClient& client, const std::string& handle, std::span<const std::byte> data) {
  Flight flight(client);
  for (std::size_t sent = 0; sent < data.size();) {
    if (flight.is_full()) {
      client.ok(flight.take().ticket);
      continue;
    }
    const std::size_t size = std::min(client.write_piece(), data.size() - sent);
    flight.add(client.write(handle, sent, data.subspan(sent, size)), sent, size);
    sent += size;
  }
  if (client.has(SftpClient::kFsync)) flight.add(client.fsync(handle), data.size(), 0);
  while (!flight.is_empty()) client.ok(flight.take().ticket);
}

std::size_t read_range(SftpClient& client, const std::string& handle, std::uint64_t offset,
                       std::span<std::byte> buffer) {
  Flight flight(client);
  for (std::size_t asked = 0; asked < buffer.size() || !flight.is_empty();) {
    if (asked < buffer.size() && !flight.is_full()) {
      const std::size_t size = std::min(client.read_piece(), buffer.size() - asked);
      flight.add(client.read(handle, offset + asked, size), asked, size);
      asked += size;
      continue;
    }
    const Flight::Part part = flight.take();
    std::size_t got = client.data(part.ticket, buffer.subspan(part.offset, part.size));
    if (got == 0) return part.offset;
    // A server may give less than was asked for, also where the file does not end.
    while (got < part.size) {
      const auto rest = buffer.subspan(part.offset + got, part.size - got);
      const std::size_t more =
          client.data(client.read(handle, offset + part.offset + got, rest.size()), rest);
      if (more == 0) return part.offset + got;
      got += more;
    }
  }
  return buffer.size();
}

}  // namespace rota::store
