#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "store/sftp_client.h"

namespace rota::store {

/// How many bytes may be on their way at once. Over a line of 50 ms that allows 40 MB/s for each
/// connection; OpenSSH's windows are about as large.
inline constexpr std::size_t kSftpInFlight = 2 << 20;

/// Writes all of `data` to an open file from its start on. Throws as SftpClient does.
void write_all(SftpClient& client, const std::string& handle, std::span<const std::byte> data);

/// Reads from an open file from `offset` on, as much as the buffer holds; less only at the end of
/// the file. Returns how much. Throws as SftpClient does.
std::size_t read_range(SftpClient& client, const std::string& handle, std::uint64_t offset,
                       std::span<std::byte> buffer);

}  // namespace rota::store
