#include "store/sftp_folder.h"

#include "store/sftp_files.h"

namespace rota::store {

using Kind = SftpAttributes::Kind;

namespace {

/// What is not there, or cannot be a name there.
bool is_absence(const SftpError& error) {
  return error.code() == SftpCode::no_such_file || error.code() == SftpCode::bad_message;
}

}  // namespace

std::vector<Folder::Entry> SftpFolder::entries(
    const std::function<bool(const std::string&)>& wanted) {
  std::vector<Entry> found;
  for (SftpName& entry : read_names(client_, handle_.get())) {
    if (entry.name.find('/') != std::string::npos) continue;  // no server has such a name
    SftpAttributes attributes = entry.attributes;
    if (attributes.kind == Kind::unknown && (wanted(entry.name) || wanted(entry.name + "/"))) {
      try {
        attributes = client_.attributes(client_.stat(path_ + "/" + entry.name));
      } catch (const SftpError& error) {
        if (!is_absence(error)) throw;
      }
    }
    Entry known{std::move(entry.name), {}};
    if (attributes.kind == Kind::directory) {
      known.key += '/';
    } else if (attributes.kind != Kind::regular) {
      continue;
    } else if (attributes.has_size) {
      known.size = attributes.size;
    }
    if (wanted(known.key)) found.push_back(std::move(known));
  }
  return found;
}

std::unique_ptr<Folder> SftpFolder::open(const std::string& name) {
  const std::string path = path_ + "/" + name;
  const SftpClient::Ticket looking = client_.stat(path);
  const SftpClient::Ticket opening = client_.open_directory(path);
  std::unique_ptr<Folder> folder;
  try {
    const Kind kind = client_.attributes(looking).kind;
    folder = std::make_unique<SftpFolder>(client_, path, client_.handle(opening));
    if (kind != Kind::directory) folder.reset();  // a symbolic link to one
  } catch (const SftpError& error) {
    client_.ignore(opening);
    // Not a directory: OpenSSH says "no such file" to that too, others "failure".
    if (!is_absence(error) && error.code() != SftpCode::failure) throw;
  }
  return folder;
}

std::optional<std::uint64_t> SftpFolder::size_of(const std::string& name) {
  try {
    const SftpAttributes found = client_.attributes(client_.stat(path_ + "/" + name));
    if (found.kind == Kind::regular && found.has_size) return found.size;
  } catch (const SftpError& error) {
    if (!is_absence(error)) throw;
  }
  return std::nullopt;
}

}  // namespace rota::store
