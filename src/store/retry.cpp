#include "store/retry.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "base/signals.h"

namespace rota::store {

namespace {

/// Between half of it and all of it, so that clients that failed together do not return together.
std::chrono::milliseconds jittered(std::chrono::milliseconds delay) {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> choose(delay.count() / 2, delay.count());
  return std::chrono::milliseconds(choose(random));
}

}  // namespace

bool Retry::again_at_once() {
  base::check_stop(stop_);
  return ++failed_ < policy_.attempts;
}

bool Retry::again(std::optional<std::chrono::seconds> asked) {
  if (!again_at_once()) return false;
  if (asked) {
    if (*asked > policy_.longest_asked) return false;
    delay_ = policy_.first;
    // Never before, and not all clients in the same moment.
    clock_.sleep(*asked + jittered(policy_.first), stop_);
  } else {
    clock_.sleep(jittered(delay_), stop_);
    delay_ = std::min(delay_ * 2, policy_.longest);
  }
  base::check_stop(stop_);
  return true;
}

std::optional<std::chrono::seconds> retry_after(const HttpResponse& response) {
  const auto text = response.header("retry-after");
  if (!text) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error == std::errc() && end == text->data() + text->size()) {
    return std::chrono::seconds(number);
  }
  const auto until = parse_http_date(*text);
  const auto date = parse_http_date(response.header("date").value_or(""));
  if (!until || !date) return std::nullopt;
  return std::max(*until - *date, std::chrono::seconds(0));
}

}  // namespace rota::store
