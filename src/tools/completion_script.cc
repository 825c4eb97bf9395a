#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/check.h"
#include "tools/cli.h"

namespace cistern::tools {
namespace {

// What may stand where a value is expected, read off its name in the help.
enum class ValueKind { kWords, kFile, kModel, kFree };

ValueKind kind_of(const OptionDocs& option) {
  if (option.value.find('|') != std::string::npos) return ValueKind::kWords;
  if (option.value == "FILE" || option.value == "DIR") return ValueKind::kFile;
  return option.value == "MODEL" ? ValueKind::kModel : ValueKind::kFree;
}

std::vector<std::string> words_of(const OptionDocs& option) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin <= option.value.size();) {
    const std::size_t end = std::min(option.value.find('|', begin), option.value.size());
    words.push_back(option.value.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// --- bash

constexpr const char* kBashHead =
    R"sh(# bash completion for cistern; source it, or put it into a directory of bash-completion.
_cistern_models() {
  local dir=${CISTERN_MODELS:-${XDG_DATA_HOME:-$HOME/.local/share}/cistern/models} file
  echo guide
  for file in "$dir"/*.gguf; do
    if [[ -e $file ]]; then printf '%s\n' "${file##*/}"; fi
  done
}
_cistern_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_cistern_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); }
_cistern_models_and_files() {
  local IFS=$'\n'
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen -W "$(_cistern_models)" -- "$cur"; compgen -f -- "$cur")
}
_cistern() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} != -* ]]; then command=${COMP_WORDS[i]}; break; fi
  done
)sh";

std::string bash_action(const OptionDocs& option) {
  switch (kind_of(option)) {
    case ValueKind::kWords:
      return fmt::format("_cistern_words '{}'", fmt::join(words_of(option), " "));
    case ValueKind::kFile:
      return "_cistern_files";
    case ValueKind::kModel:
      return "_cistern_models_and_files";
    case ValueKind::kFree:
      return ":";
  }
  return ":";
}

std::string bash_command(const CLI::App& command) {
  std::string values;
  std::string positional = ":";
  std::vector<std::string> names;
  for (const OptionDocs& option : options_of(command)) {
    if (option.positional) {
      positional = bash_action(option);
      continue;
    }
    names.insert(names.end(), option.names.begin(), option.names.end());
    if (!option.value.empty()) {
      values += fmt::format("        {}) {}; return ;;\n", fmt::join(option.names, "|"), bash_action(option));
    }
  }
  std::string out = fmt::format("    {})\n", command.get_name());
  if (!values.empty()) out += fmt::format("      case $prev in\n{}      esac\n", values);
  out += fmt::format("      if [[ $cur == -* ]]; then _cistern_words '{}'; else {}; fi ;;\n",
                     fmt::join(names, " "), positional);
  return out;
}

std::string bash_script(const Cli& cli) {
  std::vector<std::string> first;
  for (const CLI::App* command : cli.commands()) first.push_back(command->get_name());
  for (const OptionDocs& option : options_of(cli.root()))
    first.insert(first.end(), option.names.begin(), option.names.end());
  std::string out = kBashHead;
  out += fmt::format("  case $command in\n    '') _cistern_words '{}' ;;\n", fmt::join(first, " "));
  for (const CLI::App* command : cli.commands()) out += bash_command(*command);
  return out + "  esac\n}\ncomplete -F _cistern cistern\n";
}

// --- zsh

