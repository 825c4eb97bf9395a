#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/cli.h"
#include "tools/version.h"

namespace cistern::tools {
namespace {

// Text that roff would take for a request or an escape is protected.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += fmt::format("\\&{}", c);
    } else {
      out += c;
    }
  }
  return out;
}

std::string paragraphs(const std::string& text) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", begin), text.size());
    out += ".PP\n" + roff(text.substr(begin, end - begin)) + '\n';
    begin = end + 2;
  }
  return out;
}

std::string option_entry(const OptionDocs& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(fmt::format("\\fB{}\\fR", roff(name)));
  std::string out = fmt::format(".TP\n{}", fmt::join(names, ", "));
  if (!option.value.empty() && !option.positional) out += fmt::format(" \\fI{}\\fR", roff(option.value));
  return out + '\n' + roff(option.description) + '\n';
}

std::string examples(const CommandDocs& docs) {
  std::string out;
  for (const Example& example : docs.examples) {
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(example.command), roff(example.what));
  }
  return out;
}

std::string synopsis(const CLI::App& command) {
  std::string line = fmt::format(".B cistern {}\n", command.get_name());
  for (const OptionDocs& option : options_of(command)) {
    if (!option.positional) continue;
    const std::string name = fmt::format("\\fI{}\\fR", option.names.front());
    line += option.required ? name + '\n' : fmt::format("[{}]\n", name);
  }
  return line + "[\\fIOPTIONS\\fR]\n";
}

constexpr const char* kTail = R"(.SH EXIT STATUS
.TP
0
success
.TP
1
a file, prompt or machine did not allow it; one line on stderr says what and where
.TP
2
the command line makes no sense
.TP
130
stopped by Ctrl\-C
.TP
141
the reader of the output went away
.SH ENVIRONMENT
.TP
.B CISTERN_MODELS
directory in which models are found by the beginning of their file name
.TP
.B XDG_DATA_HOME
its \fIcistern/models\fR is that directory otherwise; unset, \fI~/.local/share\fR is used
.TP
.B XDG_STATE_HOME
its \fIcistern/history\fR keeps the lines typed in \fBcistern chat\fR, its \fIcistern/ledger.jsonl\fR the forecasts and
outcomes of runs; unset, \fI~/.local/state\fR is used
.TP
.B XDG_CACHE_HOME
its \fIcistern\fR folder keeps what was measured of this machine; unset, \fI~/.cache\fR is used
.TP
.B XDG_CONFIG_HOME
its \fIcistern/hardware.csv\fR is a catalogue of hardware of your own; unset, \fI~/.config\fR is used
.TP
.B NO_COLOR
set to anything: no colours, unless \fB\-\-color always\fR
.SH FILES
Nothing but Cistern reads these, and each may be deleted at any time; only \fIhardware.csv\fR is written by you.
.TP
.I ~/.local/state/cistern/ledger.jsonl
one line of numbers for each run: what was forecast and what happened; \fB\-\-no\-ledger\fR adds none
.TP
.I ~/.local/state/cistern/ledger.1.jsonl
the older part of a ledger that has grown beyond 8 MiB
.TP
.I ~/.local/state/cistern/history
lines typed in \fBcistern chat\fR
.TP
.I ~/.cache/cistern/machine.json
figures of \fBcistern machine\fR
.TP
.I ~/.cache/cistern/speed.json
measured speeds that forecasts of \fBcistern plan\fR and of runs are made of
.TP
.I ~/.config/cistern/hardware.csv
rows in the layout of the built\-in catalogue, for \fBcistern plan \-\-on\fR
)";

}  // namespace

std::string man_page(const Cli& cli) {
  const CommandDocs& root = cli.docs(cli.root());
  std::string out = fmt::format(".TH CISTERN 1 \"\" \"cistern {}\" \"User Commands\"\n", kVersion);
  out += fmt::format(".SH NAME\ncistern \\- {}\n.SH SYNOPSIS\n", roff(root.summary));
  bool first = true;
  for (const CLI::App* command : cli.commands()) {
    if (!first) out += ".br\n";
    first = false;
    out += synopsis(*command);
  }
  out += ".SH DESCRIPTION\n" + paragraphs(root.description) + ".SH COMMANDS\n";
  for (const CLI::App* command : cli.commands()) {
    out += fmt::format(".SS {}\n", command->get_name());
    out += paragraphs(cli.docs(*command).description);
    for (const OptionDocs& option : options_of(*command)) out += option_entry(option);
  }
  out += ".SH EXAMPLES\n" + examples(root);
  for (const CLI::App* command : cli.commands()) out += examples(cli.docs(*command));
  return out + kTail;
}

}  // namespace cistern::tools
