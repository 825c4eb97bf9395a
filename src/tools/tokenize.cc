#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "engine/engine.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/input.h"
#include "tools/json_lines.h"
#include "tools/json_out.h"
#include "tools/output.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

struct TokenizeOptions {
  ModelFlags model;
  std::optional<std::string> text;
  bool special = false;
  bool pieces = false;
  bool json = false;
  bool json_lines = false;
};

json::object encoded_json(const text::Tokenizer& tokenizer, std::span<const text::TokenId> ids) {
  json::array pieces;
  for (const text::TokenId id : ids) pieces.push_back(json::string(tokenizer.piece(id)));
  return {{"ids", json_ids(ids)}, {"pieces", std::move(pieces)}};
}

Result<json::object> answer_line(const text::Tokenizer& tokenizer, const json::object& request) {
  const json::value* text = request.if_contains("text");
  if (text == nullptr || !text->is_string()) return fail(ErrorCode::kFormat, "expected a string", "text");
  const json::value* special = request.if_contains("special");
  if (special != nullptr && !special->is_bool())
    return fail(ErrorCode::kFormat, "expected true or false", "special");
  const json::string& bytes = text->get_string();
  CISTERN_TRY(const auto ids,
              tokenizer.encode({bytes.data(), bytes.size()}, special != nullptr && special->get_bool()));
  return encoded_json(tokenizer, ids);
}

Result<int> tokenize(const TokenizeOptions& options) {
  CISTERN_TRY(const engine::OpenModel model, engine::open_model(open_options(options.model)));
  const text::Tokenizer& tokenizer = *model.tokenizer;
  if (options.json_lines) {
    return answer_json_lines([&](const json::object& request) { return answer_line(tokenizer, request); });
  }
  CISTERN_TRY(const std::string text,
              options.text && *options.text != "-" ? Result<std::string>(*options.text) : read_stdin());
  CISTERN_TRY_VOID(require_utf8(text, "text"));
  CISTERN_TRY(const auto ids, tokenizer.encode(text, options.special));
  std::string out;
  if (options.json) {
    out = to_json(encoded_json(tokenizer, ids)) + "\n";
  } else if (options.pieces) {
    for (const text::TokenId id : ids) out += fmt::format("{:>7} {}\n", id, printable(tokenizer.piece(id)));
  } else {
    out = fmt::format("{}\n", fmt::join(ids, " "));
  }
  CISTERN_TRY_VOID(write_stdout(out));
  return 0;
}

struct DetokenizeOptions {
  ModelFlags model;
  std::vector<text::TokenId> ids;
  bool json = false;
  bool json_lines = false;
};

Result<json::object> decode_line(const text::Tokenizer& tokenizer, const json::object& request) {
  const json::value* list = request.if_contains("ids");
  if (list == nullptr) return fail(ErrorCode::kFormat, "expected a list of token ids", "ids");
  CISTERN_TRY(const auto ids, ids_from_json(*list, static_cast<std::uint32_t>(tokenizer.size()), "ids"));
  return json::object{{"text", tokenizer.decode(ids)}};
}

// Numbers from stdin, separated by anything that is no digit: "1 2", "[1, 2]".
Result<std::vector<text::TokenId>> read_ids() {
  CISTERN_TRY(const std::string text, read_stdin());
  std::vector<text::TokenId> ids;
  for (std::size_t at = text.find_first_of("0123456789"); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    if (end - at > 9)
      return fail(ErrorCode::kFormat, fmt::format("{} is no token id", text.substr(at, 20)), "stdin");
    ids.push_back(static_cast<text::TokenId>(std::stoul(text.substr(at, end - at))));
    at = text.find_first_of("0123456789", end);
  }
  return ids;
}

Result<int> detokenize(const DetokenizeOptions& options) {
  CISTERN_TRY(const engine::OpenModel model, engine::open_model(open_options(options.model)));
  const text::Tokenizer& tokenizer = *model.tokenizer;
  if (options.json_lines) {
    return answer_json_lines([&](const json::object& request) { return decode_line(tokenizer, request); });
  }
  CISTERN_TRY(const auto ids,
              options.ids.empty() ? read_ids() : Result<std::vector<text::TokenId>>(options.ids));
  for (const text::TokenId id : ids) {
    if (id >= tokenizer.size()) {
      return fail(ErrorCode::kUsage,
                  fmt::format("token {} does not exist; the vocabulary has {}", id, tokenizer.size()),
                  "detokenize");
    }
  }
  const std::string text = tokenizer.decode(ids);
  CISTERN_TRY_VOID(write_stdout((options.json ? to_json(json::object{{"text", text}}) : text) + "\n"));
  return 0;
}

constexpr const char* kJsonLinesHelp =
    "One JSON object per line of stdin, one answer per line; a bad line is answered with {\"error\"}";

}  // namespace

void add_tokenize(Cli& cli) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App& app = cli.add(
      {.name = "tokenize",
       .summary = "Turn text into token ids",
       .description = "Prints the ids of a text exactly as it is: BOS and EOS are never added here, and "
                      "special tokens written "
                      "in it are plain text unless --special is given. With --jsonl every line of stdin is "
                      "{\"text\": ..., "
                      "\"special\": false} and is answered with {\"ids\", \"pieces\"} or {\"error\"}; errors "
                      "of lines are "
                      "answers, so that the exit status is 0 when all lines were answered.",
       .examples = {{"cistern tokenize guide -p \"Hello world\" --pieces", "ids and what they stand for"},
                    {"cistern tokenize model.gguf < text.txt | wc -w", "count the tokens of a file"},
                    {"echo '{\"text\": \"Hello\"}' | cistern tokenize guide --jsonl", "for programs"}}},
      [options] { return tokenize(*options); });
  add_model_flags(app, options->model)->required();
  app.add_option("-p,--text", options->text, "The text; - is stdin [stdin]")->type_name("TEXT");
  app.add_flag("--special", options->special, "Read special tokens in the text as such");
  app.add_flag("--pieces", options->pieces, "One token per line: id and text");
  app.add_flag("--json", options->json, "Print one JSON document");
  app.add_flag("--jsonl", options->json_lines, kJsonLinesHelp);
}

void add_detokenize(Cli& cli) {
  auto options = std::make_shared<DetokenizeOptions>();
  CLI::App& app = cli.add(
      {.name = "detokenize",
       .summary = "Turn token ids into text",
       .description = "Prints the text of token ids: from the command line, else the numbers on stdin. With "
                      "--jsonl every line "
                      "of stdin is {\"ids\": [...]} and is answered with {\"text\"} or {\"error\"}.",
       .examples = {{"cistern detokenize guide --ids 1237 4 334", "ids as arguments"},
                    {"cistern tokenize guide -p \"Hello\" | cistern detokenize guide", "there and back"},
                    {"echo '{\"ids\": [1237]}' | cistern detokenize guide --jsonl", "for programs"}}},
      [options] { return detokenize(*options); });
  add_model_flags(app, options->model)->required();
  app.add_option("--ids", options->ids, "Token ids [numbers on stdin]")->type_name("ID");
  app.add_flag("--json", options->json, "Print one JSON document");
  app.add_flag("--jsonl", options->json_lines, kJsonLinesHelp);
}

}  // namespace cistern::tools
