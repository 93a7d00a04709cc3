#include "labels/text_box.h"

#include <algorithm>

#include "base/text.h"

namespace rota::labels {

namespace {

struct FreeDescription {
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
};
struct FreeOptions {
  void operator()(cairo_font_options_t* options) const { cairo_font_options_destroy(options); }
};

std::string markup(const std::vector<TextBox::Line>& lines) {
  std::string text;
  for (const TextBox::Line& line : lines) {
    if (!text.empty()) text += '\n';
    const std::string clean = base::is_utf8(line.text) ? line.text : base::printable(line.text);
    const std::unique_ptr<char, decltype(&g_free)> escaped(
        g_markup_escape_text(clean.c_str(), static_cast<gssize>(clean.size())), g_free);
    text += line.bold ? std::string("<b>") + escaped.get() + "</b>" : escaped.get();
  }
  return text;
}

double mm(int units) { return static_cast<double>(units) / PANGO_SCALE; }

}  // namespace

TextBox::TextBox(cairo_t* page, const std::vector<Line>& lines, double size, double width,
                 Wrap wrap, const char* family)
    : page_(page), layout_(pango_cairo_create_layout(page)) {
  // A letter is as wide on every printer and screen: what was measured is what is drawn.
  const std::unique_ptr<cairo_font_options_t, FreeOptions> options(cairo_font_options_create());
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  PangoContext* context = pango_layout_get_context(layout_.get());
  pango_cairo_context_set_font_options(context, options.get());
  pango_context_set_round_glyph_positions(context, FALSE);
  const std::unique_ptr<PangoFontDescription, FreeDescription> font(pango_font_description_new());
  pango_font_description_set_family(font.get(), family);
  pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
  pango_layout_set_font_description(layout_.get(), font.get());
  if (wrap != Wrap::none) {
    pango_layout_set_width(layout_.get(), static_cast<int>(width * PANGO_SCALE));
    pango_layout_set_wrap(layout_.get(),
                          wrap == Wrap::words ? PANGO_WRAP_WORD : PANGO_WRAP_WORD_CHAR);
  }
  const std::string text = markup(lines);
  pango_layout_set_markup(layout_.get(), text.c_str(), static_cast<int>(text.size()));
  PangoRectangle ink;
  PangoRectangle logical;
  pango_layout_get_extents(layout_.get(), &ink, &logical);
  left_ = mm(std::min({ink.x, logical.x, 0}));
  top_ = mm(std::min({ink.y, logical.y, 0}));
  right_ = mm(std::max(ink.x + ink.width, logical.x + logical.width)) - left_;
  bottom_ = mm(std::max(ink.y + ink.height, logical.y + logical.height)) - top_;
}

bool TextBox::fits(double wide, double high) const { return right_ <= wide && bottom_ <= high; }

void TextBox::draw(double x, double y) const {
  cairo_move_to(page_, x - left_, y - top_);
  pango_cairo_update_layout(page_, layout_.get());
  pango_cairo_show_layout(page_, layout_.get());
}

}  // namespace rota::labels
