#pragma once

#include <cstdint>
#include <functional>

namespace rota::test {

/// Whether processes may be traced here, as kill_at() needs.
bool can_trace();

/// Runs `work` in a child process and kills it with SIGKILL just before the nth of its system calls
/// that may change a file: whatever made it, our own code, SQLite or another library, on any
/// thread. True when it was killed, false when it ended before. Throws std::runtime_error when the
/// work itself failed.
///
/// The child is a fork: of the caller's memory it has a copy, and nothing of it comes back.
bool kill_at(std::uint64_t n, const std::function<void()>& work);

}  // namespace rota::test
