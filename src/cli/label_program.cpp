#include "cli/label_program.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/error.h"

namespace rota::cli {

std::string label_program() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string beside = (self.parent_path() / "rota-label").string();
  return !error && ::access(beside.c_str(), X_OK) == 0 ? beside : "rota-label";
}

void run_label_program(const std::vector<std::string>& words) {
  std::string program = label_program();
  std::vector<char*> argv{program.data()};
  std::vector<std::string> copies = words;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);
  ::execvp(argv[0], argv.data());
  const int reason = errno;
  if (reason == ENOENT) {
    throw base::Error(base::ErrorKind::config,
                      "the program rota-label, which draws, is not installed; `rota plan` without "
                      "--pdf prints the plan as text, without it");
  }
  base::throw_os("cannot run", program, reason);
}

}  // namespace rota::cli
