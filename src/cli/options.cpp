#include "cli/options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "base/text.h"

namespace rota::cli {

namespace {

constexpr std::size_t kColumn = 30;     // where the explanations of --help begin
constexpr std::size_t kHelpWidth = 66;  // and how wide they are: 96 columns in all

std::string wrap(const std::string& text) {
  std::istringstream words(text);
  std::string wrapped;
  std::string word;
  std::size_t width = 0;
  while (words >> word) {
    if (width > 0 && width + 1 + word.size() > kHelpWidth) {
      wrapped += '\n';
      width = 0;
    } else if (width > 0) {
      wrapped += ' ';
      ++width;
    }
    wrapped += word;
    width += word.size();
  }
  return wrapped;
}

/// The opposite of wrap().
std::string unwrapped(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// Shows a command's words in the form that a person types, where CLI11 knows one list of texts.
class Help final : public CLI::Formatter {
 public:
  Help(std::string form, const std::string& help) : form_(std::move(form)), help_(wrap(help)) {
    column_width(kColumn);
  }

  std::string make_usage(const CLI::App* /*app*/, std::string name) const override {
    return fmt::format("Usage: {} [OPTIONS] {}\n", name, form_);
  }

  std::string make_positionals(const CLI::App* /*app*/) const override {
    std::stringstream out;
    CLI::detail::format_help(out, form_, help_, kColumn);
    return "\nWords:\n" + out.str();
  }

 private:
  std::string form_;
  std::string help_;
};

/// "rota disk list"
std::string name_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return (parent == nullptr ? "" : name_of(*parent) + " ") + app.get_name();
}

}  // namespace

void Options::words(std::vector<std::string>& into, const std::string& form,
                    const std::string& help, std::size_t least, std::size_t most) {
  words_ = &into;
  form_ = form;
  help_ = help;
  least_ = least;
  most_ = most;
  // Any number for CLI11: check_words() says what is wrong with it in words.
  app_->add_option("WORDS", into)->expected(0, CLI::detail::expected_max_vector_size);
  app_->formatter(std::make_shared<Help>(form, help));
}

void Options::flag(const std::string& names, bool& into, const std::string& help) {
  app_->add_flag(names, into, wrap(help))->disable_flag_override();
}

void Options::text(const std::string& name, std::string& into, const std::string& type,
                   const std::string& help, Need need) {
  app_->add_option(name, into, wrap(help))
      ->type_name(type)
      ->required(need == Need::required)
      ->check([](const std::string& value) { return value.empty() ? "it is empty" : ""; });
}

void Options::list(const std::string& name, std::vector<std::string>& into, const std::string& type,
                   const std::string& help) {
  app_->add_option(name, into, wrap(help))
      ->type_name(type)
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all()
      ->check([](const std::string& value) { return value.empty() ? "it is empty" : ""; });
}

void Options::pass_on(std::vector<std::string>& into) { passed_on_ = &into; }

void Options::note(const std::string& text) { app_->footer(text); }

bool Options::given(const std::string& name) const { return app_->count(name) > 0; }

std::string Options::command() const { return name_of(*app_); }

void Options::refuse(const std::string& problem) const {
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{}; `{} --help` shows the form", problem, command()));
}

/// An option that does not exist, or a word for a command that takes none.
void Options::check_unknown() const {
  std::vector<std::string> unknown = app_->remaining();
  for (const CLI::App* app = app_->get_parent(); app != nullptr && unknown.empty();
       app = app->get_parent()) {
    unknown = app->remaining();  // in front of the command
  }
  if (unknown.empty()) return;
  const std::string word = base::printable(unknown.front());
  if (!word.starts_with('-')) refuse(fmt::format("\"{}\" is one word too many", word));
  std::vector<std::string> known;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const auto meant = base::nearest(word.substr(0, word.find('=')), known);
  refuse(fmt::format("there is no option {}{}", word,
                     meant ? fmt::format(" (did you mean {}?)", *meant) : std::string()));
}

void Options::check_words() const {
  if (words_ == nullptr) return;
  if (words_->size() > most_) {
    refuse(fmt::format("\"{}\" is one word too many for `{} {}`", base::printable((*words_)[most_]),
                       command(), form_));
  }
  if (words_->size() < least_) {
    refuse(fmt::format("a word is missing in `{} {}`", command(), form_));
  }
}

/// Says in words what is wrong with the use of an option that exists.
void Options::explain(const std::string& name, const std::string& problem) const {
  const CLI::Option* option = app_->get_option_no_throw(name);
  if (option == nullptr) option = app_->get_option_no_throw("--" + name);  // of a flag
  if (option == nullptr) refuse(problem);
  if (option->get_items_expected_max() == 0) {
    refuse(option->get_name() + " takes no value");
  }
  if (option->count() > 1) refuse(name + " is there twice");
  refuse(fmt::format("{0} needs a value: {0} {1}", name, option->get_type_name()));
}

CommandLine::CommandLine(const std::string& program, const std::string& summary,
                         const std::string& version, const std::string& note)
    : app_(std::make_unique<CLI::App>(summary, program)) {
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  app_->footer(note);
}

CommandLine::~CommandLine() = default;

Options& CommandLine::add(const std::string& name, const std::string& summary) {
  const std::size_t blank = name.find(' ');
  CLI::App& parent =
      blank == std::string::npos ? *app_ : *app_->get_subcommand(name.substr(0, blank));
  commands_.push_back(
      std::make_unique<Options>(*parent.add_subcommand(name.substr(blank + 1), summary)));
  return *commands_.back();
}

void CommandLine::add_group(const std::string& name, const std::string& summary) {
  app_->add_subcommand(name, summary)->require_subcommand(1);
}

/// CLI11 would say of an unknown command only that one is missing.
void CommandLine::check_command(int argc, char** argv) const {
  check_word("", argc < 2 ? nullptr : argv[1]);
  for (const auto& command : commands_) {
    const CLI::App& group = *command->app_->get_parent();
    if (&group == app_.get() || group.get_name() != argv[1]) continue;
    check_word(group.get_name() + " ", argc < 3 ? nullptr : argv[2]);
    return;
  }
}

/// before: "", or the group with a blank.
void CommandLine::check_word(const std::string& before, const char* word) const {
  const std::string program = app_->get_name() + (before.empty() ? "" : " ") +
                              before.substr(0, before.empty() ? 0 : before.size() - 1);
  if (word == nullptr) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("which command? `{} --help` lists them", program));
  }
  const CLI::App* const app =
      before.empty() ? app_.get() : app_->get_subcommand(before.substr(0, before.size() - 1));
  std::vector<std::string> known;
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(command->get_name());
    if (known.back() == word || word[0] == '-') return;
  }
  const auto meant = base::nearest(word, known);
  throw base::Error(
      base::ErrorKind::usage,
      fmt::format("there is no command \"{}{}\"; {}", before, base::printable(word),
                  meant ? fmt::format("did you mean \"{}{}\"?", before, *meant)
                        : fmt::format("`{} --help` lists those that there are", program)));
}

