#include "store/s3_range.h"

#include <charconv>

namespace rota::store {

namespace {

/// "bytes 5-9/100": where it begins and ends, and how large the whole is.
struct ContentRange {
  std::uint64_t first = 0, last = 0, whole = 0;
};

std::optional<ContentRange> parse(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  // A number and the character behind it.
  const auto take = [&](std::uint64_t& value, std::string_view end) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (!text.starts_with(end)) return false;
    text.remove_prefix(end.size());
    return true;
  };
  ContentRange range;
  const bool whole = take(range.first, "-") && take(range.last, "/") && take(range.whole, "");
  if (!whole || !text.empty()) return std::nullopt;
  return range;
}

}  // namespace

bool is_range(const HttpResponse& response, std::uint64_t first, std::size_t size) {
  const auto range = parse(response.header("content-range").value_or(""));
  if (!range || response.cut || range->first != first || range->last < first ||
      range->last >= range->whole) {
    return false;
  }
  const std::uint64_t got = range->last - first + 1;
  return response.body.size() == got && got <= size &&
         (got == size || range->last + 1 == range->whole);
}

}  // namespace rota::store
