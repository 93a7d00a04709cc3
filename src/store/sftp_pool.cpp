#include "store/sftp_pool.h"

#include <utility>

#include "base/signals.h"

namespace rota::store {

SftpPool::SftpPool(std::size_t most, Connect connect, std::stop_token stop)
    : most_(most), connect_(std::move(connect)), stop_(std::move(stop)), allowed_(most) {}

SftpPool::Lease SftpPool::take() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      freed_.wait(lock, stop_, [&] { return !idle_.empty() || alive_ < allowed_; });
      base::check_stop(stop_);
      if (!idle_.empty()) {
        auto client = std::move(idle_.back());
        idle_.pop_back();
        return Lease(*this, std::move(client), false);
      }
      ++alive_;
    }
    try {
      return Lease(*this, connect_(), true);
    } catch (const ConnectionLost&) {
      const std::lock_guard lock(mutex_);
      --alive_;
      freed_.notify_all();
      if (alive_ == 0) {
        allowed_ = most_;
        throw;
      }
      // Others stand: the server may have enough of us.
      allowed_ = alive_;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      --alive_;
      freed_.notify_all();
      throw;
    }
  }
}

void SftpPool::release(std::unique_ptr<SftpClient> client) {
  const std::lock_guard lock(mutex_);
  if (client) {
    idle_.push_back(std::move(client));
  } else {
    --alive_;
    if (alive_ == 0) allowed_ = most_;
  }
  freed_.notify_all();
}

void SftpPool::drop_idle() {
  std::vector<std::unique_ptr<SftpClient>> dropped;  // outlives the lock: closing takes time
  const std::lock_guard lock(mutex_);
  dropped.swap(idle_);
  alive_ -= dropped.size();
  if (alive_ == 0) allowed_ = most_;
  freed_.notify_all();
}

SftpPool::Lease::Lease(SftpPool& pool, std::unique_ptr<SftpClient> client, bool is_new)
    : pool_(pool), client_(std::move(client)), is_new_(is_new) {}

SftpPool::Lease::~Lease() {
  if (!client_->is_settled()) client_.reset();  // without the lock: it says goodbye to the server
  pool_.release(std::move(client_));
}

}  // namespace rota::store
