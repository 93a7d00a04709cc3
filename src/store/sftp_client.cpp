#include "store/sftp_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace rota::store {

namespace {

// Packet types (SSH_FXP_…).
constexpr std::uint8_t kInit = 1;
constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kOpen = 3;
constexpr std::uint8_t kClose = 4;
constexpr std::uint8_t kRead = 5;
constexpr std::uint8_t kWrite = 6;
constexpr std::uint8_t kLstat = 7;
constexpr std::uint8_t kFstat = 8;
constexpr std::uint8_t kOpenDirectory = 11;
constexpr std::uint8_t kReadDirectory = 12;
constexpr std::uint8_t kRemove = 13;
constexpr std::uint8_t kMakeDirectory = 14;
constexpr std::uint8_t kRemoveDirectory = 15;
constexpr std::uint8_t kRename = 18;
constexpr std::uint8_t kStatus = 101;
constexpr std::uint8_t kHandle = 102;
constexpr std::uint8_t kData = 103;
constexpr std::uint8_t kNames = 104;
constexpr std::uint8_t kAttributes = 105;
constexpr std::uint8_t kExtended = 200;
constexpr std::uint8_t kExtendedReply = 201;

// How a file is opened (SSH_FXF_…).
constexpr std::uint32_t kToRead = 0x01;
constexpr std::uint32_t kToWrite = 0x02;
constexpr std::uint32_t kToCreate = 0x08;
constexpr std::uint32_t kExclusive = 0x20;

constexpr std::uint32_t kProtocol = 3;
constexpr std::uint32_t kFileMode = 0600;
constexpr std::uint32_t kDirectoryMode = 0700;

// OpenSSH sends at most 256 KiB; listings of others may be longer.
constexpr std::uint32_t kMaxPacket = 1 << 20;
constexpr std::uint32_t kPacketHead = 5;  // the type and a number, in every packet
constexpr std::size_t kMaxHandle = 256;   // of the draft
constexpr std::size_t kMaxExtensions = 1000;
// What every server must take, by the draft; and what is asked for where the server says that it
// takes as much. More gains nothing.
constexpr std::size_t kSafePiece = 32 << 10;
constexpr std::size_t kLargePiece = 128 << 10;
constexpr std::uint64_t kReadOnlyFlag = 1;  // SSH_FXE_STATVFS_ST_RDONLY

std::size_t piece_within(std::uint64_t limit) {
  if (limit == 0) return kSafePiece;  // "no limit known"
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(limit, 1, kLargePiece));
}

SftpError status_of(SftpReader reader) {
  const auto code = static_cast<SftpCode>(reader.u32());
  // Some servers leave the text out.
  return SftpError(code, reader.at_end() ? std::string_view() : reader.string());
}

[[noreturn]] void throw_unexpected(std::uint8_t type) {
  throw_not_sftp(fmt::format("an answer of type {} that does not belong to its request", type));
}

}  // namespace

SftpClient::SftpClient(std::unique_ptr<ByteStream> stream)
    : stream_(std::move(stream)),
      read_piece_(kSafePiece),
      write_piece_(kSafePiece),
      input_(kSftpInFlight) {
  greet();
  if (has("limits@openssh.com")) learn_limits();
}

void SftpClient::greet() {
  stream_->write(SftpPacket(kInit).u32(kProtocol).finish());
  const Answer answer = receive();
  if (answer.type != kVersion) throw_unexpected(answer.type);
  if (answer.number < kProtocol) {
    throw_not_sftp(fmt::format("its version is {}, rota needs {}", answer.number, kProtocol));
  }
  SftpReader reader(answer.payload);
  while (!reader.at_end() && extensions_.size() < kMaxExtensions) {
    std::string name(reader.string());
    extensions_[std::move(name)] = std::string(reader.string());
  }
}

void SftpClient::learn_limits() {
  const Answer answer = wait(send(extended("limits@openssh.com")));
  if (answer.type == kStatus) return;
  if (answer.type != kExtendedReply) throw_unexpected(answer.type);
  SftpReader reader(answer.payload);
  reader.u64();  // the packet: larger than either of the others
  read_piece_ = piece_within(reader.u64());
  write_piece_ = piece_within(reader.u64());
}

SftpPacket SftpClient::request(std::uint8_t type) {
  SftpPacket packet(type);
  packet.u32(next_);
  return packet;
}

