#include "support/sftp_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>

#include "base/file.h"
#include "base/process.h"

namespace rota::test {

namespace {

constexpr const char* kSshd = "/usr/sbin/sshd";
constexpr const char* kSftpServer = "/usr/lib/openssh/sftp-server";
constexpr const char* kKeygen = "/usr/bin/ssh-keygen";

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int free_port() {
  const base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), any, size) != 0 || ::getsockname(fd.get(), any, &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

bool answers(int port) {
  const base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  if (entry == nullptr) throw std::runtime_error("the tester has no user name");
  return entry->pw_name;
}

/// The processes that descend from `ancestor`, itself not among them.
std::vector<pid_t> descendants(pid_t ancestor) {
  std::multimap<pid_t, pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t end = line.rfind(')');
    if (end == std::string::npos) continue;  // it has ended
    // "PID (name) state PPID ..."
    children.emplace(std::stoi(line.substr(end + 4)), std::stoi(name));
  }
  std::vector<pid_t> found{ancestor};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

}  // namespace

std::string run_program(const std::vector<std::string>& argv) {
  const base::ProcessResult result = base::real_processes().run({argv, {}});
  if (result.status != 0) {
    throw std::runtime_error(
        fmt::format("{}: status {}: {}", argv.at(0), result.status, result.output));
  }
  return result.output;
}

void make_ssh_key(const std::string& file, const std::string& passphrase) {
  run_program({kKeygen, "-q", "-t", "ed25519", "-N", passphrase, "-f", file});
}

std::optional<std::string> SftpServer::missing() {
  for (const char* program : {kSshd, kSftpServer, kKeygen}) {
    if (::access(program, X_OK) != 0) return std::string(program) + " is not installed";
  }
  return std::nullopt;
}

SftpServer::SftpServer(const Options& options) : port_(free_port()) {
  ::signal(SIGPIPE, SIG_IGN);                        // as rota's own main does
  if (::geteuid() == 0) ::mkdir("/run/sshd", 0755);  // where sshd puts itself; it insists
  ::mkdir(root().c_str(), 0700);
  make_ssh_key(dir_ / "host");
  make_ssh_key(key());
  write(known_hosts(), fmt::format("[127.0.0.1]:{} {}", port_, read(dir_ / "host.pub")));
  std::string config = fmt::format(
      "ListenAddress 127.0.0.1\nPort {}\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\n"
      "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
      "PermitRootLogin prohibit-password\nMaxStartups 100\nSubsystem sftp {} {}\n",
      port_, dir_ / "host", dir_ / "user.pub", kSftpServer, options.arguments);
  for (const std::string& line : options.lines) config += line + "\n";
  write(dir_ / "sshd_config", config);
  start();
}

SftpServer::~SftpServer() { stop(); }

void SftpServer::start() {
  const std::string config = dir_ / "sshd_config";
  const std::string log_file = dir_ / "log";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves no server behind
    ::execl(kSshd, kSshd, "-D", "-f", config.c_str(), "-E", log_file.c_str(), nullptr);
    ::_exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!answers(port_)) {
    int status = 0;
    const bool ended = ::waitpid(pid_, &status, WNOHANG) == pid_;
    if (ended) pid_ = -1;
    if (ended || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("sshd does not start: " + log());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void SftpServer::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGSTOP);  // takes no new ones while the others go
  signal_sessions(SIGKILL);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void SftpServer::signal_sessions(int signal) const {
  for (const pid_t each : descendants(pid_)) ::kill(each, signal);
}

std::size_t SftpServer::logins() const {
  const std::string text = log();
  std::size_t count = 0;
  for (std::size_t at = text.find("Accepted publickey"); at != std::string::npos;
       at = text.find("Accepted publickey", at + 1)) {
    ++count;
  }
  return count;
}

std::string SftpServer::log() const { return read(dir_ / "log"); }

std::string SftpServer::url(const std::string& path) const {
  return fmt::format("sftp://{}@127.0.0.1:{}{}", user_name(), port_, path);
}

store::SftpTarget SftpServer::target(const std::string& path) const {
  return store::parse_sftp_target(url(path));
}

store::SftpSettings SftpServer::settings() const {
  store::SftpSettings settings;
  settings.key = key();
  settings.known_hosts = known_hosts();
  settings.config = "/dev/null";
  settings.patience = std::chrono::seconds(20);
  return settings;
}

}  // namespace rota::test
