#pragma once

#include <atomic>
#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/time.h"
#include "store/listing.h"
#include "store/powers.h"
#include "store/rate_limit.h"
#include "store/store.h"

namespace rota::store {

/// Objects as files below a directory: "<root>/<name>", mode 0600, directories 0700.
///
/// An object is written as "<root>/.tmp/<random>", made durable and renamed to its place; then
/// every directory from there up to the root is made durable. Files that a crash left in .tmp are
/// removed by the first put, when they are a day old and their writer is gone.
///
/// The root is made by the first put. Until then it lists as empty, while get and read say that the
/// store does not exist. A mount point without its disk looks like an empty store too: telling the
/// two apart is up to the layers above.
///
/// No symbolic link below the root is followed, the root itself may be one. Several processes may
/// use the directory at once, also through network filesystems.
class DirectoryStore final : public Store, public InspectableStore {
 public:
  /// How fast it is written and read, which counts where it is a share: bytes a second, each way;
  /// 0: no limit. stop ends the pauses with Error(interrupted).
  struct Pace {
    std::uint64_t rate = 0;
    base::Clock* clock = &base::real_clock();  ///< outlives the store
    std::stop_token stop{};
  };
  explicit DirectoryStore(std::string root, base::FileOps& files = base::real_files());
  DirectoryStore(std::string root, base::FileOps& files, Pace pace);

  void put(const std::string& name, std::span<const std::byte> data) override;
  base::Bytes get(const std::string& name, std::uint64_t limit) override;
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override;
  Page list(const std::string& prefix, const std::string& after, std::size_t limit) override;
  std::size_t page_size() const override { return kFolderPage; }
  /// Durable when it returns. Directories that it leaves empty go too.
  Removal remove(const std::string& name) override;
  HashKind hash_kind() const override { return HashKind::none; }
  std::string description() const override;
  StorePowers inspect() override { return {.nature = StorePowers::Nature::own_files}; }

 private:
  struct OpenObject {
    base::Fd fd;
    std::uint64_t size = 0;
  };

  std::string path_of(const std::string& name) const;
  /// Throws Error(not_found) when the root is absent.
  base::Fd open_root() const;
  OpenObject open_object(const std::string& name) const;
  void move_into_place(const std::string& temporary, const std::string& name);
  /// Makes the directories from the object's up to the root durable.
  void sync_upwards(const std::string& name);
  void remove_stale(const base::Fd& newest);

  /// Runs `action` and turns its FileError into an Error in the store's words.
  void wait(RateLimit& limit, std::uint64_t bytes) const;

  template <typename Action>
  auto in_words(const char* doing, const std::string& name, Action action) const;
  [[noreturn]] void explain(const std::string& doing, const base::FileError& error) const;

  std::string root_;  ///< without '/' at its end, unless it is "/"
  base::FileOps& files_;
  Pace pace_;
  RateLimit writing_;
  RateLimit reading_;
  std::atomic<bool> tidied_{false};
};

}  // namespace rota::store
