#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "store/sftp_client.h"

namespace rota::store {

/// Writes all of `data` to an open file from its start on, and makes it durable where the server
/// can. Throws as SftpClient does.
void write_durably(SftpClient& client, const std::string& handle, std::span<const std::byte> data);

/// Reads from an open file from `offset` on, as much as the buffer holds; less only at the end of
/// the file. Returns how much. Throws as SftpClient does.
std::size_t read_range(SftpClient& client, const std::string& handle, std::uint64_t offset,
                       std::span<std::byte> buffer);

}  // namespace rota::store
