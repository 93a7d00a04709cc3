#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/store.h"

namespace rota::store {

/// Something that the access to a store may or may not do.
struct Right {
  enum class Answer { no, yes, unknown };
  Answer answer = Answer::unknown;
  std::string name;  ///< what the store calls it: "deleteFiles"; empty where it has no word

  bool yes() const { return answer == Answer::yes; }
  bool no() const { return answer == Answer::no; }
};

/// What whoever holds the access of this machine can do to what lies in a store, and what the store
/// does about it by itself. Days are the store's own: it acts about once a day.
struct StorePowers {
  /// Whose they are. own_files: of this machine, whose root does what it likes; all else says
  /// nothing then. account: files on another machine, behind an account there; without rules and
  /// locks, but maybe with snapshots, which the account cannot see. bucket: of an object store.
  enum class Nature { bucket, own_files, account };
  Nature nature = Nature::bucket;

  Right may_delete{};      ///< versions of objects, for good
  Right may_overwrite{};   ///< put a newer version in front of an object, or a marker that hides it
  Right may_lift_locks{};  ///< delete or shorten what is locked in the mode "governance"
  Right may_change_locks{};   ///< change or end the lock that new objects get from the store
  Right may_change_rules{};   ///< change after how long hidden objects are deleted
  Right may_make_keys{};      ///< other keys, with every right
  Right may_delete_keys{};    ///< and so shut their owners out
  Right may_delete_places{};  ///< the place itself, once it is empty, and others of the account
  Right may_leave{};          ///< use other places of the account than that of this store

  /// Whether putting a name again keeps what was there: else to overwrite is to destroy.
  Right::Answer keeps_versions = Right::Answer::unknown;
  /// Whether the next two are known: a key may be forbidden to read them.
  bool rules_known = false;
  /// After so many days the store deletes what was hidden or overwritten; nothing: never. The
  /// shortest where rules differ by name.
  std::optional<int> hidden_deleted_after{};
  /// After so many days the store hides even what nobody touched, or deletes it where it keeps no
  /// versions; nothing: never.
  std::optional<int> hidden_after{};

  /// The lock that each new object gets from the store by itself.
  struct DefaultLock {
    ObjectLock::Mode mode = ObjectLock::Mode::governance;
    int days = 0;
  };
  Right locks{};  ///< whether objects can be locked there at all
  std::optional<DefaultLock> default_lock{};

  Right::Answer readable_by_all = Right::Answer::unknown;  ///< without any key

  std::string region{};                       ///< where the data lies, in the store's words; or ""
  std::optional<std::uint64_t> free_bytes{};  ///< the room left, where there is an end to it
  bool read_only = false;                     ///< nothing can be put there now

  /// What the store calls what a person may have to change.
  struct Words {
    std::string hidden_rule;  ///< that deletes what was hidden: "daysFromHidingToDeleting"
    std::string ageing_rule;  ///< that hides by age: "daysFromUploadingToHiding"
    std::string see_rules;    ///< the right to read the rules
    std::string see_locks;    ///< the right to read whether the bucket locks
  };
  Words words{};
};

/// A store that can tell about its own protection, without harm to anything in it. Thread safe;
/// errors as of Store.
class InspectableStore {
 public:
  virtual ~InspectableStore() = default;
  /// Asks the store. Where nobody can be asked what an access may do, it is tried on a file made
  /// for that and removed again.
  virtual StorePowers inspect() = 0;
};

}  // namespace rota::store
