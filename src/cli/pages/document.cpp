#include "cli/pages/document.h"

#include <fmt/core.h>

#include <algorithm>
#include <pugixml.hpp>

#include "base/error.h"
#include "cli/pages/roff.h"

namespace rota::cli::pages {

namespace {

class Document {
 public:
  Document(std::string name, const std::vector<std::string>& names, const pugi::xml_node& root)
      : name_(std::move(name)),
        names_(names),
        page_(document_page_name(name_), 7, inside(root.child("heading"))) {
    for (const pugi::xml_node& node : root.children()) {
      if (node != root.child("heading")) block(node, true);
    }
    see_also();
  }

  std::string text() const { return page_.text(); }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw base::Error(
        base::ErrorKind::corrupt,
        fmt::format("the document {} cannot be made a man page: it holds {}", name_, what));
  }

  void block(const pugi::xml_node& node, bool top) {
    const std::string_view kind = node.name();
    if (kind == "html_block") return;  // comments
    if (kind == "heading") return heading(node);
    if (top && !under_heading_) {
      page_.heading("DESCRIPTION");
      under_heading_ = true;
    }
    if (kind == "paragraph") {
      page_.paragraph(inside(node));
    } else if (kind == "code_block") {
      page_.lines(node.text().get());
    } else if (kind == "table") {
      table(node);
    } else if (kind == "list") {
      list(node);
    } else {
      refuse(std::string(kind));
    }
  }

  void heading(const pugi::xml_node& node) {
    under_heading_ = true;
    switch (node.attribute("level").as_int()) {
      case 2:
        return page_.heading(inside(node));
      case 3:
        return page_.subheading(inside(node));
      default:
        refuse("a heading of another level than two and three below the first");
    }
  }

  void list(const pugi::xml_node& node) {
    const bool ordered = std::string_view(node.attribute("type").value()) == "ordered";
    int number = node.attribute("start").as_int(1);
    page_.begin_list();
    for (const pugi::xml_node& item : node.children("item")) {
      page_.item(ordered ? fmt::format("{}.", number++) : "\\(bu");
      for (const pugi::xml_node& child : item.children()) block(child, false);
    }
    page_.end_list();
  }

  void table(const pugi::xml_node& node) {
    std::vector<std::vector<Roff>> rows;
    for (const pugi::xml_node& row : node.children()) {
      rows.emplace_back();
      for (const pugi::xml_node& cell : row.children()) rows.back().push_back(inside(cell));
    }
    page_.table(rows);
  }

  Roff inside(const pugi::xml_node& node) const {
    Roff roff;
    for (const pugi::xml_node& part : node.children()) roff += piece(part);
    return roff;
  }

  Roff piece(const pugi::xml_node& node) const {
    const std::string_view kind = node.name();
    if (kind == "text") return prose(node.text().get());
    if (kind == "code") return bold(node.text().get());
    if (kind == "softbreak") return " ";
    if (kind == "emph") return "\\fI" + inside(node) + "\\fR";
    if (kind == "strong") return "\\fB" + inside(node) + "\\fR";
    if (kind == "image") return "[picture: " + inside(node) + "]";
    if (kind == "link") return link(node);
    refuse(std::string(kind));
  }

  /// A document may be named by its file, too.
  Roff prose(std::string_view text) const {
    for (const std::string& name : names_) {
      const std::string file = "docs/" + name + ".md";
      const std::size_t at = text.find(file);
      if (at == std::string_view::npos) continue;
      return prose(text.substr(0, at)) + reference(document_page_name(name), 7) +
             prose(text.substr(at + file.size()));
    }
    return plain(text);
  }

  Roff link(const pugi::xml_node& node) const {
    const std::string to = node.attribute("destination").value();
    Roff text = inside(node);
    if (to.find("://") != std::string::npos) {
      return text == plain(to) ? text : fmt::format("{} <{}>", text, plain(to));
    }
    const std::string document = to.substr(0, to.find(".md"));
    if (to.starts_with('#') || document == name_ || std::ranges::count(names_, document) == 0) {
      return text;
    }
    const Roff page = reference(document_page_name(document), 7);
    return text == plain(document + ".md") ? page : fmt::format("{} ({})", text, page);
  }

  void see_also() {
    page_.heading("SEE ALSO");
    Roff all = reference("rota", 1);
    for (const std::string& name : names_) {
      if (name != name_) all += ", " + reference(document_page_name(name), 7);
    }
    page_.paragraph(all);
  }

  std::string name_;
  const std::vector<std::string>& names_;
  ManPage page_;
  bool under_heading_ = false;
};

}  // namespace

std::string document_page(const std::string& name, const std::vector<std::string>& names,
                          std::string_view xml) {
  pugi::xml_document document;
  // Every blank counts.
  const auto result =
      document.load_buffer(xml.data(), xml.size(),
                           pugi::parse_escapes | pugi::parse_ws_pcdata_single, pugi::encoding_utf8);
  const pugi::xml_node root = document.child("document");
  if (!result || !root || root.child("heading").attribute("level").as_int() != 1) {
    throw base::Error(
        base::ErrorKind::corrupt,
        fmt::format("the document {} is not the XML of cmark-gfm, or has no title", name));
  }
  return Document(name, names, root).text();
}

std::string document_page_name(std::string_view document) {
  return fmt::format("rota-{}", document);
}

}  // namespace rota::cli::pages
