#include "labels/codes.h"

#include <fmt/core.h>
#include <qrencode.h>
#include <zint.h>

#include <memory>

#include "base/error.h"
#include "base/text.h"

namespace rota::labels {

namespace {

using base::Error;
using base::ErrorKind;

struct FreeQr {
  void operator()(QRcode* code) const { QRcode_free(code); }
};
struct FreeSymbol {
  void operator()(zint_symbol* symbol) const { ZBarcode_Delete(symbol); }
};

}  // namespace

Modules qr_modules(const std::string& text, Correct correct) {
  const std::unique_ptr<QRcode, FreeQr> code(QRcode_encodeString(
      text.c_str(), 0, correct == Correct::low ? QR_ECLEVEL_L : QR_ECLEVEL_M, QR_MODE_8, 1));
  if (!code) throw Error(ErrorKind::usage, "the text is too long for a QR code");
  Modules modules{code->width, code->width, {}};
  for (int i = 0; i < code->width * code->width; ++i) {
    modules.dark.push_back((code->data[i] & 1) != 0);
  }
  return modules;
}

Modules code128_modules(const std::string& text) {
  const std::unique_ptr<zint_symbol, FreeSymbol> symbol(ZBarcode_Create());
  if (!symbol) throw std::bad_alloc();
  symbol->symbology = BARCODE_CODE128;
  const int status =
      ZBarcode_Encode(symbol.get(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (status >= ZINT_ERROR || symbol->rows != 1) {
    throw Error(ErrorKind::usage, fmt::format("\"{}\" cannot be printed as a bar code: {}",
                                              base::printable(text), symbol->errtxt));
  }
  Modules modules{symbol->width, 1, {}};
  for (int x = 0; x < symbol->width; ++x) {
    modules.dark.push_back((symbol->encoded_data[0][x / 8] >> (x % 8) & 1) != 0);
  }
  return modules;
}

}  // namespace rota::labels
