#include "cli/pages/help_text.h"

#include <sstream>

namespace rota::cli::pages {

namespace {

void append(std::string& text, std::string_view more) {
  text += (text.empty() ? "" : " ") + std::string(more);
}

/// "-o,--out FILE" -> names and type. Names may stand apart: "--help, --version".
OptionText option_of(const std::string& spec) {
  std::size_t end = spec.find(' ');
  while (end != std::string::npos && spec[end - 1] == ',') end = spec.find(' ', end + 1);
  return {spec.substr(0, end), end == std::string::npos ? "" : spec.substr(end + 1), "", false};
}

class Reader {
 public:
  CommandText read(const std::string& help) {
    std::istringstream lines(help);
    std::getline(lines, text_.summary);
    for (std::string line; std::getline(lines, line);) take(line);
    return std::move(text_);
  }

 private:
  void take(const std::string& line) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos) {
      explained_ = nullptr;
    } else if (begin == 0) {
      explained_ = nullptr;
      from_the_edge(line);
    } else if (begin == 2) {
      row(line.substr(begin));
    } else if (explained_ != nullptr) {
      append(*explained_, line.substr(begin));
    }
  }

  void from_the_edge(const std::string& line) {
    constexpr std::string_view kOptions = "[OPTIONS] ";
    if (line.starts_with("Usage: ")) {
      const std::size_t form = line.find(kOptions);
      if (form != std::string::npos) text_.form = line.substr(form + kOptions.size());
    } else if (line.ends_with(':')) {
      words_ = line != "Options:";
    } else {
      append(text_.note, line);
    }
  }

  void row(const std::string& line) {
    const std::size_t gap = std::min(line.find("  "), line.size());
    if (words_) {
      explained_ = &text_.words;
    } else {
      text_.options.push_back(option_of(line.substr(0, gap)));
      explained_ = &text_.options.back().help;
    }
    const std::size_t help = line.find_first_not_of(' ', gap);
    if (help != std::string::npos) append(*explained_, line.substr(help));
  }

  CommandText text_;
  std::string* explained_ = nullptr;
  bool words_ = false;
};

}  // namespace

CommandText read_help(const std::string& help) { return Reader().read(help); }

}  // namespace rota::cli::pages
