#include "chain/frame_cache.h"

#include <fmt/core.h>

#include "base/error.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

FrameCache::Frame FrameCache::get(const Extent& extent) {
  const Key key{extent.run, extent.volume, extent.frame};
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto found = slots_.find(key);
      if (found == slots_.end()) break;
      if (found->second.frame) {
        ages_.splice(ages_.end(), ages_, found->second.age);
        return found->second.frame;
      }
      loaded_.wait(lock);
    }
    slots_.emplace(key, Slot{nullptr, ages_.insert(ages_.end(), key)});
  }
  Frame frame;
  try {
    frame = load(extent);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    ages_.erase(slots_.at(key).age);
    slots_.erase(key);
    loaded_.notify_all();
    throw;
  }
  const std::lock_guard lock(mutex_);
  slots_.at(key).frame = frame;
  held_ += frame->size();
  evict();
  loaded_.notify_all();
  return frame;
}

void FrameCache::evict() {
  auto oldest = ages_.begin();
  while (held_ > kCapacity && oldest != ages_.end()) {
    const auto slot = slots_.find(*oldest);
    if (!slot->second.frame) {  // being read
      ++oldest;
      continue;
    }
    held_ -= slot->second.frame->size();
    slots_.erase(slot);
    oldest = ages_.erase(oldest);
  }
}

FrameCache::Frame FrameCache::load(const Extent& extent) const {
  if (extent.run >= record_.runs.size()) {
    throw Error(ErrorKind::corrupt, "the index names a run that its chain does not have");
  }
  const std::string name = volume_name(record_.chain, record_.runs[extent.run], extent.volume);
  try {
    base::Bytes packed(extent.frame_size);
    store_.read(name, extent.frame, packed);
    return std::make_shared<const base::Bytes>(unpack(packed, kFrameRaw));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) {
      throw Error(ErrorKind::corrupt,
                  fmt::format("the volume {} is missing from {}", name, store_.description()));
    }
    if (error.kind() != ErrorKind::corrupt) throw;
    throw Error(ErrorKind::corrupt, fmt::format("the volume {} is damaged at byte {}: {}", name,
                                                extent.frame, error.what()));
  }
}

}  // namespace rota::chain
