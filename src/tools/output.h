// Everything that commands print goes through here: results to stdout, diagnostics to stderr. A reader that
// went away (`cistern run | head`) and a full disk are Errors like others. Single-threaded, as the commands
// are.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cistern::tools {

// Writes and flushes. Errors: kCancelled with an empty message when nobody reads any more (the program then
// ends quietly), kIo otherwise.
Result<void> write_stdout(std::string_view text);
void write_stderr(std::string_view text);

bool stdout_is_terminal();
bool stderr_is_terminal();
bool stdin_is_terminal();

// Text from files and users on one line of a message: control characters and bytes that are no UTF-8 are
// shown as
// \n, \t or \xNN.
std::string printable(std::string_view text);

// Escape sequences where they are wanted, nothing where not.
class Style {
 public:
  explicit Style(bool on) : on_(on) {}
  // "always", "never", or "auto": on a terminal, unless $NO_COLOR is set or $TERM is dumb.
  static Style choose(std::string_view when, bool terminal);

  bool on() const { return on_; }
  std::string bold(std::string_view text) const { return wrap("1", text); }
  std::string dim(std::string_view text) const { return wrap("2", text); }
  std::string red(std::string_view text) const { return wrap("1;31", text); }

 private:
  std::string wrap(std::string_view code, std::string_view text) const;
  bool on_;
};

}  // namespace cistern::tools
