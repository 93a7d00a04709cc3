#include "cli/paper.h"

#include <fmt/core.h>
#include <qrencode.h>

#include <algorithm>
#include <memory>

#include "base/error.h"

namespace rota::cli {

namespace {

constexpr int kQuietZone = 4;  // modules; ISO/IEC 18004, section 5.3.8
constexpr std::size_t kGroupsInLine = 5;

struct FreeCode {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

/// The key's text as it is typed: its prefix, then lines of groups.
std::string typed_lines(const std::string& text) {
  std::string lines;
  std::string_view left = text;
  const std::size_t prefix = text.find("-1-") + 2;
  lines += "    " + std::string(left.substr(0, prefix)) + "\n";
  left.remove_prefix(prefix + 1);
  for (std::size_t group = 0; !left.empty(); ++group) {
    const std::size_t size = std::min<std::size_t>(left.find('-'), left.size());
    lines += group % kGroupsInLine == 0 ? "\n    " : "  ";
    lines += left.substr(0, size);
    left.remove_prefix(std::min(size + 1, left.size()));
  }
  return lines + "\n";
}

}  // namespace

std::vector<std::string> qr_code(const std::string& text) {
  const std::unique_ptr<QRcode, FreeCode> code(
      QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1));
  if (!code) throw base::Error(base::ErrorKind::usage, "the text is too long for a QR code");
  const int width = code->width;
  const auto dark = [&](int x, int y) {
    return x >= 0 && y >= 0 && x < width && y < width && (code->data[y * width + x] & 1) != 0;
  };
  std::vector<std::string> lines;
  for (int y = -kQuietZone; y < width + kQuietZone; y += 2) {
    std::string& line = lines.emplace_back();
    for (int x = -kQuietZone; x < width + kQuietZone; ++x) {
      const bool above = dark(x, y);
      const bool below = dark(x, y + 1);
      line += above && below ? "█" : above ? "▀" : below ? "▄" : " ";
    }
  }
  return lines;
}

std::string key_page(const chain::SecretKey& key, const std::string& date) {
  const std::string text = key.text();
  std::string code;
  for (const std::string& line : qr_code(text)) code += "    " + line + "\n";
  return fmt::format(
      R"(ROTA: A SECRET KEY FOR BACKUPS

Whoever holds this page can read every backup that was encrypted for it, and
without this key, or another that the backups were encrypted for, nobody can.
Keep it where the server is not: in a safe, or with somebody you trust.

Printed {}.  It opens what is encrypted for

    {}

The key, to be typed. Small letters will do; spaces and line ends do not matter.
There is no 0, 1, 8 or 9 in it: what looks like one is an O, an I or a B.

{}
The same, to be scanned:

{}
To restore with it, on any machine that has rota: make a file that only you can
read, type the key into it, and check it,

    install -m 600 /dev/null rota.key
    nano rota.key
    rota key check --key rota.key

then give the store (its access keys stand on the recovery sheet):

    rota list --target URL --key rota.key
    rota restore --target URL --key rota.key --to DIR

Store (URL): ________________________________________________________________

Server: _____________________________________________________________________
)",
      date, chain::Recipient(key).text(), typed_lines(text), code);
}

}  // namespace rota::cli
