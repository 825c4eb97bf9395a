// Constrained decoding: what a mask costs per token, and what compiling costs, with a vocabulary of 128k
// tokens made up here or those of the GGUF files that are given as arguments. A document of each schema is
// written again and again, token by token; "cold" with a grammar that nothing has been written with (no mask
// is known), "warm" with one that has been used.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <chrono>
#include <cstdio>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "file/inventory.h"
#include "sample/grammar.h"
#include "spec/vocab.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace {

using cistern::describe;
using namespace cistern::sample;
using cistern::text::TokenId;
using cistern::text::Tokenizer;
using cistern::text::TokenKind;
using cistern::text::Vocab;

struct Document {
  const char* name;
  const char* schema;  // null: any JSON object
  const char* text;
};
constexpr Document kDocuments[] = {
    {"object", nullptr,
     R"({"title": "A walk in the park", "tags": ["green", "quiet"], "length": 12.5, "open": true})"},
    {"person",
     R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"email":{"type":"string"},
         "tags":{"type":"array","items":{"type":"string"}}},"required":["name","age","email","tags"]})",
     R"({"name": "Ada Lovelace of Marylebone", "age": 36, "email": "ada@example.com", "tags": ["mathematics", "engines"]})"},
    {"tool-call",
     R"({"type":"object","properties":{"city":{"type":"string","maxLength":80},"unit":{"enum":["celsius","fahrenheit"]},
         "days":{"type":"integer","minimum":1,"maximum":14},"when":{"type":"string","format":"date-time"}},
         "required":["city","unit","days"]})",
     R"({"city": "Frankfurt an der Oder", "unit": "celsius", "days": 7, "when": "2024-05-01T12:30:00Z"})"},
    {"union",
     R"({"$defs":{"node":{"anyOf":[{"type":"object","properties":{"op":{"enum":["add","mul"]},
         "args":{"type":"array","items":{"$ref":"#/$defs/node"},"minItems":1,"maxItems":4}},"required":["op","args"]},
         {"type":"number"},{"type":"string","pattern":"^[a-z]+$"}]}},"$ref":"#/$defs/node"})",
     R"({"op": "add", "args": [1, 2.5, {"op": "mul", "args": ["length", "width", 3]}, "height"]})"},
};

// Words as a trained vocabulary has them: some with a space before them, numbers, runs of space, marks and
// words together, parts of characters.
struct MadeVocab {
  std::deque<std::string> strings;
  std::set<std::string> seen;
  Vocab vocab;

  void add(const std::string& bytes) {
    if (!seen.insert(bytes).second) return;
    std::string entry;
    for (const char c : bytes)
      cistern::text::append_utf8(entry, cistern::text::character_of_byte(static_cast<std::uint8_t>(c)));
    vocab.tokens.push_back(strings.emplace_back(entry));
    vocab.kinds.push_back(TokenKind::kNormal);
  }

  explicit MadeVocab(std::size_t size) {
    vocab.model = cistern::text::TokenizerModel::kBpe;
    vocab.pre = "gpt-2";
    for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)));
    add("et");
    for (int n = 0; n < 1000; ++n) add(std::to_string(n));
    for (std::size_t n = 2; n <= 80; ++n) {
      add(std::string(n, ' '));
      add("\n" + std::string(n, ' '));
      add(std::string(n, '-'));
    }
    cistern::Rng rng(7);
    const std::string letters = "etaoinshrdlcumwfgypbvkjxqz";
    const std::vector<std::string> marks = {"\"",   "\":", "\",", "(\"", "\\", ".\n", ";\n",
                                            "\n\n", "\t",  "{\"", "\"}", "',", ":",   ","};
    while (vocab.tokens.size() + 1 < size) {
      std::string word;
      const auto length = 2 + static_cast<std::size_t>(rng.uniform() * rng.uniform() * 12);
      for (std::size_t i = 0; i < length; ++i)
        word += letters[static_cast<std::size_t>(rng.uniform() * rng.uniform() * 26)];
      const double kind = rng.uniform();
      if (kind < 0.5) word.insert(0, " ");
      if (kind > 0.9) word[0] = static_cast<char>(word[0] - 'a' + 'A');
      if (kind > 0.5 && kind < 0.55) word += marks[rng.next() % marks.size()];
      if (kind > 0.55 && kind < 0.58) word.insert(0, marks[rng.next() % marks.size()]);
      if (kind > 0.58 && kind < 0.7) {
        word.clear();
        for (int i = 0; i < 3; ++i)
          cistern::text::append_utf8(word, static_cast<char32_t>(0x400 + rng.next() % 0x5000));
        word.resize(word.size() - rng.next() % 2);
      }
      add(word);
    }
    vocab.merges = {"e t"};
    vocab.tokens.push_back(strings.emplace_back("<|end|>"));
    vocab.kinds.push_back(TokenKind::kControl);
    vocab.eos = static_cast<TokenId>(vocab.tokens.size() - 1);
  }
};

