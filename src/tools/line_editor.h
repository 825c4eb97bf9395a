// Lines from a person or a script for the chat: with editing and history on a terminal (libedit), plainly
// otherwise. History is kept in a file that only its owner can read. Single-threaded; one editor at a time.
#pragma once

#include <memory>
#include <string>

#include "tools/input.h"

namespace cistern::tools {

class LineEditor {
 public:
  virtual ~LineEditor() = default;
  // The prompt is shown on a terminal only. kInterrupted: Ctrl-C, whatever was typed is dropped.
  virtual Result<LineReader::Line> read(const std::string& prompt) = 0;
};

// libedit when stdin and stdout are terminals, else plain lines. `color` emphasizes the prompt.
std::unique_ptr<LineEditor> make_line_editor(bool color);

// $XDG_STATE_HOME/cistern/history, else ~/.local/state/cistern/history; empty when neither can be known.
std::string history_path();

}  // namespace cistern::tools
