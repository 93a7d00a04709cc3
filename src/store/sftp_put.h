#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/time.h"
#include "store/sftp_client.h"

namespace rota::store {

/// The putting of one object, in four round trips: make the temporary file; send the data and make
/// it durable; rename and open the directories; make those durable.
///
/// The rename, by what the server offers and permits:
///  1. posix-rename@openssh.com replaces an older object in one atomic step.
///  2. The plain rename of SFTP 3 refuses a name that exists. Then the older object is removed
///     first: for a moment there is neither. Objects are put again only to finish what was
///     interrupted, with the same bytes, and a reader takes absence for what it is.
///  3. Where renames are denied (an account that may only add), a hard link puts the object in its
///     place. An older one cannot be replaced then, which is refused unless it has the same bytes.
///     Where the temporary file may not be removed either, it stays as another name of the object:
///     it takes no room, and somebody else must tidy up.
/// Writing to the object's own name is not tried: an interruption would leave half an object.
class SftpPut {
 public:
  /// root: the store's directory, without '/' at its end. description: of the store, for messages.
  SftpPut(SftpClient& client, std::string root, std::string description);

  /// tidy: whether to remove what dead writers left, before room is needed.
  /// Throws SftpError, Error(refused), Error(io), and what the client throws.
  void run(const std::string& name, std::span<const std::byte> data, bool tidy);

  /// What the server gives a temporary file as its time; nothing where it keeps none. Throws
  /// SftpError and what the client throws.
  std::optional<base::Instant> server_time();

 private:
  class Temporary;

  std::unique_ptr<Temporary> make_temporary();
  void place(Temporary& temporary, const std::string& target, std::span<const std::byte> data);
  SftpClient::Ticket start_move(const Temporary& temporary, const std::string& target);
  /// Each returns why it could not, if it could not.
  std::optional<SftpError> finish_move(SftpClient::Ticket moving, Temporary& temporary,
                                       const std::string& target, std::span<const std::byte> data);
  std::optional<SftpError> replace(Temporary& temporary, const std::string& target);
  std::optional<SftpError> link(Temporary& temporary, const std::string& target,
                                std::span<const std::byte> data);
  /// Throws Error(io) when the server's file system is full or read-only, else does nothing.
  void look_for_room(const std::string& name, std::size_t size);

  SftpClient& client_;
  const std::string root_;
  const std::string description_;
};

/// Where temporary files lie below the root. No object's name starts with a dot.
inline constexpr char kSftpTemporary[] = ".tmp";

}  // namespace rota::store
