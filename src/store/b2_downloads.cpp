#include "store/b2_downloads.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "store/store.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;

namespace {

/// No object is so large, and "bytes=a-b" cannot overflow.
constexpr std::uint64_t kBeyondAll = 1ULL << 53;
constexpr int kMostRenewals = 3;
constexpr const char* kCall = "download";  ///< for the session's pauses

/// "bytes 0-9/100": first, last, size.
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size = 0;
};

std::optional<ContentRange> parse_range(std::string_view text) {
  ContentRange range;
  const auto take = [&](std::string_view before, std::uint64_t& number) {
    if (!text.starts_with(before)) return false;
    text.remove_prefix(before.size());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc();
  };
  const bool whole = take("bytes ", range.first) && take("-", range.last) && take("/", range.size);
  if (!whole || !text.empty()) return std::nullopt;
  return range;
}

/// What is wrong with an answer, to be asked for again; empty when it is right.
using Check = std::function<std::string(const HttpResponse&)>;

/// Sends until there is an answer that `check` accepts: a success, or status 416.
HttpResponse fetch(B2Session& session, const B2File& file, const std::string& range,
                   std::uint64_t limit, const Check& check) {
  const std::string doing = "the download of " + file.name;
  std::shared_ptr<const B2Account> account = session.account();
  int renewals = 0;
  bool damaged = false;
  Retry retry = session.retry();
  for (;;) {
    session.await_pause(kCall);
    std::string reason;
    std::optional<std::chrono::seconds> pause;
    try {
      HttpRequest request{.method = "GET",
                          .url = account->download_url + file.path,
                          .headers = {{"Authorization", account->token}},
                          .max_response = limit};
      if (!range.empty()) request.headers.emplace_back("Range", range);
      HttpResponse response = session.send(request);
      if (response.success() || response.status == 416) {
        reason = check(response);
        if (reason.empty()) return response;
        damaged = true;
      } else {
        const B2Refusal refusal = read_refusal(response);
        if (refusal.token_expired() && renewals++ < kMostRenewals) {
          account = session.renew(account);
          continue;
        }
        if (refusal.status == 404) {
          throw Error(ErrorKind::not_found, fmt::format("there is no object {} in the store {}",
                                                        file.name, session.description()));
        }
        if (!refusal.passing()) throw_refusal(refusal, doing, session.description());
        reason = refusal.text();
        pause = retry_after(response);
        if (pause) session.note_pause(kCall, *pause);
        damaged = false;
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable ||
          dynamic_cast<const B2Error*>(&error) != nullptr) {
        throw;
      }
      reason = error.what();
      damaged = false;
    }
    if (retry.again(pause)) continue;
    if (!damaged) session.give_up(doing, reason);
    throw Error(ErrorKind::corrupt,
                fmt::format("the object {} in the store {} arrives damaged each time: {}; restore "
                            "an earlier run, or see whether a proxy changes what it passes on",
                            file.name, session.description(), reason));
  }
}

/// B2 sends it with every file, "none" where it knows no hash; nobody else does.
std::optional<std::string> sha1_header(const HttpResponse& response) {
  return response.header("x-bz-content-sha1");
}

}  // namespace

B2File file_by_name(const B2Session& session, const std::string& name) {
  const BucketTarget& target = session.target();
  return {name, "/file/" + percent_encode(target.bucket, false) + "/" +
                    percent_encode(target.prefix + name, true)};
}

B2File file_by_id(const std::string& name, const std::string& id) {
  return {name, "/b2api/v4/b2_download_file_by_id?fileId=" + percent_encode(id, false)};
}

base::Bytes download(B2Session& session, const B2File& file, std::uint64_t limit) {
  const auto check = [](const HttpResponse& response) -> std::string {
    const auto known = sha1_header(response);
    if (response.status != 200 || !known)
      return "what answers is not B2; is there a proxy in between?";
    const std::string expected = sha1_of(*known);
    if (response.cut || expected.empty()) return "";
    return object_hash(HashKind::sha1, response.body) == expected ? "" : "its SHA-1 is another";
  };
  HttpResponse response = fetch(session, file, "", limit, check);
  if (response.cut) {
    throw Error(ErrorKind::corrupt,
                fmt::format("the object {} in the store {} is larger than the {} bytes that it may "
                            "have",
                            file.name, session.description(), limit));
  }
  return std::move(response.body);
}

std::size_t download_range(B2Session& session, const B2File& file, std::uint64_t offset,
                           std::span<std::byte> buffer) {
  if (buffer.empty() || offset >= kBeyondAll) return 0;
  const std::uint64_t last = offset + buffer.size() - 1;
  const auto check = [&](const HttpResponse& response) -> std::string {
    if (response.status == 416) return "";
    if (!sha1_header(response)) return "what answers is not B2; is there a proxy in between?";
    if (response.status != 206)
      return "all of it came instead of a part; does a proxy drop ranges?";
    const auto range = parse_range(response.header("content-range").value_or(""));
    if (!range || range->first != offset || range->size <= offset ||
        range->last != std::min(last, range->size - 1) || response.cut ||
        response.body.size() != range->last - range->first + 1) {
      return "another part of it came than was asked for";
    }
    return "";
  };
  const HttpResponse response =
      fetch(session, file, fmt::format("bytes={}-{}", offset, last), buffer.size(), check);
  if (response.status == 416) return 0;
  std::ranges::copy(response.body, buffer.begin());
  return response.body.size();
}

}  // namespace rota::store
