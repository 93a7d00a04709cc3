#pragma once

#include <libssh/libssh.h>

#include <memory>

namespace rota::store {

struct FreeSession {
  void operator()(ssh_session session) const {
    ssh_disconnect(session);
    ssh_free(session);
  }
};
struct FreeChannel {
  void operator()(ssh_channel channel) const { ssh_channel_free(channel); }
};
struct FreeKey {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
struct FreeString {
  void operator()(char* text) const { ssh_string_free_char(text); }
};

/// libssh's handles, owned.
using SshSession = std::unique_ptr<ssh_session_struct, FreeSession>;
using SshChannel = std::unique_ptr<ssh_channel_struct, FreeChannel>;
using SshKey = std::unique_ptr<ssh_key_struct, FreeKey>;
using SshString = std::unique_ptr<char, FreeString>;

}  // namespace rota::store
