#pragma once

#include <string>

namespace rota::tree {

/// A name in a directory that is about to be made: at its place, which must be free, or, to replace
/// what may be there, beside it and then over it by one rename.
///
///   NewName name(parent, "file", replace);
///   ... make something in `parent` under name.here() ...
///   name.is_made();
///   if (!name.commit()) ... errno says why ...
///
/// What was made and not committed is removed by the destructor.
class NewName {
 public:
  /// parent: a directory's descriptor, which outlives this object.
  NewName(int parent, std::string name, bool replace);
  NewName(const NewName&) = delete;
  NewName& operator=(const NewName&) = delete;
  ~NewName();

  const char* here() const { return here_.c_str(); }
  void is_made() { made_ = true; }
  /// Takes away what was made.
  void remove();
  /// False leaves errno set: EISDIR where a directory stands in the way.
  bool commit();

 private:
  int parent_;
  std::string name_;
  std::string here_;
  bool replace_;
  bool made_ = false;
};

}  // namespace rota::tree
