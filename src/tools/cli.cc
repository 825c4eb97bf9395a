#include "tools/cli.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>

#include "base/nearest.h"
#include "tools/json_out.h"
#include "tools/output.h"
#include "tools/version.h"

namespace cistern::tools {
namespace {

constexpr int kInterruptedStatus = 130;   // what a shell reports for a program that SIGINT ended
constexpr int kClosedStdoutStatus = 141;  // and SIGPIPE

const CommandDocs kRootDocs = {
    .name = "cistern",
    .summary = "runs language models on this machine",
    .description =
        "Cistern opens a GGUF model file, tells you what is in it and generates text from it. Without a "
        "model it "
        "uses the small guide that is built in.\n\nMODEL is a path, the beginning of a file name in the "
        "models "
        "directory ($CISTERN_MODELS, else $XDG_DATA_HOME/cistern/models, else "
        "~/.local/share/cistern/models), or "
        "'guide' for the built-in model.",
    .examples = {{"cistern run -p \"What is the KV cache?\"", "ask the built-in guide"},
                 {"cistern chat qwen3-4b", "talk with a model of the models directory"},
                 {"cistern inspect model.gguf", "see what a file holds"},
                 {"cistern run --help", "every option of a command, with examples"}}};

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const OptionDocs& option : options_of(app)) {
    if (!option.positional) names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::string with_suggestion(std::string message, const std::string& typed,
                            const std::vector<std::string>& names) {
  const std::string name = nearest(typed, names);
  if (!name.empty()) message += fmt::format("; did you mean {}?", name);
  return message;
}

}  // namespace

Cli::Cli() : root_(std::make_unique<CLI::App>(kRootDocs.summary, kRootDocs.name)) {
  root_->set_help_flag("-h,--help", "Show this help and exit");
  root_->set_version_flag("--version", fmt::format("cistern {}", kVersion), "Show the version and exit");
  root_->require_subcommand(0, 1);
  entries_[root_.get()] = {.docs = kRootDocs, .action = {}};
}

CLI::App& Cli::add(CommandDocs docs, Action action) {
  CLI::App& app = *root_->add_subcommand(docs.name, docs.summary);
  app.set_help_flag("-h,--help", "Show this help and exit");
  entries_[&app] = {.docs = std::move(docs), .action = std::move(action)};
  return app;
}

std::vector<const CLI::App*> Cli::commands() const {
  const auto all = root_->get_subcommands([](const CLI::App*) { return true; });
  return {all.begin(), all.end()};
}

const CLI::App& Cli::chosen() const {
  const auto parsed = root_->get_subcommands();
  return parsed.empty() ? *root_ : *parsed.front();
}

int Cli::main(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed stdout is an error of write_stdout()
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow any more is an error of the write
  Result<int> status = 0;
  try {
    root_->parse(argc, argv);
    const Action& action = entries_.at(&chosen()).action;
    if (action) {
      status = action();
    } else if (auto written = write_stdout(help_text(*this, *root_)); !written) {
      status = std::unexpected(written.error());
    }
  } catch (const CLI::CallForHelp&) {
    if (auto written = write_stdout(help_text(*this, chosen())); !written)
      status = std::unexpected(written.error());
  } catch (const CLI::CallForVersion& version) {
    if (auto written = write_stdout(std::string(version.what()) + "\n"); !written)
      status = std::unexpected(written.error());
  } catch (const CLI::ParseError& error) {
    status = std::unexpected(explain(error));
  }
  return status ? *status : report(status.error());
}

Error Cli::explain(const CLI::ParseError& error) const {
  const CLI::App& app = chosen();
  const bool at_root = &app == root_.get();
  const std::string help = at_root ? "cistern --help" : fmt::format("cistern {} --help", app.get_name());
  // What nobody knows is named first: "FILE is required" does not help who mistyped an option.
  const std::vector<std::string> unknown = root_->remaining(true);
  const auto option = std::ranges::find_if(
      unknown, [](const std::string& word) { return word.starts_with('-') && word != "--"; });
  std::string message;
  if (option != unknown.end()) {
    const std::string typed = option->substr(0, option->find('='));
    message = with_suggestion(fmt::format("unknown option {}", typed), typed, option_names(app));
  } else if (!unknown.empty() && at_root) {
    std::vector<std::string> names;
    for (const CLI::App* command : commands()) names.push_back(command->get_name());
    message = with_suggestion(fmt::format("unknown command {}", unknown.front()), unknown.front(), names);
  } else if (!unknown.empty()) {
    message = fmt::format("unexpected argument {}", unknown.front());
  } else {
    message = error.what();
  }
  return {ErrorCode::kUsage, fmt::format("{} (see {})", message, help), at_root ? "" : app.get_name()};
}

int Cli::report(const Error& error) const {
  if (error.code == ErrorCode::kCancelled && error.message.empty()) return kClosedStdoutStatus;
  const CLI::Option* color = chosen().get_option_no_throw("--color");
  const std::string when = color != nullptr && color->count() > 0 ? color->as<std::string>() : "auto";
  const Style style = Style::choose(when, stderr_is_terminal());
  write_stderr(fmt::format("{} {}\n", style.red("cistern:"), printable(describe(error))));
  const CLI::Option* json = chosen().get_option_no_throw("--json");
  if (json != nullptr && json->count() > 0) {
    // Nobody is left to tell if this fails too.
    static_cast<void>(write_stdout(to_json(boost::json::object{{"error", json_error(error)}}) + "\n"));
  }
  return error.code == ErrorCode::kCancelled ? kInterruptedStatus : exit_status(error.code);
}

std::vector<OptionDocs> options_of(const CLI::App& app) {
  std::vector<OptionDocs> all;
  for (const CLI::Option* option : app.get_options()) {
    OptionDocs docs;
    docs.positional = option->get_positional();
    if (docs.positional) {
      docs.names.push_back(option->get_name(true));
    } else {
      for (const std::string& name : option->get_snames()) docs.names.push_back("-" + name);
      for (const std::string& name : option->get_lnames()) docs.names.push_back("--" + name);
    }
    if (option->get_expected_max() > 0) docs.value = option->get_type_name();
    docs.description = option->get_description();
    docs.group = option->get_group();
    docs.required = option->get_required();
    docs.repeatable = option->get_expected_max() > 1;
    if (docs.group.empty()) continue;  // hidden
    all.push_back(std::move(docs));
  }
  // --help is the first that CLI11 adds; people look for it at the end.
  const auto help = std::ranges::find_if(all, [](const OptionDocs& o) { return o.names.back() == "--help"; });
  if (help != all.end()) std::rotate(help, help + 1, all.end());
  return all;
}

CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& description) {
  const auto check = [choices](const std::string& given) {
    if (std::ranges::find(choices, given) != choices.end()) return std::string();
    return with_suggestion(fmt::format("{} is none of {}", given, fmt::join(choices, ", ")), given, choices);
  };
  return app.add_option(name, value, description)
      ->type_name(fmt::format("{}", fmt::join(choices, "|")))
      ->check(CLI::Validator(check, ""));
}

}  // namespace cistern::tools
