#include "chain/rsync_job.h"

#include <fmt/core.h>

#include "base/error.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

void fail_rsync(const char* doing, rs_result result) {
  throw Error(result == RS_MEM_ERROR ? ErrorKind::io : ErrorKind::corrupt,
              fmt::format("cannot {}: {}", doing, rs_strerror(result)));
}

RsyncInput::RsyncInput(std::span<const std::byte> data, bool end) {
  static const bool silent = (rs_trace_set_level(RS_LOG_EMERG), true);
  static_cast<void>(silent);
  buffers.next_in = const_cast<char*>(reinterpret_cast<const char*>(data.data()));
  buffers.avail_in = data.size();
  buffers.eof_in = end ? 1 : 0;
}

std::size_t step(rs_job* job, RsyncInput& input, base::Bytes& out, const char* doing) {
  rs_buffers_t& buffers = input.buffers;
  buffers.next_out = reinterpret_cast<char*>(out.data());
  buffers.avail_out = out.size();
  const rs_result result = rs_job_iter(job, &buffers);
  const std::size_t made = out.size() - buffers.avail_out;
  if (result != RS_DONE && result != RS_BLOCKED) fail_rsync(doing, result);
  const bool idle = buffers.avail_in == 0 && made == 0;
  if (result == RS_BLOCKED && idle && buffers.eof_in != 0) fail_rsync(doing, RS_INTERNAL_ERROR);
  input.done = result == RS_DONE || idle;
  return made;
}

}  // namespace rota::chain
