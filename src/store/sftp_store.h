#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "store/listing.h"
#include "store/powers.h"
#include "store/rate_limit.h"
#include "store/sftp_client.h"
#include "store/sftp_pool.h"
#include "store/sftp_settings.h"
#include "store/sftp_target.h"
#include "store/store.h"

namespace rota::store {

/// Objects as files below a directory on an SFTP server, laid out as DirectoryStore lays them out:
/// "<path>/<name>", mode 0600, directories 0700. (So the server itself can read them as a directory
/// store.)
///
/// An object is written as "<path>/.tmp/<random>", made durable, and put in its place by a rename:
/// see SftpPut for how, and for what servers without OpenSSH's extensions allow. What a broken
/// connection leaves in .tmp is removed by the first put of a later store, when it is a day old by
/// the server's clock.
///
/// Up to four connections serve any number of threads. A connection that breaks is made anew and
/// the call is made again, by the settings' retry policy; every call may be repeated.
///
/// Symbolic links are passed over in listings and are not read as objects. In the directories of a
/// path the server follows them: who can plant them there can change the objects too.
class SftpStore final : public Store, public InspectableStore {
 public:
  static constexpr std::size_t kConnections = 4;

  SftpStore(SftpTarget target, SftpSettings settings);

  void put(const std::string& name, std::span<const std::byte> data) override;
  base::Bytes get(const std::string& name, std::uint64_t limit) override;
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override;
  unsigned connections() const override { return store::kConnections; }
  Page list(const std::string& prefix, const std::string& after, std::size_t limit) override;
  std::size_t page_size() const override { return kFolderPage; }
  /// Durable when it returns, where the server can. Directories that it leaves empty go too.
  /// Where the account may not remove, the object stays: "later".
  Removal remove(const std::string& name) override;
  HashKind hash_kind() const override { return HashKind::none; }
  /// By the time that the server gives a file that is made now, and removed again. Nothing where it
  /// may not be made.
  std::optional<base::Instant> now() override;
  std::string description() const override { return target_.url(); }
  /// See probe_account().
  StorePowers inspect() override;

 private:
  struct OpenObject;

  /// Runs `action` with a connection, again while connections break, and turns its errors into
  /// Errors in the store's words.
  template <typename Action>
  auto with_client(const char* doing, const std::string& name, Action action);
  [[noreturn]] void explain(const std::string& doing, const SftpError& error) const;
  OpenObject open_object(SftpClient& client, const std::string& name) const;
  std::string path_of(const std::string& name) const { return target_.path + "/" + name; }

  const SftpTarget target_;
  const SftpSettings settings_;
  RateLimit rate_;
  SftpPool pool_;
  std::atomic<bool> tidied_{false};
};

}  // namespace rota::store