constexpr const char* kZshHead = R"sh(#compdef cistern
# zsh completion for cistern; save it as _cistern in a directory of $fpath.
_cistern_models() {
  local dir=${CISTERN_MODELS:-${XDG_DATA_HOME:-$HOME/.local/share}/cistern/models}
  local -a models
  models=(guide $dir/*.gguf(N:t))
  compadd -a models
  _files
}
)sh";

std::string zsh_quoted(const std::string& text) {
  return '\'' + replace_all(text, "'", "'\\''") + '\'';
}

// Inside an _arguments specification brackets and colons have a meaning.
std::string zsh_text(std::string text) {
  for (const char* special : {"\\", "[", "]", ":"})
    text = replace_all(text, special, std::string("\\") + special);
  return text;
}

std::string zsh_action(const OptionDocs& option) {
  switch (kind_of(option)) {
    case ValueKind::kWords:
      return fmt::format("({})", fmt::join(words_of(option), " "));
    case ValueKind::kFile:
      return "_files";
    case ValueKind::kModel:
      return "_cistern_models";
    case ValueKind::kFree:
      return " ";
  }
  return " ";
}

std::string zsh_command(const CLI::App& command) {
  std::string out = fmt::format("    {})\n      _arguments -s -S", command.get_name());
  for (const OptionDocs& option : options_of(command)) {
    if (option.positional) {
      out += " \\\n        " +
             zsh_quoted(fmt::format(":{}:{}", zsh_text(option.names.front()), zsh_action(option)));
      continue;
    }
    std::string tail = fmt::format("[{}]", zsh_text(option.description));
    if (!option.value.empty()) tail += fmt::format(":{}:{}", zsh_text(option.value), zsh_action(option));
    for (const std::string& name : option.names) {
      const std::string others = fmt::format("({})", fmt::join(option.names, " "));
      out += " \\\n        " + zsh_quoted((option.repeatable ? "*" : others) + name + tail);
    }
  }
  return out + " ;;\n";
}

std::string zsh_script(const Cli& cli) {
  std::string out = kZshHead;
  out += "_cistern() {\n  local curcontext=$curcontext state line\n  local -a commands\n  commands=(\n";
  for (const CLI::App* command : cli.commands()) {
    out += "    " + zsh_quoted(fmt::format("{}:{}", command->get_name(), command->get_description())) + '\n';
  }
  out += "  )\n  _arguments -C";
  for (const OptionDocs& option : options_of(cli.root())) {
    for (const std::string& name : option.names)
      out += ' ' + zsh_quoted(fmt::format("{}[{}]", name, zsh_text(option.description)));
  }
  out += " '1:command:->command' '*::argument:->argument'\n";
  out +=
      "  case $state in\n    command) _describe command commands; return ;;\n    argument) ;;\n    *) "
      "return ;;\n  esac\n";
  out += "  case $line[1] in\n";
  for (const CLI::App* command : cli.commands()) out += zsh_command(*command);
  return out +
         "  esac\n}\nif [[ $funcstack[1] == _cistern ]]; then _cistern \"$@\"; else compdef _cistern "
         "cistern; fi\n";
}

// --- fish

constexpr const char* kFishHead =
    R"sh(# fish completion for cistern; save it as ~/.config/fish/completions/cistern.fish.
function __cistern_models
    set -l dir ~/.local/share/cistern/models
    test -n "$XDG_DATA_HOME"; and set dir $XDG_DATA_HOME/cistern/models
    test -n "$CISTERN_MODELS"; and set dir $CISTERN_MODELS
    echo guide
    for file in $dir/*.gguf
        string replace -r '.*/' '' -- $file
    end
end
complete -c cistern -f
)sh";

std::string fish_quoted(const std::string& text) {
  return '\'' + replace_all(replace_all(text, "\\", "\\\\"), "'", "\\'") + '\'';
}

std::string fish_value(const OptionDocs& option) {
  if (option.value.empty() && !option.positional) return "";
  switch (kind_of(option)) {
    case ValueKind::kWords:
      return fmt::format(" -x -a '{}'", fmt::join(words_of(option), " "));
    case ValueKind::kFile:
      return option.positional ? " -F" : " -r -F";
    case ValueKind::kModel:
      return option.positional ? " -F -a '(__cistern_models)'" : " -r -F -a '(__cistern_models)'";
    case ValueKind::kFree:
      return option.positional ? "" : " -x";
  }
  return "";
}

std::string fish_option(const std::string& condition, const OptionDocs& option) {
  std::string out = fmt::format("complete -c cistern -n {}", fish_quoted(condition));
  if (!option.positional) {
    for (const std::string& name : option.names) {
      out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
  }
  out += fish_value(option);
  if (!option.positional) out += " -d " + fish_quoted(option.description);
  return out + '\n';
}

std::string fish_script(const Cli& cli) {
  std::string out = kFishHead;
  for (const OptionDocs& option : options_of(cli.root())) out += fish_option("__fish_use_subcommand", option);
  for (const CLI::App* command : cli.commands()) {
    out += fmt::format("complete -c cistern -n __fish_use_subcommand -a {} -d {}\n", command->get_name(),
                       fish_quoted(command->get_description()));
    for (const OptionDocs& option : options_of(*command)) {
      out += fish_option("__fish_seen_subcommand_from " + command->get_name(), option);
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const Cli& cli, const std::string& shell) {
  if (shell == "bash") return bash_script(cli);
  if (shell == "zsh") return zsh_script(cli);
  CISTERN_CHECK(shell == "fish");
  return fish_script(cli);
}

}  // namespace cistern::tools