SftpPacket SftpClient::extended(std::string_view name) {
  SftpPacket packet = request(kExtended);
  packet.string(name);
  return packet;
}

SftpClient::Ticket SftpClient::send(SftpPacket packet) {
  const Ticket ticket = next_++;
  broken_ = true;
  stream_->write(packet.finish());
  broken_ = false;
  wanted_.insert(ticket);
  return ticket;
}

SftpClient::Ticket SftpClient::open_to_read(const std::string& path) {
  return send(request(kOpen).string(path).u32(kToRead).u32(0));
}

SftpClient::Ticket SftpClient::create(const std::string& path) {
  return send(request(kOpen).string(path).u32(kToWrite | kToCreate | kExclusive).mode(kFileMode));
}

SftpClient::Ticket SftpClient::open_to_write(const std::string& path) {
  return send(request(kOpen).string(path).u32(kToWrite).u32(0));
}

SftpClient::Ticket SftpClient::open_directory(const std::string& path) {
  return send(request(kOpenDirectory).string(path));
}

SftpClient::Ticket SftpClient::close(const std::string& handle) {
  return send(request(kClose).string(handle));
}

SftpClient::Ticket SftpClient::read(const std::string& handle, std::uint64_t offset,
                                    std::size_t size) {
  return send(request(kRead).string(handle).u64(offset).u32(static_cast<std::uint32_t>(size)));
}

SftpClient::Ticket SftpClient::write(const std::string& handle, std::uint64_t offset,
                                     std::span<const std::byte> data) {
  return send(request(kWrite).string(handle).u64(offset).string(data));
}

SftpClient::Ticket SftpClient::read_directory(const std::string& handle) {
  return send(request(kReadDirectory).string(handle));
}

SftpClient::Ticket SftpClient::stat(const std::string& path) {
  return send(request(kLstat).string(path));
}

SftpClient::Ticket SftpClient::stat_open(const std::string& handle) {
  return send(request(kFstat).string(handle));
}

SftpClient::Ticket SftpClient::remove(const std::string& path) {
  return send(request(kRemove).string(path));
}

SftpClient::Ticket SftpClient::make_directory(const std::string& path) {
  return send(request(kMakeDirectory).string(path).mode(kDirectoryMode));
}

SftpClient::Ticket SftpClient::remove_directory(const std::string& path) {
  return send(request(kRemoveDirectory).string(path));
}

SftpClient::Ticket SftpClient::rename(const std::string& from, const std::string& to) {
  return send(request(kRename).string(from).string(to));
}

SftpClient::Ticket SftpClient::posix_rename(const std::string& from, const std::string& to) {
  return send(extended(kPosixRename).string(from).string(to));
}

SftpClient::Ticket SftpClient::hard_link(const std::string& from, const std::string& to) {
  return send(extended(kHardLink).string(from).string(to));
}

SftpClient::Ticket SftpClient::fsync(const std::string& handle) {
  return send(extended(kFsync).string(handle));
}

SftpClient::Ticket SftpClient::statvfs(const std::string& path) {
  return send(extended(kStatvfs).string(path));
}

std::optional<SftpError> SftpClient::failure(Ticket ticket) {
  const Answer answer = wait(ticket);
  if (answer.type != kStatus) throw_unexpected(answer.type);
  SftpError error = status_of(SftpReader(answer.payload));
  if (error.code() == SftpCode::ok) return std::nullopt;
  return error;
}

void SftpClient::ok(Ticket ticket) {
  if (const auto error = failure(ticket)) throw SftpError(*error);
}

std::string SftpClient::handle(Ticket ticket) {
  const Answer answer = wait(ticket);
  if (answer.type == kStatus) throw status_of(SftpReader(answer.payload));
  if (answer.type != kHandle) throw_unexpected(answer.type);
  const std::string_view handle = SftpReader(answer.payload).string();
  if (handle.size() > kMaxHandle) throw_not_sftp("the name of an open file is too long");
  return std::string(handle);
}

SftpAttributes SftpClient::attributes(Ticket ticket) {
  const Answer answer = wait(ticket);
  if (answer.type == kStatus) throw status_of(SftpReader(answer.payload));
  if (answer.type != kAttributes) throw_unexpected(answer.type);
  return SftpReader(answer.payload).attributes();
}

