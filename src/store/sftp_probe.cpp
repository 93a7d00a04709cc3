#include "store/sftp_probe.h"

#include "store/sftp_put.h"

namespace rota::store {

using Answer = Right::Answer;

namespace {

constexpr const char* kProbe = "doctor-probe";

Answer answer_of(const std::optional<SftpError>& failed) {
  if (!failed) return Answer::yes;
  return failed->code() == SftpCode::permission_denied ? Answer::no : Answer::unknown;
}

/// The status of a request that gives a handle, which is closed.
std::optional<SftpError> try_to_open(SftpClient& client, SftpClient::Ticket opening) {
  try {
    const SftpHandle handle(client, client.handle(opening));
    return std::nullopt;
  } catch (const SftpError& error) {
    return error;
  }
}

void look_for_room(SftpClient& client, const std::string& root, StorePowers& powers) {
  if (!client.has(SftpClient::kStatvfs)) return;
  try {
    const SftpRoom room = client.room(client.statvfs(root));
    powers.free_bytes = room.no_files ? 0 : room.free_bytes;
    powers.read_only = room.read_only;
  } catch (const SftpError&) {  // there is nothing there yet, or it is not told
  }
}

}  // namespace

StorePowers probe_account(SftpClient& client, const std::string& root) {
  StorePowers powers;
  powers.nature = StorePowers::Nature::account;
  look_for_room(client, root, powers);
  const std::string probe = root + "/" + kSftpTemporary + "/" + kProbe;
  const std::optional<SftpError> made = try_to_open(client, client.create(probe));
  // "Failure" is for one that stands there from before, since it could not be removed.
  if (made && made->code() != SftpCode::failure) {
    // Neither made nor removed: the account only reads. One of both may have other reasons.
    if (made->code() == SftpCode::permission_denied) {
      powers.may_delete.answer = answer_of(client.failure(client.remove(probe)));
      if (powers.may_delete.no()) powers.may_overwrite.answer = Answer::no;
    }
    return powers;
  }
  powers.may_overwrite.answer = answer_of(try_to_open(client, client.open_to_write(probe)));
  powers.may_delete.answer = answer_of(client.failure(client.remove(probe)));
  return powers;
}

}  // namespace rota::store
