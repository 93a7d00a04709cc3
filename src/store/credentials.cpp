#include "store/credentials.h"

#include <openssl/crypto.h>

namespace rota::store {

Credentials::~Credentials() {
  // The whole capacity: a short string that was moved from still lies in its own buffer.
  OPENSSL_cleanse(key.data(), key.capacity());
}

}  // namespace rota::store
