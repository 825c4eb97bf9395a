#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tools/cli.h"

namespace cistern::tools {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kColumn = 28;  // where descriptions begin

// Breaks at spaces; every line after the first begins with `indent` spaces, and the text starts at column
// `at`.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t at) {
  std::string out;
  std::size_t column = at;
  std::size_t begin = 0;
  while (begin < text.size()) {
    if (text[begin] == '\n') {
      out += '\n' + (begin + 1 < text.size() && text[begin + 1] != '\n' ? std::string(indent, ' ') : "");
      column = indent;
      ++begin;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    const std::size_t length = end - begin;
    if (column > indent && column + 1 + length > kWidth) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > std::max(indent, at)) {
      out += ' ';
      ++column;
    }
    out.append(text, begin, length);
    column += length;
    begin = end < text.size() && text[end] == ' ' ? end + 1 : end;
  }
  return out;
}

std::string usage(const Cli& cli, const CLI::App& app) {
  if (&app == &cli.root()) return "Usage: cistern COMMAND [OPTIONS]\n       cistern COMMAND --help\n";
  std::string line = fmt::format("Usage: cistern {}", app.get_name());
  for (const OptionDocs& option : options_of(app)) {
    if (option.positional)
      line += (option.required ? ' ' + option.names.front() : fmt::format(" [{}]", option.names.front()));
  }
  return line + " [OPTIONS]\n";
}

std::string row(const std::string& left, const std::string& description) {
  std::string out = "  " + left;
  if (out.size() + 2 > kColumn) {
    out += '\n' + std::string(kColumn, ' ');
  } else {
    out.resize(kColumn, ' ');
  }
  return out + wrapped(description, kColumn, kColumn) + '\n';
}

std::string option_rows(const CLI::App& app) {
  std::string positionals;
  std::vector<std::pair<std::string, std::string>> groups;  // title, rows; in order of appearance
  for (const OptionDocs& option : options_of(app)) {
    if (option.positional) {
      positionals += row(option.names.front(), option.description);
      continue;
    }
    auto group = std::ranges::find(groups, option.group, &std::pair<std::string, std::string>::first);
    if (group == groups.end()) group = groups.insert(groups.end(), {option.group, ""});
    // A lone long name is indented as if a short one stood before it.
    std::string left = fmt::format("{}{}", option.names.front().starts_with("--") ? "    " : "",
                                   fmt::join(option.names, ", "));
    if (!option.value.empty()) left += ' ' + option.value;
    group->second += row(left, option.description);
  }
  std::string out;
  if (!positionals.empty()) out += "\nArguments:\n" + positionals;
  for (const auto& [title, rows] : groups) out += fmt::format("\n{}:\n{}", title, rows);
  return out;
}

}  // namespace

std::string help_text(const Cli& cli, const CLI::App& app) {
  const CommandDocs& docs = cli.docs(app);
  std::string out = usage(cli, app) + '\n' + wrapped(docs.description, 0, 0) + '\n';
  if (&app == &cli.root()) {
    out += "\nCommands:\n";
    for (const CLI::App* command : cli.commands())
      out += row(command->get_name(), command->get_description());
  }
  out += option_rows(app);
  out += "\nExamples:\n";
  for (const Example& example : docs.examples) {
    out += fmt::format("  {}\n      {}\n", example.command, wrapped(example.what, 6, 6));
  }
  out += &app == &cli.root() ? "\nThe manual: cistern man | man -l -\n"
                             : "\nMODEL and the environment are explained by: cistern --help\n";
  return out;
}

}  // namespace cistern::tools
