#include "store/s3_place.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace rota::store {

namespace {

constexpr std::string_view kDefaultRegion = "us-east-1";

[[noreturn]] void fail(std::string_view setting, const std::string& value, std::string_view form) {
  throw base::Error(base::ErrorKind::config, fmt::format("s3.{} = \"{}\" cannot be used: write {}",
                                                         setting, base::printable(value), form));
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool is_region(std::string_view region) {
  return !region.empty() && region.size() <= 40 && std::ranges::all_of(region, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

/// A host name or address with perhaps a port: "s3.example.org", "10.0.0.1:9000", "[::1]:9000".
bool is_host(std::string_view host) {
  std::string_view name = host;
  if (const std::size_t colon = host.rfind(':');
      colon != std::string_view::npos && !host.ends_with(']')) {
    const std::string_view digits = host.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port < 1 || port > 65535) {
      return false;
    }
    name = host.substr(0, colon);
  }
  if (name.starts_with('[') && name.ends_with(']')) {
    return name.find_first_not_of("[]:.0123456789abcdef") == std::string_view::npos;
  }
  return !name.empty() && name.size() <= 253 && !name.starts_with('.') &&
         name.find("..") == std::string_view::npos && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

std::string without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  return std::string(host.ends_with(']') ? host : host.substr(0, colon));
}

/// "amazonaws.com" or "amazonaws.com.cn" for Amazon's hosts, else "".
std::string_view amazon_domain(std::string_view host) {
  for (const std::string_view domain : {"amazonaws.com", "amazonaws.com.cn"}) {
    if (host == domain ||
        (host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.')) {
      return domain;
    }
  }
  return "";
}

std::string amazon_host(std::string_view region) {
  return fmt::format("s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
}

/// The last two parts of a name; a whole address.
std::string_view domain_of(std::string_view name) {
  if (name.starts_with('[') || name.find_first_not_of(".0123456789") == std::string_view::npos) {
    return name;
  }
  const std::size_t last = name.rfind('.');
  if (last == std::string_view::npos || last == 0) return name;
  const std::size_t before = name.rfind('.', last - 1);
  return before == std::string_view::npos ? name : name.substr(before + 1);
}

/// True for hosts of one provider. Two parts of a name are taken for a domain, which is too
/// generous for domains as "co.uk"; a host there still has to show a certificate for its name.
bool same_provider(const std::string& one, const std::string& other) {
  const std::string first = without_port(one);
  const std::string second = without_port(other);
  if (!amazon_domain(first).empty()) return amazon_domain(first) == amazon_domain(second);
  return domain_of(first) == domain_of(second);
}

/// Buckets that can be part of a host's name; a dot would break the certificate's wildcard.
bool fits_host(std::string_view bucket) {
  return std::ranges::all_of(
      bucket, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

/// The region in "s3.<region>.…", as Amazon, Backblaze, Wasabi, Scaleway and others name hosts.
std::string region_in(std::string_view host) {
  if (host == "storage.googleapis.com") return "auto";
  if (!host.starts_with("s3.") || std::ranges::count(host, '.') < 3) return "";
  const std::string_view rest = host.substr(3);
  const std::string_view region = rest.substr(0, rest.find('.'));
  const bool numbered = region.find('-') != std::string_view::npos;  // and no "s3.dualstack.…"
  return numbered && is_region(region) ? std::string(region) : "";
}

void read_endpoint(const std::string& endpoint, S3Place& place) {
  constexpr std::string_view kForm = "https://HOST or https://HOST:PORT";
  std::string host = lower(endpoint);
  place.tls = !host.starts_with("http://");
  if (const std::size_t scheme = host.find("://"); scheme != std::string::npos) {
    const std::string_view name = std::string_view(host).substr(0, scheme);
    if (name != "http" && name != "https") fail("endpoint", endpoint, kForm);
    host.erase(0, scheme + 3);
  }
  while (host.ends_with('/')) host.pop_back();
  // The Host header, which is signed, leaves the scheme's own port out.
  const std::string_view own_port = place.tls ? ":443" : ":80";
  if (host.ends_with(own_port)) host.erase(host.size() - own_port.size());
  if (!is_host(host)) fail("endpoint", endpoint, kForm);
  place.host = host;
}

}  // namespace

std::string S3Place::host_header() const { return path_style ? host : bucket + "." + host; }

std::string S3Place::path(const std::string& key) const {
  if (!path_style) return "/" + key;
  return key.empty() ? "/" + bucket : "/" + bucket + "/" + key;
}

std::string S3Place::url(const std::string& key, const NameValues& query) const {
  const std::string question = s3_query(query);
  return fmt::format("{}://{}{}{}{}", tls ? "https" : "http", host_header(), s3_path(path(key)),
                     question.empty() ? "" : "?", question);
}

S3Place s3_place(const std::string& bucket, const StoreSettings::S3& settings) {
  S3Place place;
  place.bucket = bucket;
  place.region = settings.region;
  if (!place.region.empty() && !is_region(place.region)) {
    fail("region", settings.region, "it as the provider does, such as eu-central-1");
  }
  if (settings.endpoint.empty()) {
    place.of_region = true;
    if (place.region.empty()) place.region = kDefaultRegion;
    place.host = amazon_host(place.region);
  } else {
    read_endpoint(settings.endpoint, place);
    if (place.region.empty()) place.region = region_in(without_port(place.host));
    if (place.region.empty()) place.region = kDefaultRegion;
  }
  const bool amazon = !amazon_domain(without_port(place.host)).empty();
  place.path_style = settings.path_style.value_or(!amazon || !fits_host(bucket));
  return place;
}

std::optional<S3Place> redirected(const S3Place& place, const S3Error& told) {
  S3Place next = place;
  const bool new_region = is_region(told.region) && told.region != place.region;
  if (new_region) next.region = told.region;
  if (new_region && place.of_region) {
    next.host = amazon_host(next.region);
    return next;
  }
  std::string host = lower(told.endpoint);
  if (host.starts_with(place.bucket + ".")) host.erase(0, place.bucket.size() + 1);
  if (is_host(host) && host != place.host) {
    if (!same_provider(place.host, host)) return std::nullopt;
    next.host = host;
    next.of_region = false;
    return next;
  }
  if (!new_region) return std::nullopt;
  return next;
}

}  // namespace rota::store
