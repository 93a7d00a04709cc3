// How a run's key travels: Envelope, wrap(), unwrap(), and the KeyRing that opens it.

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "chain/crypto.h"
#include "chain/key.h"
#include "chain/names.h"

namespace rota::chain {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::array<std::byte, 12> kNonce{};  // each key encryption key is used once

/// The key that encrypts a run's key for one recipient: known to whoever has either private half.
/// Nothing when `other` cannot be a public key.
std::optional<SecretBytes> key_encryption_key(const SecretKey& own,
                                              const std::array<std::byte, 32>& other,
                                              const std::array<std::byte, 32>& ephemeral,
                                              const std::array<std::byte, 32>& recipient) {
  std::array<std::byte, 32> shared{};
  if (!x25519_shared(own.bytes().view(), other, shared)) return std::nullopt;
  std::array<std::byte, 64> salt;
  std::ranges::copy(recipient, std::ranges::copy(ephemeral, salt.begin()).out);
  std::array<std::byte, 32> key{};
  hkdf_sha256(shared, salt, "rota run key 1", key);
  wipe(shared);
  SecretBytes secret{std::span<const std::byte, 32>(key)};
  wipe(key);
  return secret;
}

/// What the key is of: a run, or an object that belongs to none.
std::string called(std::string_view name) {
  return run_time(name) ? fmt::format("run {}", name) : std::string(name);
}

[[noreturn]] void fail_damaged(std::string_view name) {
  throw Error(ErrorKind::corrupt,
              fmt::format("the key of {} is damaged, or was taken from another", called(name)));
}

std::string names_of(std::span<const Recipient> recipients) {
  std::string names;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (i > 0) names += i + 1 == recipients.size() ? " and " : ", ";
    names += recipients[i].short_text();
  }
  return names;
}

}  // namespace

void Envelope::encode(base::ByteWriter& out) const {
  out.varint(wrapped.size());
  out.raw(ephemeral);
  for (const auto& one : wrapped) out.raw(one);
}

Envelope Envelope::decode(base::ByteReader& in) {
  Envelope envelope;
  const auto count = static_cast<std::size_t>(in.varint_max(kMaxRecipients));
  if (count == 0) throw Error(ErrorKind::corrupt, "a run's key is wrapped for nobody");
  std::ranges::copy(in.raw(envelope.ephemeral.size()), envelope.ephemeral.begin());
  envelope.wrapped.resize(count);
  for (auto& one : envelope.wrapped) std::ranges::copy(in.raw(one.size()), one.begin());
  return envelope;
}

Envelope wrap(const RunKey& key, std::span<const Recipient> recipients, std::string_view run) {
  if (recipients.empty() || recipients.size() > kMaxRecipients) {
    throw Error(ErrorKind::config, fmt::format("a run can be encrypted for 1 to {} recipients, "
                                               "not for {}",
                                               kMaxRecipients, recipients.size()));
  }
  const SecretKey own = SecretKey::generate();
  Envelope envelope;
  envelope.ephemeral = own.public_key();
  for (const Recipient& recipient : recipients) {
    const auto kek =
        key_encryption_key(own, recipient.public_key(), envelope.ephemeral, recipient.public_key());
    if (!kek) {
      throw Error(ErrorKind::config,
                  fmt::format("{} is not the public half of any key", recipient.short_text()));
    }
    gcm_encrypt(kek->view(), kNonce, base::as_bytes(run), key.view(),
                envelope.wrapped.emplace_back());
  }
  return envelope;
}

std::optional<RunKey> unwrap(const Envelope& envelope, std::span<const Recipient> recipients,
                             const SecretKey& secret, std::string_view run) {
  const std::array<std::byte, 32> own = secret.public_key();
  if (std::ranges::find(recipients, own, &Recipient::public_key) == recipients.end()) {
    return std::nullopt;
  }
  if (envelope.wrapped.size() != recipients.size()) fail_damaged(run);
  const auto kek = key_encryption_key(secret, envelope.ephemeral, envelope.ephemeral, own);
  if (!kek) fail_damaged(run);
  // One key may stand twice among the recipients, as a public key and behind a passphrase.
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (recipients[i].public_key() != own) continue;
    std::array<std::byte, 32> plain{};
    if (!gcm_decrypt(kek->view(), kNonce, base::as_bytes(run), envelope.wrapped[i], plain))
      continue;
    RunKey key{std::span<const std::byte, 32>(plain)};
    wipe(plain);
    return key;
  }
  fail_damaged(run);
}

void KeyRing::Wipe::operator()(std::string* text) const {
  wipe(std::as_writable_bytes(std::span(*text)));
  delete text;
}

void KeyRing::add_passphrase(std::string passphrase) {
  passphrases_.emplace_back(new std::string(passphrase));
  wipe(std::as_writable_bytes(std::span(passphrase)));
}

RunKey KeyRing::open(const Envelope& envelope, std::span<const Recipient> recipients,
                     std::string_view run) {
  std::optional<Error> damaged;  // only told when no other key opens the run either
  const auto with = [&](const SecretKey& key) -> std::optional<RunKey> {
    try {
      return unwrap(envelope, recipients, key, run);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::corrupt) throw;
      damaged = error;
      return std::nullopt;
    }
  };
  for (const SecretKey& key : keys_) {
    if (auto opened = with(key)) return std::move(*opened);
  }
  const auto with_passphrase = [&](std::string_view passphrase) -> std::optional<RunKey> {
    for (const Recipient& recipient : recipients) {
      auto key = recipient.unlock(passphrase);
      if (!key) continue;
      auto opened = with(*key);
      add(std::move(*key));  // the other runs of the chain open without scrypt's 0.1 s
      if (opened) return opened;
    }
    return std::nullopt;
  };
  for (const auto& passphrase : passphrases_) {
    if (auto opened = with_passphrase(*passphrase)) return std::move(*opened);
  }
  if (damaged) throw *damaged;
  const bool has_lock = std::ranges::any_of(recipients, &Recipient::has_lock);
  bool tried = !passphrases_.empty();
  if (has_lock && ask_) {
    const auto ask = std::exchange(ask_, nullptr);
    if (auto answer = ask()) {
      tried = true;
      add_passphrase(*answer);
      wipe(std::as_writable_bytes(std::span(*answer)));
      if (auto opened = with_passphrase(*passphrases_.back())) return std::move(*opened);
      if (damaged) throw *damaged;
    }
  }
  const std::string reason = has_lock && tried ? "; the passphrase does not fit"
                             : !keys_.empty()  ? "; the key that was given is another"
                                               : "";
  throw NoKeyError(fmt::format(
      "{} is encrypted for {}{}; give {} with --key FILE{}", called(run), names_of(recipients),
      reason, recipients.size() > 1 ? "the secret key of one of them" : "its secret key",
      has_lock ? ", or the passphrase with --passphrase-file FILE" : ""));
}

}  // namespace rota::chain