cistern::Result<GrammarPtr> compile(const Document& document, const GrammarVocabPtr& vocab) {
  if (document.schema == nullptr) return any_json_object(vocab);
  return compile_json_schema(boost::json::parse(document.schema), vocab);
}

// The longest tokens, one after the other.
std::vector<TokenId> tokens_of(std::string_view text, const GrammarVocab& vocab) {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    TokenId best = 0;
    std::size_t longest = 0;
    for (TokenId id = 0; id < vocab.size(); ++id) {
      const std::string_view bytes = vocab.bytes(id);
      if (bytes.size() > longest && text.starts_with(bytes)) {
        best = id;
        longest = bytes.size();
      }
    }
    ids.push_back(best);
    text.remove_prefix(longest);
  }
  return ids;
}

void write(benchmark::State& state, const Document& document, const GrammarVocabPtr& vocab, bool warm) {
  const std::vector<TokenId> ids = tokens_of(document.text, *vocab);
  std::vector<float> logits(vocab->size());
  GrammarPtr grammar = *compile(document, vocab);
  double slowest_us = 0;
  for (auto _ : state) {
    state.PauseTiming();
    if (!warm) grammar = *compile(document, vocab);
    GrammarState follower(grammar);
    state.ResumeTiming();
    for (const TokenId id : ids) {
      const auto begin = std::chrono::steady_clock::now();
      follower.mask(logits);
      const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
      slowest_us = std::max(slowest_us, took.count());
      if (!follower.accept(id)) state.SkipWithError("the document does not satisfy its schema");
      benchmark::DoNotOptimize(logits.data());
    }
  }
  state.counters["per_token"] =
      benchmark::Counter(static_cast<double>(ids.size()),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["slowest_us"] = slowest_us;
  state.counters["tokens"] = static_cast<double>(ids.size());
}

void add(const std::string& name, const Tokenizer& tokenizer) {
  const auto vocab = GrammarVocab::create(tokenizer);
  if (!vocab) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), describe(vocab.error()).c_str());
    return;
  }
  benchmark::RegisterBenchmark(("vocab/" + name).c_str(), [&](benchmark::State& s) {
    for (auto _ : s) benchmark::DoNotOptimize(GrammarVocab::create(tokenizer));
  })->Unit(benchmark::kMillisecond);
  for (const Document& document : kDocuments) {
    benchmark::RegisterBenchmark((std::string("compile/") + document.name).c_str(), [=](benchmark::State& s) {
      for (auto _ : s) benchmark::DoNotOptimize(compile(document, *vocab));
    })->Unit(benchmark::kMillisecond);
    for (const bool warm : {false, true}) {
      const std::string kind = warm ? "warm/" : "cold/";
      benchmark::RegisterBenchmark((kind + document.name + "/" + name).c_str(), [=](benchmark::State& s) {
        write(s, document, *vocab, warm);
      })->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const MadeVocab made(std::size_t{128} << 10U);
  std::deque<cistern::file::ModelFiles> files;
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  const auto make = [&](const std::string& name, cistern::Result<Vocab> vocab) {
    auto tokenizer = vocab ? Tokenizer::create(*std::move(vocab)) : std::unexpected(vocab.error());
    if (!tokenizer)
      return std::fprintf(stderr, "%s: %s\n", name.c_str(), describe(tokenizer.error()).c_str()), 1;
    tokenizers.push_back(*std::move(tokenizer));
    add(name, *tokenizers.back());
    return 0;
  };
  if (argc == 1) make("128k", made.vocab);
  for (int i = 1; i < argc; ++i) {
    auto model = cistern::file::open_model(argv[i]);
    if (!model) return std::fprintf(stderr, "%s\n", describe(model.error()).c_str()), 1;
    files.push_back(*std::move(model));
    make(argv[i], cistern::spec::read_vocab(files.back().inventory.metadata));
  }
  benchmark::RunSpecifiedBenchmarks();
}
