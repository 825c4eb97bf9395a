#include "tools/chat_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/nearest.h"
#include "tools/input.h"

namespace cistern::tools {

struct ChatSession::Command {
  const char* name;
  const char* argument;  // empty: takes none
  const char* help;
  Result<void> (ChatSession::*run)(const std::string&);
};

std::span<const ChatSession::Command> ChatSession::commands() {
  static constexpr std::array kCommands = {
      Command{"/help", "", "show this list", &ChatSession::show_help},
      Command{"/reset", "", "forget the conversation, but not the system message", &ChatSession::reset},
      Command{"/system", "TEXT", "set the system message and begin anew; without TEXT: none",
              &ChatSession::set_system},
      Command{"/save", "FILE", "write the conversation to a file", &ChatSession::save},
      Command{"/load", "FILE", "go on with the conversation of a file", &ChatSession::load},
      Command{"/stats", "", "speed and memory of the last answer", &ChatSession::show_stats},
      Command{"/quit", "", "leave (Ctrl-D too)", &ChatSession::quit},
  };
  return kCommands;
}

ChatSession::ChatSession(std::unique_ptr<engine::Engine> engine, text::jinja::Template chat,
                         Settings settings)
    : engine_(std::move(engine)), chat_(std::move(chat)), settings_(std::move(settings)) {
  conversation_.model = std::filesystem::path(engine_->model().path).filename().string();
  conversation_.system = settings_.system;
}

std::string ChatSession::help() {
  std::string out;
  for (const Command& command : commands()) {
    out += fmt::format("  {:<14} {}\n", fmt::format("{} {}", command.name, command.argument), command.help);
  }
  return out +
         "  A line that ends in \\ goes on in the next; \"\"\" begins a message of many lines and ends it.\n"
         "  Ctrl-C stops an answer.\n";
}

Result<void> ChatSession::handle(const std::string& input) {
  const std::size_t begin = input.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return {};
  return input[begin] == '/' ? run_command(input.substr(begin)) : say(input);
}

Result<void> ChatSession::run_command(const std::string& input) {
  const std::size_t space = std::min(input.find_first_of(" \t\n"), input.size());
  const std::string name = input.substr(0, space);
  const std::size_t begin = input.find_first_not_of(" \t\n", space);
  std::string argument = begin == std::string::npos ? "" : input.substr(begin);
  argument.erase(argument.find_last_not_of(" \t\n") + 1);
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    names.emplace_back(command.name);
    if (name != command.name) continue;
    const bool takes_argument = *command.argument != '\0';
    if (!takes_argument && !argument.empty()) return fail(ErrorCode::kUsage, "takes no argument", name);
    return (this->*command.run)(argument);
  }
  const std::string suggestion = nearest(name, names);
  return fail(ErrorCode::kUsage,
              suggestion.empty() ? "unknown command; /help lists them"
                                 : fmt::format("unknown command; did you mean {}?", suggestion),
              name);
}

Result<void> ChatSession::say(const std::string& message) {
  CISTERN_TRY_VOID(require_utf8(message, "message"));
  std::vector<Message> messages = conversation_.all_messages();
  messages.push_back({.role = "user", .content = message});
  engine::Request request;
  CISTERN_TRY(request.prompt, chat_prompt(engine_->model(), chat_, messages));
  if (request.prompt.size() >= engine_->context_tokens()) {
    return fail(
        ErrorCode::kTooLong,
        fmt::format("the conversation has {} tokens, the context {}: /reset, or start with a larger --ctx",
                    request.prompt.size(), engine_->context_tokens()));
  }
  request.sampling = settings_.sampling;
  request.stop = settings_.stop;
  request.max_tokens = settings_.max_tokens;
  request.speculate = settings_.speculate;
  const auto show = [&](std::string_view text) {
    return write_stdout(for_display(text, settings_.terminal));
  };
  CISTERN_TRY(Answer answer, generate(*engine_, std::move(request), show));
  CISTERN_TRY_VOID(write_stdout(answer.text.ends_with('\n') ? "" : "\n"));
  last_ = answer.stats;
  if (settings_.after_answer) settings_.after_answer(*engine_, answer.stats);
  if (answer.reason == engine::StopReason::kCancelled && answer.text.empty())
    return note("stopped; the message is dropped");
  conversation_.messages.push_back({.role = "user", .content = message});
  conversation_.messages.push_back({.role = "assistant", .content = answer.text});
  if (settings_.stats) write_stderr(stats_line(answer.stats) + "\n");
  if (answer.reason == engine::StopReason::kContextFull) {
    return note(fmt::format("the context of {} tokens is full: /reset, or start with a larger --ctx",
                            engine_->context_tokens()));
  }
  return {};
}

Result<void> ChatSession::reset(const std::string&) {
  conversation_.messages.clear();
  return note("the conversation is forgotten");
}

Result<void> ChatSession::set_system(const std::string& argument) {
  CISTERN_TRY_VOID(require_utf8(argument, "/system"));
  conversation_.system = argument;
  conversation_.messages.clear();
  return note(argument.empty() ? "no system message, a new conversation"
                               : "system message set, a new conversation");
}

Result<void> ChatSession::save(const std::string& argument) {
  if (argument.empty()) return fail(ErrorCode::kUsage, "name a file", "/save");
  CISTERN_TRY_VOID(save_conversation(conversation_, argument));
  return note(fmt::format("{} messages saved", conversation_.messages.size()));
}

Result<void> ChatSession::load(const std::string& argument) {
  if (argument.empty()) return fail(ErrorCode::kUsage, "name a file", "/load");
  CISTERN_TRY(Conversation loaded, load_conversation(argument));
  loaded.model = conversation_.model;
  conversation_ = std::move(loaded);
  return note(fmt::format("{} messages loaded", conversation_.messages.size()));
}

Result<void> ChatSession::show_stats(const std::string&) {
  if (!last_) return note("no answer yet");
  return write_stdout(stats_line(*last_) + "\n");
}

Result<void> ChatSession::show_help(const std::string&) {
  return write_stdout(help());
}

Result<void> ChatSession::quit(const std::string&) {
  quit_ = true;
  return {};
}

// For the person at the terminal; scripts get answers only.
Result<void> ChatSession::note(const std::string& text) const {
  return settings_.terminal ? write_stdout(fmt::format("({})\n", text)) : Result<void>();
}

}  // namespace cistern::tools
