// The state of `cistern chat` between two lines: conversation, engine, last statistics; and what a line does,
// be it a message or a command like /save. Knows nothing of how lines are typed. Single-threaded.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "tools/answer.h"
#include "tools/conversation.h"

namespace cistern::tools {

class ChatSession {
 public:
  struct Settings {
    sample::SamplerOptions sampling;
    std::vector<std::string> stop;
    std::uint32_t max_tokens = 0;
    std::string system;
    bool stats = false;  // after every answer
    bool speculate = true;
    bool terminal = false;
    std::function<void(const engine::Engine&, const engine::Stats&)> after_answer;  // may be empty
  };

  ChatSession(std::unique_ptr<engine::Engine> engine, text::jinja::Template chat, Settings settings);

  // Answers a message or carries out a command. An error concerns this line alone, but for a closed stdout;
  // the conversation is then as it was before.
  Result<void> handle(const std::string& input);
  bool wants_to_quit() const { return quit_; }

  static std::string help();

 private:
  struct Command;
  static std::span<const Command> commands();

  Result<void> say(const std::string& message);
  Result<void> run_command(const std::string& input);
  Result<void> reset(const std::string& argument);
  Result<void> set_system(const std::string& argument);
  Result<void> save(const std::string& argument);
  Result<void> load(const std::string& argument);
  Result<void> show_stats(const std::string& argument);
  Result<void> show_help(const std::string& argument);
  Result<void> quit(const std::string& argument);
  Result<void> note(const std::string& text) const;

  std::unique_ptr<engine::Engine> engine_;
  text::jinja::Template chat_;
  Settings settings_;
  Conversation conversation_;
  std::optional<engine::Stats> last_;
  bool quit_ = false;
};

}  // namespace cistern::tools