std::size_t SftpClient::data(Ticket ticket, std::span<std::byte> out) {
  const Answer answer = wait(ticket);
  if (answer.type == kStatus) {
    const SftpError error = status_of(SftpReader(answer.payload));
    if (error.code() == SftpCode::eof) return 0;
    throw SftpError(error);
  }
  if (answer.type != kData) throw_unexpected(answer.type);
  const auto data = SftpReader(answer.payload).bytes();
  if (data.empty() || data.size() > out.size()) {
    throw_not_sftp(fmt::format("{} bytes came where {} were asked for", data.size(), out.size()));
  }
  std::memcpy(out.data(), data.data(), data.size());
  return data.size();
}

std::optional<std::vector<SftpName>> SftpClient::names(Ticket ticket) {
  const Answer answer = wait(ticket);
  if (answer.type == kStatus) {
    const SftpError error = status_of(SftpReader(answer.payload));
    if (error.code() == SftpCode::eof) return std::nullopt;
    throw SftpError(error);
  }
  if (answer.type != kNames) throw_unexpected(answer.type);
  SftpReader reader(answer.payload);
  std::vector<SftpName> names;
  // Grows with what is really there, whatever the server says of its number.
  for (std::uint32_t count = reader.u32(); count > 0; --count) {
    SftpName name;
    name.name = reader.string();
    reader.string();  // the line of "ls -l"
    name.attributes = reader.attributes();
    names.push_back(std::move(name));
  }
  return names;
}

SftpRoom SftpClient::room(Ticket ticket) {
  const Answer answer = wait(ticket);
  if (answer.type == kStatus) throw status_of(SftpReader(answer.payload));
  if (answer.type != kExtendedReply) throw_unexpected(answer.type);
  SftpReader reader(answer.payload);
  reader.u64();  // f_bsize
  const std::uint64_t block = reader.u64();
  reader.u64();  // f_blocks
  reader.u64();  // f_bfree
  const std::uint64_t available = reader.u64();
  const std::uint64_t files = reader.u64();  // 0 where they are not counted
  reader.u64();                              // f_ffree
  SftpRoom room;
  const std::uint64_t files_left = reader.u64();
  room.no_files = files > 0 && files_left == 0;
  reader.u64();  // f_fsid
  room.read_only = (reader.u64() & kReadOnlyFlag) != 0;
  if (__builtin_mul_overflow(block, available, &room.free_bytes)) room.free_bytes = UINT64_MAX;
  return room;
}

void SftpClient::ignore(Ticket ticket) {
  if (arrived_.erase(ticket) > 0) return;
  if (wanted_.erase(ticket) > 0) ignored_.insert(ticket);
}

SftpClient::Answer SftpClient::wait(Ticket ticket) {
  if (const auto early = arrived_.find(ticket); early != arrived_.end()) {
    Answer answer = std::move(early->second);
    arrived_.erase(early);
    return answer;
  }
  for (;;) {
    Answer answer = receive();
    if (ignored_.erase(answer.number) > 0) continue;
    if (wanted_.erase(answer.number) == 0) {
      broken_ = true;
      throw_not_sftp("an answer to a request that was never made");
    }
    if (answer.number == ticket) return answer;
    arrived_.emplace(answer.number, std::move(answer));
  }
}

SftpClient::Answer SftpClient::receive() {
  broken_ = true;
  std::array<std::byte, 9> head;
  fill(head);
  SftpReader reader(head);
  const std::uint32_t size = reader.u32();
  if (size < kPacketHead || size > kMaxPacket) {
    throw_not_sftp(fmt::format("a packet of {} bytes", size));
  }
  Answer answer;
  answer.type = reader.u8();
  answer.number = reader.u32();
  answer.payload.resize(size - kPacketHead);
  fill(answer.payload);
  broken_ = false;
  return answer;
}

void SftpClient::fill(std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    if (input_at_ == input_end_) {
      input_at_ = input_end_ = 0;
      input_end_ = stream_->read(input_);
    }
    const std::size_t size = std::min(buffer.size(), input_end_ - input_at_);
    std::memcpy(buffer.data(), input_.data() + input_at_, size);
    buffer = buffer.subspan(size);
    input_at_ += size;
  }
}

SftpHandle::~SftpHandle() {
  try {
    client_.ignore(client_.close(handle_));
  } catch (const base::Error&) {  // the connection is gone, and the open file with it
  }
}

}  // namespace rota::store
