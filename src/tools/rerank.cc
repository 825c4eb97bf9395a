// cistern rerank: documents in the order of their relevance to a query.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "engine/engine.h"
#include "tools/answer.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/input.h"
#include "tools/interrupt.h"
#include "tools/json_out.h"
#include "tools/out_file.h"
#include "tools/output.h"
#include "tools/token_file.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;
using text::Tokenizer;

struct RerankOptions {
  ModelFlags model;
  LoadFlags load;
  OutputFlags output;
  std::optional<std::string> query;
  std::vector<std::string> documents;
  std::string tokens;
  std::string out;
  bool json = false;
};

struct Ranked {
  std::size_t index = 0;
  float score = 0;
};

Result<std::vector<Tokenizer::Pair>> join_pairs(const Tokenizer& tokenizer, const std::string& query,
                                                const std::vector<std::string>& documents) {
  CISTERN_TRY(const auto query_ids, tokenizer.encode(query, false));
  std::vector<Tokenizer::Pair> pairs;
  for (const std::string& document : documents) {
    CISTERN_TRY(const auto ids, tokenizer.encode(document, false));
    CISTERN_TRY(Tokenizer::Pair pair, tokenizer.join_pair(query_ids, ids));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

Result<std::unique_ptr<engine::Engine>> load_engine(const RerankOptions& options, engine::OpenModel model,
                                                    std::size_t most_tokens) {
  CISTERN_TRY(engine::LoadOptions load, load_options(options.load));
  load.wanted_tokens = static_cast<std::uint32_t>(most_tokens);
  CISTERN_TRY(auto engine, engine::Engine::load(std::move(model), load));
  print_plan(*engine, options.output);
  return engine;
}

// The score of token ids as they are.
Result<int> score_tokens(const RerankOptions& options, engine::OpenModel model) {
  CISTERN_TRY(const auto ids, read_token_file(options.tokens, model.tokenizer->size()));
  CISTERN_TRY(const auto engine, load_engine(options, std::move(model), ids.size()));
  const CancelOnInterrupt interrupt(*engine);
  CISTERN_TRY(const float score, engine->score(ids));
  if (!options.out.empty()) {
    CISTERN_TRY(OutFile out, OutFile::create(options.out));
    CISTERN_TRY_VOID(out.write(std::span(&score, 1)));
    CISTERN_TRY_VOID(out.commit());
  }
  if (options.json) {
    CISTERN_TRY_VOID(write_stdout(to_json(json::object{{"score", score}}) + "\n"));
  } else if (options.out.empty()) {
    CISTERN_TRY_VOID(write_stdout(fmt::format("{}\n", score)));
  }
  return 0;
}

Result<void> print_ranked(const RerankOptions& options, const std::vector<Ranked>& ranked,
                          const std::vector<std::string>& documents) {
  if (!options.json) {
    for (const Ranked& r : ranked) {
      CISTERN_TRY_VOID(
          write_stdout(fmt::format("{:.6f}\t{}\t{}\n", r.score, r.index, printable(documents[r.index]))));
    }
    return {};
  }
  json::array results;
  for (const Ranked& r : ranked) {
    results.push_back(json::object{{"index", r.index}, {"score", r.score}, {"document", documents[r.index]}});
  }
  return write_stdout(to_json(json::object{{"results", std::move(results)}}) + "\n");
}

Result<int> rerank(const RerankOptions& options) {
  const bool by_tokens = !options.tokens.empty();
  if (by_tokens && (options.query || !options.documents.empty()))
    return fail(ErrorCode::kUsage, "give --query and documents, or --tokens, not both", "rerank");
  if (!by_tokens && !options.query) return fail(ErrorCode::kUsage, "no query: use --query TEXT", "rerank");
  if (!by_tokens && !options.out.empty())
    return fail(ErrorCode::kUsage, "--out goes with --tokens: use --json for documents", "rerank");
  CISTERN_TRY(engine::OpenModel model, engine::open_model(open_options(options.model)));
  if (by_tokens) return score_tokens(options, std::move(model));

  CISTERN_TRY_VOID(require_utf8(*options.query, "--query"));
  CISTERN_TRY(const std::vector<std::string> documents, read_texts(options.documents, "document"));
  CISTERN_TRY(const auto pairs, join_pairs(*model.tokenizer, *options.query, documents));
  const auto length = [](const Tokenizer::Pair& pair) { return pair.ids.size(); };
  CISTERN_TRY(const auto engine,
              load_engine(options, std::move(model), length(std::ranges::max(pairs, {}, length))));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (length(pairs[i]) <= engine->context_tokens()) continue;
    return fail(ErrorCode::kTooLong,
                fmt::format("has {} tokens with the query, but the model takes {} at once: cut it into parts",
                            length(pairs[i]), engine->context_tokens()),
                fmt::format("document {}", i + 1));
  }
  const CancelOnInterrupt interrupt(*engine);
  std::vector<Ranked> ranked;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    CISTERN_TRY(const float score, engine->score(pairs[i].ids, pairs[i].first_tokens));
    ranked.push_back({.index = i, .score = score});
  }
  std::ranges::stable_sort(ranked, std::ranges::greater{}, &Ranked::score);
  CISTERN_TRY_VOID(print_ranked(options, ranked, documents));
  return 0;
}

}  // namespace

void add_rerank(Cli& cli) {
  auto options = std::make_shared<RerankOptions>();
  options->load.kv = "f32";  // a text is read once, and its keys are small
  CLI::App& app = cli.add(
      {.name = "rerank",
       .summary = "Order documents by their relevance to a query",
       .description =
           "Has a reranker (a cross-encoder, which reads query and document together) score each document, "
           "and prints score, number (from 0) and text of each, the best first. Scores are the model's own: "
           "any real number, comparable within a model. Documents are the arguments, else the lines of "
           "stdin.",
       .examples =
           {{"cistern rerank bge-reranker --query \"What eats mice?\" \"Cats hunt.\" \"Rain is wet.\"",
             "two documents"},
            {"cistern rerank bge-reranker --query \"refund policy\" --json < passages.txt",
             "a document per line, for programs"},
            {"cistern rerank model.gguf --tokens ids.json --out score.f32",
             "token ids as they are, for comparing with other engines"}}},
      [options] { return rerank(*options); });
  add_model_flags(app, options->model)->required();
  app.add_option("DOC", options->documents, "The documents [lines of stdin]")->type_name("DOC");
  app.add_option("-q,--query", options->query, "What is looked for")->type_name("TEXT");
  app.add_option("--tokens", options->tokens,
                 "JSON file with the token ids of one pair, fed as they are; - is stdin")
      ->type_name("FILE");
  app.add_option("--out", options->out, "Write the score of --tokens as a raw 32-bit float; - is stdout")
      ->type_name("FILE");
  app.add_flag("--json", options->json, "Print one JSON document");
  add_load_flags(app, options->load);
  add_adapter_flags(app, options->load);
  add_output_flags(app, options->output);
}

}  // namespace cistern::tools
