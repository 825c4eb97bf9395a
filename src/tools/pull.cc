#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <variant>

#include "engine/engine.h"
#include "engine/model_path.h"
#include "fetch/curl_client.h"
#include "fetch/download.h"
#include "fetch/hub.h"
#include "fetch/model_choice.h"
#include "fetch/names.h"
#include "fetch/source.h"
#include "plan/describe_bytes.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/json_out.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/version.h"

namespace cistern::tools {
namespace {

namespace fs = std::filesystem;
using plan::describe_bytes;

struct PullOptions {
  std::string source;
  std::string to;
  std::string sha256;
  double stall_s = 30;
  int retries = 5;
  bool list = false;
  bool force = false;
  bool json = false;
  std::string color = "auto";
};

// What is to be fetched: the files of one model, and from whom.
struct Pull {
  std::vector<fetch::Download> files;
  fetch::Credentials credentials;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<std::string> folder_of(const PullOptions& options) {
  const std::string folder = options.to.empty() ? engine::models_directory() : options.to;
  if (folder.empty())
    return fail(ErrorCode::kUsage, "there is no models directory: set CISTERN_MODELS or give --to DIR");
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder)) {
    return fail(ErrorCode::kIo, fmt::format("cannot make the folder: {}", error.message()), folder);
  }
  return folder;
}

// Behind a shell's prompt. Names that need no quotes get none.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+,=@";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The line that shows a download on a terminal: a bar while bytes come, words in between.
class Display {
 public:
  explicit Display(std::string what) : what_(std::move(what)) {}

  void update(std::uint64_t done_bytes, std::uint64_t all_bytes) {
    if (!bar_ || done_bytes < last_bytes_) bar_.emplace(what_, all_bytes, done_bytes);
    last_bytes_ = done_bytes;
    bar_->update(done_bytes);
  }
  void say(const std::string& text) {
    if (!words_) words_.emplace(what_, 1);
    words_->say(text);
  }

