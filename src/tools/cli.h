// The command line as one tree: commands with their options, descriptions and examples. Parsing, --help,
// shell completions and the man page all read this tree, so they cannot disagree. main.cc fills it and calls
// main(); the add_* functions of commands.h hang one command each into it. Single-threaded.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace cistern::tools {

struct Example {
  std::string command;  // as typed
  std::string what;     // what it does, in a few words
};

struct CommandDocs {
  std::string name;
  std::string summary;      // one line
  std::string description;  // a paragraph or more, for --help and the man page
  std::vector<Example> examples;
};

// An option as help, completions and man page show it.
struct OptionDocs {
  std::vector<std::string> names;  // "-p", "--prompt"; of a positional argument its name alone
  std::string value;               // "TEXT", "FILE", "MODEL", "f32|f16"; empty for a flag
  std::string description;
  std::string group;
  bool positional = false;
  bool required = false;
  bool repeatable = false;
};

class Cli {
 public:
  // Runs the command; the exit status, or what went wrong.
  using Action = std::function<Result<int>()>;

  Cli();

  // Adds a command. What the action needs must live as long as the Cli.
  CLI::App& add(CommandDocs docs, Action action);

  int main(int argc, const char* const* argv);

  const CLI::App& root() const { return *root_; }
  std::vector<const CLI::App*> commands() const;
  const CommandDocs& docs(const CLI::App& app) const { return entries_.at(&app).docs; }

 private:
  struct Entry {
    CommandDocs docs;
    Action action;
  };

  const CLI::App& chosen() const;  // the command on the command line, or the root
  Error explain(const CLI::ParseError& error) const;
  int report(const Error& error) const;

  std::unique_ptr<CLI::App> root_;
  std::map<const CLI::App*, Entry> entries_;
};

std::vector<OptionDocs> options_of(const CLI::App& app);

// An option whose value must be one of a few words.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& description);

// What `cistern --help` and `cistern COMMAND --help` print.
std::string help_text(const Cli& cli, const CLI::App& app);

// A completion script; `shell` is bash, zsh or fish.
std::string completion_script(const Cli& cli, const std::string& shell);

// The manual page in roff (man macros).
std::string man_page(const Cli& cli);

}  // namespace cistern::tools
