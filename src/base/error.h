#pragma once

#include <stdexcept>
#include <string>

namespace rota::base {

/// What an error means for the person who reads it, and so for the exit status.
enum class ErrorKind {
  usage,        ///< wrong words on the command line
  config,       ///< a profile or setting that cannot be used
  not_found,    ///< the thing that was asked for does not exist
  unavailable,  ///< a store or server that may answer later
  locked,       ///< another rota works on the same thing
  refused,      ///< a safety rule says no
  corrupt,      ///< stored data that is not what was written
  io,           ///< the operating system could not do it
  interrupted   ///< a person or the system asked to stop
};

/// The one exception type. The text is a whole sentence for people: what happened, to what, and
/// what to do. Context is added at level borders only.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// The process exit status for an error of this kind (see docs/manual.md, "Exit status").
int exit_code(ErrorKind kind);

/// True when the same operation may succeed if it is tried again unchanged.
bool is_retryable(ErrorKind kind);

/// The operating system's reason in words, lower case, without a number: "no space left on device".
std::string os_reason(int error_number);

/// Throws a FileError (base/file.h) for a failed system call: "<doing> <what>: <reason>". The kind
/// is io, except ENOENT, which is not_found.
[[noreturn]] void throw_os(const std::string& doing, const std::string& what, int error_number);

/// Exit statuses that are not errors.
inline constexpr int kExitDone = 0;
inline constexpr int kExitWarnings = 3;

}  // namespace rota::base
