#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rota::cli::pages {

/// A document of docs/ as a page of section 7, "rota-NAME".
///
/// xml:   what `cmark-gfm -e table -t xml` makes of it. cmark-gfm's own man pages are no use: its
///        tables do not wrap, and a link to another document stays a file's name.
/// names: the documents that have a page: a link to one of them becomes a reference.
/// Throws Error(corrupt) for what is no such XML, or holds what this does not know.
std::string document_page(const std::string& name, const std::vector<std::string>& names,
                          std::string_view xml);

/// "rota-disks"
std::string document_page_name(std::string_view document);

}  // namespace rota::cli::pages