 private:
  std::string what_;
  std::optional<Progress> words_;
  std::optional<Progress> bar_;
  std::uint64_t last_bytes_ = 0;
};

Result<int> list_variants(const fetch::HubSource& source, const std::vector<fetch::Variant>& variants,
                          bool json) {
  boost::json::array rows;
  std::string text = fmt::format("{:<14} {:>10} {:>5}  {}\n", "quantization", "size", "files", "file");
  for (const fetch::Variant& variant : variants) {
    const bool is_default = variant.quant == fetch::kDefaultQuant || variants.size() == 1;
    rows.push_back({{"quant", variant.quant},
                    {"file", variant.files.front().path},
                    {"files", variant.files.size()},
                    {"bytes", variant.size_bytes},
                    {"default", is_default}});
    text += fmt::format("{:<14} {:>10} {:>5}  {}{}\n", variant.quant.empty() ? "-" : variant.quant,
                        describe_bytes(variant.size_bytes), variant.files.size(),
                        printable(variant.files.front().path), is_default ? "  (default)" : "");
  }
  const boost::json::object document = {{"source", "hf:" + source.repository()}, {"models", rows}};
  CISTERN_TRY_VOID(write_stdout(json ? to_json(document) + "\n" : text));
  return 0;
}

Pull pull_of(const fetch::Hub& hub, const fetch::HubSource& source, const fetch::Variant& variant,
             const std::string& folder) {
  Pull pull{.files = {}, .credentials = hub.credentials()};
  for (std::size_t i = 0; i < variant.files.size(); ++i) {
    const fetch::RepositoryFile& file = variant.files[i];
    pull.files.push_back({.url = hub.file_url(source, file.path),
                          .path = (fs::path(folder) / variant.file_name(i)).string(),
                          .size_bytes = file.size_bytes,
                          .sha256 = file.sha256});
  }
  return pull;
}

// What is there, checked, or downloaded now.
Result<fetch::Downloaded> obtain(fetch::HttpClient& client, const fetch::Download& file, const Pull& pull,
                                 const PullOptions& options, const InterruptFlag& interrupt) {
  const std::string name = fs::path(file.path).filename().string();
  fetch::DownloadOptions how{.credentials = pull.credentials, .retries = options.retries};
  how.cancelled = [&] { return interrupt.raised(); };
  {
    Display checking(fmt::format("checking {}", printable(name)));
    how.progress = [&](std::uint64_t done, std::uint64_t all) { checking.update(done, all); };
    CISTERN_TRY(const auto present, fetch::find_present(file, how));
    if (present) return *present;
  }
  if (!options.json) {
    const std::string size = file.size_bytes ? fmt::format(" ({})", describe_bytes(*file.size_bytes)) : "";
    CISTERN_TRY_VOID(
        write_stdout(fmt::format("pulling {}{} from {} to {}\n", printable(name), size, file.url.host,
                                 printable(fs::path(file.path).parent_path().string()))));
  }
  Display pulling(fmt::format("pulling {}", printable(name)));
  how.progress = [&](std::uint64_t done, std::uint64_t all) { pulling.update(done, all); };
  how.say = [&](const std::string& text) { pulling.say(text); };
  return fetch::fetch_file(client, file, how);
}

// The command that uses the model; an error of opening it.
Result<std::string> command_for(const std::string& path, bool in_models_directory) {
  CISTERN_TRY(const engine::OpenModel model, engine::open_model({.model = path}));
  const std::string name = in_models_directory ? fs::path(path).stem().string() : path;
  const bool generates = engine::require_generator(model).has_value();
  return fmt::format("cistern {} {} {}\"Hello\"", generates ? "run" : "embed", shell_word(name),
                     generates ? "-p " : "");
}

struct Outcome {
  const fetch::Download& file;
  fetch::Downloaded got;
};

std::string text_of(const Outcome& outcome) {
  const auto& [file, got] = outcome;
  const std::string name = printable(fs::path(file.path).filename().string());
  std::string checked = "SHA-256 verified";
  if (!got.verified)
    checked = got.sha256.empty() ? "not compared: no SHA-256 is known" : "SHA-256 " + got.sha256;
  return fmt::format("{}: {}{}, {}\n", name, got.was_there ? "is there already, " : "",
                     describe_bytes(got.size_bytes), checked);
}

boost::json::object json_of(const Outcome& outcome) {
  const auto& [file, got] = outcome;
  return {{"path", file.path},
          {"url", file.url.text()},
          {"bytes", got.size_bytes},
          {"received_bytes", got.received_bytes},
          {"sha256", got.sha256.empty() ? boost::json::value() : boost::json::value(got.sha256)},
          {"verified", got.verified},
          {"was_there", got.was_there}};
}

Result<int> obtain_all(fetch::HttpClient& client, Pull& pull, const PullOptions& options,
                       const InterruptFlag& interrupt) {
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t more_bytes = 0;  // of the parts behind
  for (auto file = pull.files.rbegin(); file != pull.files.rend(); ++file) {
    file->force = options.force;
    file->more_bytes = more_bytes;
    std::error_code ignored;
    if (file->force || !fs::exists(file->path, ignored)) more_bytes += file->size_bytes.value_or(0);
  }
  std::string text;
  boost::json::array files;
  for (const fetch::Download& file : pull.files) {
    CISTERN_TRY(const fetch::Downloaded got, obtain(client, file, pull, options, interrupt));
    text += text_of({file, got});
    files.push_back(json_of({file, got}));
  }
  const std::string& path = pull.files.front().path;
  auto command = command_for(path, options.to.empty());
  if (!command) {
    Error error = std::move(command).error();
    error.message = fmt::format("the file is there, but Cistern cannot run it: {}", error.message);
    return std::unexpected(std::move(error));
  }
  if (!options.json) {
    CISTERN_TRY_VOID(write_stdout(fmt::format("{}to use it: {}\n", text, *command)));
    return 0;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const boost::json::object document = {{"source", options.source},
                                        {"model", path},
                                        {"files", files},
                                        {"seconds", seconds},
                                        {"command", *command}};
  CISTERN_TRY_VOID(write_stdout(to_json(document) + "\n"));
  return 0;
}

Result<int> pull_from_hub(fetch::HttpClient& client, const fetch::Hub& hub, const fetch::HubSource& source,
                          const PullOptions& options, const InterruptFlag& interrupt) {
  if (!options.sha256.empty()) {
    return fail(ErrorCode::kUsage, "the hub says which SHA-256 its files have", "--sha256");
  }
  CISTERN_TRY(const auto files, fetch::list_files(client, hub, source));
  const auto about_repository = [&](Error error) {
    error.where = fmt::format("hf:{}{}{}", source.repository(), error.where.empty() ? "" : ": ", error.where);
    return std::unexpected(std::move(error));
  };
  const auto variants = fetch::variants_of(files);
  if (!variants) return about_repository(variants.error());
  if (options.list) return list_variants(source, *variants, options.json);
  const auto variant = fetch::choose_variant(*variants, source.wanted);
  if (!variant) return about_repository(variant.error());
  CISTERN_TRY(const std::string folder, folder_of(options));
  Pull pull = pull_of(hub, source, *variant, folder);
  return obtain_all(client, pull, options, interrupt);
}

Result<int> pull_from_url(fetch::HttpClient& client, const fetch::Hub& hub, const fetch::UrlSource& source,
                          const PullOptions& options, const InterruptFlag& interrupt) {
  if (options.list)
    return fail(ErrorCode::kUsage, "lists the files of a repository: hf:OWNER/NAME", "--list");
  fetch::Download file{.url = source.url};
  if (!options.sha256.empty()) {
    CISTERN_TRY(file.sha256, fetch::sha256_text(options.sha256));
  }
  CISTERN_TRY(const std::string folder, folder_of(options));
  file.path = (fs::path(folder) / source.file_name).string();
  Pull pull{.files = {std::move(file)}, .credentials = hub.credentials()};
  return obtain_all(client, pull, options, interrupt);
}

Result<int> pull(const PullOptions& options) {
  if (options.source.empty())
    return fail(ErrorCode::kUsage, "SOURCE is required: hf:OWNER/NAME or https://...");
  CISTERN_TRY(const fetch::Source source, fetch::parse_source(options.source));
  CISTERN_TRY(const fetch::Hub hub, fetch::make_hub(environment("HF_ENDPOINT"), environment("HF_TOKEN")));
  const InterruptFlag interrupt;
  CISTERN_TRY(const auto client, fetch::make_curl_client({.user_agent = fmt::format("cistern/{}", kVersion),
                                                          .ca_file = environment("SSL_CERT_FILE"),
                                                          .stall_s = options.stall_s,
                                                          .cancelled = [&] { return interrupt.raised(); }}));
  if (const auto* url = std::get_if<fetch::UrlSource>(&source))
    return pull_from_url(*client, hub, *url, options, interrupt);
  return pull_from_hub(*client, hub, std::get<fetch::HubSource>(source), options, interrupt);
}

}  // namespace

void add_pull(Cli& cli) {
  auto options = std::make_shared<PullOptions>();
  CLI::App& app = cli.add(
      {.name = "pull",
       .summary = "Download a model into the models directory",
       .description = fmt::format("Downloads a GGUF model, all parts of a split one, into the models "
                                  "directory, where every command finds it "
                                  "by name. SOURCE is a repository of the Hugging Face hub, hf:OWNER/NAME, "
                                  "with :QUANT or :FILE behind it, "
                                  "or the https:// address of a .gguf file. Without QUANT it takes {}, or "
                                  "the only model there is.\n\nA "
                                  "download that was interrupted goes on where it ended when the same "
                                  "command is given again. A file gets its "
                                  "name when it is complete and its SHA-256 is that of the hub or of "
                                  "--sha256.\n\nThis is the only command "
                                  "that opens a connection to another machine. It sends the names of what it "
                                  "asks for, its own name and "
                                  "version and, to the hub alone, $HF_TOKEN where that is set. $HF_ENDPOINT "
                                  "is another hub's address; "
                                  "$HTTPS_PROXY, $ALL_PROXY and $NO_PROXY are honoured.",
                                  fetch::kDefaultQuant),
       .examples = {{"cistern pull hf:Qwen/Qwen3-4B-GGUF", "the usual quantization"},
                    {"cistern pull hf:Qwen/Qwen3-4B-GGUF --list", "which there are"},
                    {"cistern pull hf:Qwen/Qwen3-4B-GGUF:Q8_0", "another one"},
                    {"cistern pull https://example.org/m.gguf --sha256 HEX", "a file from anywhere"}}},
      [options] { return pull(*options); });
  app.add_option("SOURCE", options->source, "hf:OWNER/NAME[:QUANT] or https://HOST/PATH/NAME.gguf")
      ->type_name("SOURCE");
  app.add_option("--to", options->to, "Folder to put it in [the models directory]")->type_name("DIR");
  app.add_option("--sha256", options->sha256, "What the file at an https:// address must have")
      ->type_name("HEX");
  app.add_flag("--list", options->list, "Print which quantizations the repository has, and exit");
  app.add_flag("--force", options->force, "Replace a file that is there");
  app.add_option("--stall", options->stall_s,
                 "Give a connection up after so long with next to nothing arriving [30]")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 3600.0).description(""));
  app.add_option("--retries", options->retries, "Attempts in a row that bring nothing new [5]")
      ->type_name("N")
      ->check(CLI::Range(0, 1000).description(""));
  app.add_flag("--json", options->json, "Print one JSON document");
  add_choice(app, "--color", options->color, {"auto", "always", "never"}, "Colours of messages [auto]");
}

}  // namespace cistern::tools
