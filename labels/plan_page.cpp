#include "labels/plan_page.h"

#include <fmt/core.h>

#include <algorithm>

#include "labels/codes.h"
#include "labels/text_box.h"

namespace rota::labels {

namespace {

using recovery::PlanBlock;
using Wrap = TextBox::Wrap;

constexpr double kMargin = 17;
constexpr double kText = 3.4;
constexpr double kSmall = 2.8;
constexpr double kTitle = 6.5;
constexpr double kHeading = 4.2;
constexpr double kBox = 3.2;  // to be ticked
constexpr double kBlank = 8;  // a line to write on
constexpr double kColumnGap = 3;
constexpr double kCodeSide = 34;  // on paper; a telephone reads modules of 0.4 mm
constexpr double kCodeGap = 6;

/// Sets block after block, and begins a page where the next does not fit.
class PlanPages {
 public:
  PlanPages(Paper& paper, const recovery::Plan& plan, double width, double height)
      : paper_(paper), plan_(plan), width_(width), height_(height), inner_(width - 2 * kMargin) {}

  void draw() {
    next_page();
    text({{plan_.title, true}}, kTitle, 0);
    text({{plan_.made, false}}, kSmall, 0);
    if (plan_.secret) {
      text({{"THIS PAGE HOLDS A SECRET KEY. Keep it in the safe, and make no copy.", true}}, kText,
           0);
    }
    codes();
    for (const PlanBlock& block : plan_.blocks) draw(block);
  }

 private:
  void next_page() {
    page_ = paper_.begin(width_, height_);
    cairo_set_source_rgb(page_, 0, 0, 0);
    cairo_set_line_width(page_, 0.2);
    y_ = kMargin;
    const TextBox foot(page_, {{fmt::format("{} · page {}", plan_.title, ++number_), false}},
                       kSmall, inner_, Wrap::anywhere);
    foot.draw(kMargin, height_ - kMargin + 4);
  }

  void need(double room) {
    if (y_ + room > height_ - kMargin) next_page();
  }

  void text(const std::vector<TextBox::Line>& lines, double size, double indent,
            const char* family = "Sans", double after = 1.5) {
    const TextBox box(page_, lines, size, inner_ - indent, Wrap::anywhere, family);
    need(box.height());
    // A new page is another surface: what was measured for the last is set anew.
    const TextBox here(page_, lines, size, inner_ - indent, Wrap::anywhere, family);
    here.draw(kMargin + indent, y_);
    y_ += here.height() + after;
  }

  void draw(const PlanBlock& block) {
    using Kind = PlanBlock::Kind;
    switch (block.kind) {
      case Kind::heading:
        need(kHeading * 5);  // not alone at the foot of a page
        y_ += 2;
        text({{block.text, true}}, kHeading, 0);
        break;
      case Kind::paragraph:
        text({{block.text, false}}, kText, 0);
        break;
      case Kind::command:
        text({{block.text, false}}, kText * 0.9, 6, "Monospace", 0.8);
        break;
      case Kind::tick:
        need(kText * 3);
        cairo_rectangle(page_, kMargin, y_ + 0.4, kBox, kBox);
        cairo_stroke(page_);
        text({{block.text, false}}, kText, kBox + 2);
        break;
      case Kind::table:
        table(block);
        break;
      case Kind::blank:
        blank(block.text);
        break;
    }
  }

  void blank(const std::string& what) {
    need(kBlank);
    y_ += kBlank - kText;
    double x = kMargin;
    if (!what.empty()) {
      const TextBox box(page_, {{what + ":", false}}, kText, inner_, Wrap::anywhere);
      box.draw(x, y_ - 1);
      x += box.width() + 2;
    }
    cairo_move_to(page_, x, y_ + kText);
    cairo_line_to(page_, width_ - kMargin, y_ + kText);
    cairo_stroke(page_);
    y_ += kText + 0.5;
  }

  /// As wide as each column wants to be, or all of them narrower by the same share.
  std::vector<double> columns(const PlanBlock& block) const {
    std::vector<double> wide(block.headings.size(), 0);
    const auto measure = [&](const std::vector<std::string>& cells, bool bold) {
      for (std::size_t i = 0; i < std::min(cells.size(), wide.size()); ++i) {
        wide[i] =
            std::max(wide[i], TextBox(page_, {{cells[i], bold}}, kSmall, 0, Wrap::none).width() +
                                  kColumnGap);
      }
    };
    measure(headings(block), true);
    for (const auto& row : block.rows) measure(row, false);
    double sum = 0;
    for (const double width : wide) sum += width;
    if (sum > inner_) {
      for (double& width : wide) width *= inner_ / sum;
    }
    return wide;
  }

  static std::vector<std::string> headings(const PlanBlock& block) {
    std::vector<std::string> texts = block.headings;
    for (std::string& heading : texts) {
      if (heading.starts_with('>')) heading.erase(0, 1);  // see base::table()
    }
    return texts;
  }

  void table(const PlanBlock& block) {
    const std::vector<double> wide = columns(block);
    row(headings(block), wide, true);
    for (const auto& cells : block.rows) row(cells, wide, false);
    y_ += 2;
  }

  void row(const std::vector<std::string>& cells, const std::vector<double>& wide, bool bold) {
    const auto cell = [&](std::size_t i) {
      return TextBox(page_, {{cells[i], bold}}, kSmall, wide[i] - kColumnGap / 2, Wrap::anywhere);
    };
    const std::size_t count = std::min(cells.size(), wide.size());
    double high = 0;
    for (std::size_t i = 0; i < count; ++i) high = std::max(high, cell(i).height());
    need(high + 1.5);
    double x = kMargin;
    for (std::size_t i = 0; i < count; ++i) {
      cell(i).draw(x, y_);
      x += wide[i];
    }
    y_ += high + 0.7;
    cairo_move_to(page_, kMargin, y_);
    cairo_line_to(page_, std::min(x, width_ - kMargin), y_);
    cairo_stroke(page_);
    y_ += 0.8;
  }

  void codes() {
    double x = kMargin;
    for (const recovery::PlanCode& code : plan_.codes) {
      if (x + kCodeSide > width_ - kMargin) {
        x = kMargin;
        y_ += kCodeSide + kCodeGap;
      }
      need(kCodeSide + kCodeGap);
      const Modules modules = qr_modules(code.text, Correct::medium);
      const double module = kCodeSide / (modules.width + 2 * kQrQuiet);
      for (int row = 0; row < modules.height; ++row) {
        for (int column = 0; column < modules.width; ++column) {
          if (!modules.at(column, row)) continue;
          cairo_rectangle(page_, x + (column + kQrQuiet) * module, y_ + (row + kQrQuiet) * module,
                          module, module);
        }
      }
      cairo_fill(page_);
      const TextBox caption(page_, {{code.caption, false}}, kSmall, kCodeSide, Wrap::anywhere);
      caption.draw(x + 2, y_ + kCodeSide - 1);
      x += kCodeSide + kCodeGap;
    }
    if (!plan_.codes.empty()) y_ += kCodeSide + kCodeGap;
  }

  Paper& paper_;
  const recovery::Plan& plan_;
  double width_;
  double height_;
  double inner_;
  cairo_t* page_ = nullptr;
  double y_ = 0;
  int number_ = 0;
};

}  // namespace

void render_plan(Paper& paper, const recovery::Plan& plan, double width, double height) {
  PlanPages(paper, plan, width, height).draw();
}

}  // namespace rota::labels
