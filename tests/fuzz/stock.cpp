// A file of stock.d.
#include "labels/stock.h"
#include "base/bytes.h"
#include "base/text.h"
#include "fuzz/fuzz.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(base::as_text(fuzz::Input(data, size).rest()));
  labels::Stock stock;
  std::string message;
  if (!fuzz::accepted([&] { stock = labels::parse_stock(text, "fuzz"); }, {base::ErrorKind::config},
                      &message)) {
    fuzz::require(message.starts_with("fuzz:"), "a message names the file: " + message);
    fuzz::require(base::is_utf8(message), "a message is UTF-8");
    return 0;
  }
  for (int cell = 0; cell < stock.per_page(); ++cell) {
    const labels::Box box = box_of(stock, cell);
    fuzz::require(box.x >= 0 && box.y >= 0 && box.width >= 8 && box.height >= 8 &&
                      box.x + box.width <= stock.page_width + 0.1 &&
                      box.y + box.height <= stock.page_height + 0.1,
                  "a label lies on its paper");
  }
  return 0;
}
