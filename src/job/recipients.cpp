#include "job/recipients.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;

std::vector<chain::Recipient> recipients_of(const profile::Profile& profile) {
  const auto fail = [&](const std::string& reason) {
    throw Error(ErrorKind::config, fmt::format("encrypt_to in the profile {} cannot be used: {}",
                                               profile.name, reason));
  };
  std::vector<chain::Recipient> recipients;
  for (const std::string& text : profile.encrypt_to) {
    try {
      recipients.push_back(chain::Recipient::parse(text));
    } catch (const Error& error) {
      fail(error.what());
    }
    if (std::ranges::count(recipients, recipients.back()) > 1) {
      fail(recipients.back().short_text() + " stands there twice");
    }
  }
  if (recipients.size() > chain::kMaxRecipients) {
    fail(fmt::format("it names {} recipients, and there can be {}", recipients.size(),
                     chain::kMaxRecipients));
  }
  return recipients;
}

}  // namespace rota::job
