#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): as CLI11 has it
class App;
}

namespace rota::cli {

/// An option, as `--help` and the man pages tell of it.
struct OptionText {
  std::string names;  ///< "-v,--verbose"
  std::string type;   ///< "FILE"; empty: it takes no value
  std::string help;   ///< one line
  bool required = false;
};

/// A command or a group of commands, as `--help` and the man pages tell of it.
struct CommandText {
  std::string name;     ///< "disk list"; of the program itself ""
  std::string summary;  ///< one line
  std::string form;     ///< of its words: "[PROFILE] PATH DEST"
  std::string words;    ///< what they are; one line
  std::string note;     ///< what else is to be said, in lines; empty: nothing
  std::vector<OptionText> options;
  bool group = false;      ///< what it takes is one of its commands
  bool passed_on = false;  ///< to a program that explains its words itself
};

/// The words and options that one command takes. The parser's header is very large: only
/// options.cpp includes it. What is bound here is filled in by CommandLine::parse().
class Options {
 public:
  enum class Need { optional, required };

  explicit Options(CLI::App& app) : app_(&app) {}

  /// The words behind the command, `least` to `most` of them. form: as the usage line shows them,
  /// "[PROFILE] PATH DEST".
  void words(std::vector<std::string>& into, const std::string& form, const std::string& help,
             std::size_t least, std::size_t most);
  /// names: "--full" or "-n,--dry-run".
  void flag(const std::string& names, bool& into, const std::string& help);
  /// An option with one value. "" is refused: in a script, a variable that was never set.
  void text(const std::string& name, std::string& into, const std::string& type,
            const std::string& help, Need need = Need::optional);
  /// As text(), and may be given again.
  void list(const std::string& name, std::vector<std::string>& into, const std::string& type,
            const std::string& help);
  /// Everything behind the command, `--help` included, for another program.
  void pass_on(std::vector<std::string>& into);
  /// What else `--help` says, below the options.
  void note(const std::string& text);
  /// Whether an option was given; for a default that depends on it.
  bool given(const std::string& name) const;

 private:
  friend class CommandLine;

  void check_unknown() const;
  void check_words() const;
  [[noreturn]] void explain(const std::string& name, const std::string& problem) const;
  [[noreturn]] void refuse(const std::string& problem) const;
  std::string command() const;

  CLI::App* app_;
  std::vector<std::string>* words_ = nullptr;
  std::vector<std::string>* passed_on_ = nullptr;
  std::string form_;
  std::string help_;
  std::size_t least_ = 0;
  std::size_t most_ = 0;
};

/// The command line of a program with commands.
class CommandLine {
 public:
  CommandLine(const std::string& program, const std::string& summary, const std::string& version,
              const std::string& note);
  ~CommandLine();

  /// Adds a command; what is returned lives as long as this. A name of two words, "disk list", is a
  /// command of the group "disk".
  Options& add(const std::string& name, const std::string& summary);
  /// Adds a group, before its commands.
  void add_group(const std::string& name, const std::string& summary);
  /// The number of the command that was asked for, in the order of add(); nothing when `--help` or
  /// `--version` was, which it prints. Throws Error(usage).
  std::optional<std::size_t> parse(int argc, char** argv);
  /// All that was declared: the program itself, then groups and commands as `--help` lists them,
  /// a group in front of its commands.
  std::vector<CommandText> describe() const;

 private:
  void describe(const CLI::App& app, const std::string& name, std::vector<CommandText>& into) const;
  void check_command(int argc, char** argv) const;
  void check_word(const std::string& before, const char* word) const;

  std::unique_ptr<CLI::App> app_;
  std::vector<std::unique_ptr<Options>> commands_;
};

}  // namespace rota::cli
