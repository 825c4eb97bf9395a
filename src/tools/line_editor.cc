#include "tools/line_editor.h"

#include <fcntl.h>
#include <histedit.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "tools/interrupt.h"
#include "tools/output.h"

namespace cistern::tools {
namespace {

namespace fs = std::filesystem;

constexpr int kHistoryLines = 1000;
constexpr char kEscape = '\1';  // encloses what takes no room in a prompt

class PlainLines : public LineEditor {
 public:
  Result<LineReader::Line> read(const std::string&) override { return reader_.next(); }

 private:
  LineReader reader_;
};

// libedit reads and writes multi-byte text only in a UTF-8 locale.
void use_utf8_locale() {
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
}

// The directory and an empty file with the right permissions, so that the text is never readable by others.
void prepare_history(const std::string& path) {
  if (path.empty()) return;
  std::error_code ignored;
  fs::create_directories(fs::path(path).parent_path(), ignored);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  ::chmod(path.c_str(), 0600);
}

// libedit drops an escape sequence at the very end of a prompt, so the last space stays outside.
std::string emphasized(const std::string& prompt) {
  const std::size_t end = prompt.find_last_not_of(' ') + 1;
  return "\1\033[1m\1" + prompt.substr(0, end) + "\1\033[0m\1" + prompt.substr(end);
}

class EditedLines : public LineEditor {
 public:
  explicit EditedLines(bool color) : color_(color), path_(history_path()) {
    use_utf8_locale();
    edit_ = el_init("cistern", stdin, stdout, stderr);
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    prepare_history(path_);
    if (!path_.empty()) history(history_, &event, H_LOAD, path_.c_str());
    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT_ESC, &EditedLines::prompt_of, kEscape);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 0);
    el_set(edit_, EL_HIST, history, history_);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_source(edit_, nullptr);  // the user's ~/.editrc
  }
  ~EditedLines() override {
    HistEvent event;
    if (!path_.empty()) history(history_, &event, H_SAVE, path_.c_str());
    history_end(history_);
    el_end(edit_);
  }
  EditedLines(const EditedLines&) = delete;
  EditedLines& operator=(const EditedLines&) = delete;

  Result<LineReader::Line> read(const std::string& prompt) override {
    prompt_ = color_ ? emphasized(prompt) : prompt;
    const InterruptReads interrupt;
    int length = 0;
    errno = 0;
    const char* text = el_gets(edit_, &length);
    if (text == nullptr || length <= 0) {
      const bool interrupted = errno == EINTR;
      el_reset(edit_);
      CISTERN_TRY_VOID(write_stdout("\n"));
      return LineReader::Line{.text = {},
                              .end = interrupted ? LineReader::End::kInterrupted : LineReader::End::kEof};
    }
    std::string line(text, static_cast<std::size_t>(length));
    HistEvent event;
    if (line.find_first_not_of(" \n") != std::string::npos) history(history_, &event, H_ENTER, line.c_str());
    if (line.ends_with('\n')) line.pop_back();
    return LineReader::Line{.text = std::move(line)};
  }

 private:
  static char* prompt_of(EditLine* edit) {
    EditedLines* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return self->prompt_.data();
  }

  bool color_;
  std::string path_;
  std::string prompt_;
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
};

}  // namespace

std::string history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') return std::string(state) + "/cistern/history";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return std::string(home) + "/.local/state/cistern/history";
  return {};
}

std::unique_ptr<LineEditor> make_line_editor(bool color) {
  if (stdin_is_terminal() && stdout_is_terminal()) return std::make_unique<EditedLines>(color);
  return std::make_unique<PlainLines>();
}

}  // namespace cistern::tools
