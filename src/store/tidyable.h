#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "store/store.h"

namespace rota::store {

/// An upload in parts that was begun and neither finished nor given up. It is paid for and shows in
/// no listing. rota begins none: its objects fit one part.
struct UnfinishedUpload {
  std::string name;     ///< of the object-to-be; another program chose it: any characters
  std::string id;       ///< the store's own; opaque
  base::Instant since;  ///< when it was begun, by the store's clock
};

/// A store where other programs may have left unfinished uploads. Thread safe; errors as of Store.
class TidyableStore {
 public:
  virtual ~TidyableStore() = default;

  /// Those whose names lie below the target's prefix, at most 10,000 of them. None where the key
  /// may not see them or the store does not tell; and none of a target without a prefix: what else
  /// is done in such a bucket is not rota's to end.
  virtual std::vector<UnfinishedUpload> unfinished_uploads() = 0;

  /// Ends it, with all its parts. gone: also where somebody was faster. later: the key may not.
  virtual Removal cancel_upload(const UnfinishedUpload& upload) = 0;
};

/// What unfinished_uploads() returns at most: 3 MB.
inline constexpr std::size_t kMaxUnfinished = 10'000;

}  // namespace rota::store
