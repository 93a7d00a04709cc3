#pragma once

#include <librsync.h>

#include <memory>
#include <span>

#include "base/bytes.h"

namespace rota::chain {

struct FreeRsyncJob {
  void operator()(rs_job* job) const { rs_job_free(job); }
};
/// A job of librsync, which prints nothing: every error is thrown.
using RsyncJob = std::unique_ptr<rs_job, FreeRsyncJob>;

/// Throws Error(corrupt), or io when memory is lacking. doing: "compute a signature".
[[noreturn]] void fail_rsync(const char* doing, rs_result result);

/// One step of a job: the size of what it put into `out`. Nothing once it has taken all of `input`,
/// or at the `end` of the input, when it is done.
struct RsyncInput {
  RsyncInput(std::span<const std::byte> data, bool end);
  rs_buffers_t buffers{};
  bool done = false;
};
std::size_t step(rs_job* job, RsyncInput& input, base::Bytes& out, const char* doing);

/// Drives a job over `data`; calls `emit` with whatever it puts into `out`.
template <typename Emit>
void drive(rs_job* job, std::span<const std::byte> data, bool end, base::Bytes& out,
           const char* doing, Emit emit) {
  RsyncInput input(data, end);
  while (!input.done) {
    const std::size_t made = step(job, input, out, doing);
    if (made > 0) emit(std::span<const std::byte>(out).first(made));
  }
}

inline constexpr std::size_t kStrongSum = 16;
inline constexpr std::size_t kRsyncHeader = 12;
inline constexpr std::size_t kRsyncOut = 64 << 10;

}  // namespace rota::chain
