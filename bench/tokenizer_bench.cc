// Speed of encoding, per kind of tokenizer, in bytes of text per second of one thread. The text is made here:
// words drawn from a fixed list with a fixed generator, with punctuation, numbers and line breaks like
// English prose. The vocabularies are made here as well (a byte-pair training in miniature), so that no file
// is needed; name GGUF files on the command line to measure real ones instead.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>

#include "file/inventory.h"
#include "spec/vocab.h"
#include "text/byte_alphabet.h"
#include "text/space_mark.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace {

using cistern::text::Tokenizer;
using cistern::text::TokenizerModel;
using cistern::text::TokenKind;
using cistern::text::Vocab;

constexpr const char* kSyllables[] = {"the", "re",  "con", "ing",  "ti", "on", "al",  "ma",
                                      "ter", "li",  "pro", "ness", "an", "de", "per", "sta",
                                      "in",  "ous", "ble", "er",   "wa", "un", "com", "y"};

class Random {
 public:
  std::uint32_t below(std::uint32_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33) % n;
  }

 private:
  std::uint64_t state_ = 42;
};

// 20,000 different words, the frequent ones short, as in a language.
std::string prose(std::size_t bytes) {
  Random random;
  std::vector<std::string> words;
  for (std::size_t i = 0; i < 20'000; ++i) {
    std::string word;
    const std::uint32_t syllables = 1 + (i > 200) + (i > 3000) + random.below(2);
    for (std::uint32_t s = 0; s < syllables; ++s) word += kSyllables[random.below(std::size(kSyllables))];
    words.push_back(word);
  }
  std::string text;
  while (text.size() < bytes) {
    const auto spread = 1u << (4 + random.below(11));  // roughly Zipf
    text += words[random.below(std::min<std::uint32_t>(spread * 2, 20'000))];
    const auto what = random.below(100);
    text += what < 84   ? " "
            : what < 90 ? ", "
            : what < 95 ? ". "
            : what < 96 ? "'s "
            : what < 97 ? "\n\n"
            : what < 98 ? " 1984 "
                        : " (";
  }
  return text;
}

struct Trained {
  std::deque<std::string> strings;  // stable addresses
  Vocab vocab;
  std::string_view keep(std::string text) { return strings.emplace_back(std::move(text)); }
  void add(std::string text, TokenKind kind) {
    vocab.scores.push_back(-static_cast<float>(vocab.tokens.size()));
    vocab.tokens.push_back(keep(std::move(text)));
    vocab.kinds.push_back(kind);
  }
};

// Joins the most frequent pair of neighbours again and again.
void train(Trained& out, const std::vector<std::vector<std::string>>& words, int n_merges) {
  auto symbols = words;
  for (int n = 0; n < n_merges; ++n) {
    std::map<std::pair<std::string, std::string>, int> counts;
    for (const auto& word : symbols) {
      for (std::size_t i = 0; i + 1 < word.size(); ++i) ++counts[{word[i], word[i + 1]}];
    }
    if (counts.empty()) return;
    const auto best = std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) {
                        return a.second < b.second;
                      })->first;
    const std::string joined = best.first + best.second;
    if (std::ranges::find(out.vocab.tokens, joined) == out.vocab.tokens.end())
      out.add(joined, TokenKind::kNormal);
    out.vocab.merges.push_back(out.keep(best.first + " " + best.second));
    for (auto& word : symbols) {
      for (std::size_t i = 0; i + 1 < word.size(); ++i) {
        if (word[i] != best.first || word[i + 1] != best.second) continue;
        word[i] = joined;
        word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }
}

std::vector<std::vector<std::string>> words_of(std::string_view text, const std::string& space) {
  std::vector<std::vector<std::string>> words(1);
  for (const char c : text) {
    if (c == ' ') words.push_back({space});
    if (c >= 'a' && c <= 'z') words.back().push_back(std::string(1, c));
  }
  return words;
}

Trained byte_level(const std::string& pre) {
  Trained out;
  out.vocab.model = TokenizerModel::kBpe;
  out.vocab.pre = pre;
  for (int byte = 0; byte < 256; ++byte) {
    std::string entry;
    cistern::text::append_utf8(entry, cistern::text::character_of_byte(static_cast<std::uint8_t>(byte)));
    out.add(entry, TokenKind::kNormal);
  }
  train(out, words_of(prose(20'000), "\xC4\xA0"), 600);
  return out;
}

Trained sentencepiece(TokenizerModel model, const std::string& pre) {
  Trained out;
  out.vocab.model = model;
  out.vocab.pre = pre;
  out.add("<unk>", TokenKind::kUnknown);
  out.vocab.unk = 0;
  for (int byte = 0; byte < 256; ++byte) {
    constexpr const char* kHex = "0123456789ABCDEF";
    out.add(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">", TokenKind::kByte);
  }
  out.add(std::string(cistern::text::kSpaceMark), TokenKind::kNormal);
  for (char c = '!'; c <= '~'; ++c) out.add(std::string(1, c), TokenKind::kNormal);
  train(out, words_of(prose(20'000), std::string(cistern::text::kSpaceMark)), 600);
  if (model != TokenizerModel::kBpe) out.vocab.merges.clear();
  return out;
}

Trained wordpiece() {
  Trained out = sentencepiece(TokenizerModel::kUnigram, "");
  out.vocab.model = TokenizerModel::kWordPiece;
  for (auto& kind : out.vocab.kinds) kind = kind == TokenKind::kByte ? TokenKind::kUnused : kind;
  return out;
}

void encode(benchmark::State& state, const Tokenizer& tokenizer) {
  const std::string text = prose(1 << 20);
  std::size_t tokens = 0;
  for (auto _ : state) {
    const auto ids = tokenizer.encode(text, false);
    if (!ids) return state.SkipWithError(describe(ids.error()).c_str());
    tokens = ids->size();
    benchmark::DoNotOptimize(ids->data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.counters["bytes_per_token"] = static_cast<double>(text.size()) / static_cast<double>(tokens);
}

void decode(benchmark::State& state, const Tokenizer& tokenizer) {
  const std::string text = prose(1 << 20);
  const auto ids = tokenizer.encode(text, false);
  if (!ids) return state.SkipWithError(describe(ids.error()).c_str());
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.decode(*ids).data());
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void add(const std::string& name, const Tokenizer& tokenizer) {
  benchmark::RegisterBenchmark(("encode/" + name).c_str(), [&](benchmark::State& s) {
    encode(s, tokenizer);
  })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark(("decode/" + name).c_str(), [&](benchmark::State& s) {
    decode(s, tokenizer);
  })->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::deque<Trained> trained;
  std::deque<cistern::file::ModelFiles> files;
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  const auto make = [&](const std::string& name, Vocab vocab) {
    auto tokenizer = Tokenizer::create(std::move(vocab));
    if (!tokenizer) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), describe(tokenizer.error()).c_str());
      return;
    }
    tokenizers.push_back(*std::move(tokenizer));
    add(name, *tokenizers.back());
  };
  for (int i = 1; i < argc; ++i) {
    auto model = cistern::file::open_model(argv[i]);
    if (!model) {
      std::fprintf(stderr, "%s\n", describe(model.error()).c_str());
      return 1;
    }
    files.push_back(*std::move(model));
    auto vocab = cistern::spec::read_vocab(files.back().inventory.metadata);
    if (!vocab) {
      std::fprintf(stderr, "%s\n", describe(vocab.error()).c_str());
      return 1;
    }
    make(argv[i], *std::move(vocab));
  }
  if (argc == 1) {
    for (const char* pre :
         {"gpt-2", "llama-bpe", "qwen2", "gpt-4o", "deepseek-v3", "deepseek-llm", "falcon"}) {
      make(std::string("byte-level/") + pre, trained.emplace_back(byte_level(pre)).vocab);
    }
    make("raw-utf8/gemma4", trained.emplace_back(sentencepiece(TokenizerModel::kBpe, "gemma4")).vocab);
    make("sentencepiece", trained.emplace_back(sentencepiece(TokenizerModel::kSpm, "")).vocab);
    make("unigram", trained.emplace_back(sentencepiece(TokenizerModel::kUnigram, "")).vocab);
    make("wordpiece", trained.emplace_back(wordpiece()).vocab);
  }
  benchmark::RunSpecifiedBenchmarks();
}