std::optional<std::size_t> CommandLine::parse(int argc, char** argv) {
  check_command(argc, argv);
  for (std::size_t i = 0; argc > 1 && i < commands_.size(); ++i) {
    if (commands_[i]->passed_on_ == nullptr || commands_[i]->app_->get_name() != argv[1]) continue;
    commands_[i]->passed_on_->assign(argv + 2, argv + argc);
    return i;
  }
  const auto asked_for = [this]() -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < commands_.size(); ++i) {
      if (commands_[i]->app_->parsed()) return i;
    }
    return std::nullopt;
  };
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      app_->exit(error);
      return std::nullopt;
    }
    const auto number = asked_for();
    const std::string problem = error.what();
    if (!number) {
      throw base::Error(
          base::ErrorKind::usage,
          fmt::format("a command is missing; `{} --help` lists them", app_->get_name()));
    }
    const Options& command = *commands_[*number];
    command.check_unknown();  // first: a mistyped option is why another is missing
    if (error.get_name() == "ArgumentMismatch") {
      command.explain(problem.substr(0, problem.find_first_of(": ")), problem);
    }
    command.refuse(error.get_name() == "ValidationError"
                       ? problem.substr(0, problem.find(':')) + " is empty"
                       : problem);
  }
  const auto number = asked_for();
  if (number) commands_[*number]->check_words();
  return number;
}

std::vector<CommandText> CommandLine::describe() const {
  std::vector<CommandText> all;
  describe(*app_, "", all);
  return all;
}

void CommandLine::describe(const CLI::App& app, const std::string& name,
                           std::vector<CommandText>& into) const {
  CommandText text;
  text.name = name;
  text.summary = app.get_description();
  // A command that has no note shows the program's.
  if (&app == app_.get() || app.get_footer() != app_->get_footer()) text.note = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    const bool value = option->get_items_expected_max() > 0;
    text.options.push_back({option->get_name(false, true), value ? option->get_type_name() : "",
                            unwrapped(option->get_description()), option->get_required()});
  }
  for (const auto& command : commands_) {
    if (command->app_ != &app) continue;
    text.form = command->form_;
    text.words = command->help_;
    text.passed_on = command->passed_on_ != nullptr;
  }
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  text.group = !below.empty();
  into.push_back(std::move(text));
  for (const CLI::App* command : below) {
    describe(*command, name + (name.empty() ? "" : " ") + command->get_name(), into);
  }
}

}  // namespace rota::cli
