#include "engine/synthetic/vocabulary.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "base/check.h"

namespace cistern::engine {
namespace {

// token_type of GGUF.
enum : std::int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6 };

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581, a space inside a piece

constexpr std::string_view kChatTemplate =
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

struct Pieces {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> kinds;
  std::uint32_t wanted;

  bool full() const { return tokens.size() == wanted; }
  void add(std::string token, std::int32_t kind = kNormal) {
    if (full()) return;
    tokens.push_back(std::move(token));
    kinds.push_back(kind);
  }
};

// Consonant and vowel. No two words of syllables are the same, as every syllable has two letters.
std::vector<std::string> syllables() {
  constexpr std::string_view kConsonants = "bcdfghjklmnprstvwz";
  constexpr std::string_view kVowels = "aeiou";
  std::vector<std::string> all;
  for (const char vowel : kVowels) {
    for (const char consonant : kConsonants) all.push_back({consonant, vowel});
  }
  return all;
}

// Words of one, two, ... syllables, inside a word and at its beginning. Longer pieces come later, so what a
// piece merges from is there before it.
void add_words(Pieces& pieces) {
  const std::vector<std::string> units = syllables();
  std::vector<std::string> words = units;
  while (!pieces.full()) {
    for (const std::string& word : words) {
      pieces.add(word);
      pieces.add(std::string(kSpace) + word);
    }
    if (pieces.full()) return;
    std::vector<std::string> longer;
    for (const std::string& word : words) {
      for (const std::string& unit : units) longer.push_back(word + unit);
      if (2 * longer.size() > pieces.wanted) break;
    }
    words = std::move(longer);
  }
}

}  // namespace

void add_vocabulary(file::GgufWriter& writer, std::uint32_t n_tokens) {
  CISTERN_CHECK(n_tokens >= kMinVocabulary);
  Pieces pieces{.tokens = {}, .kinds = {}, .wanted = n_tokens};
  pieces.add("<unk>", kUnknown);
  pieces.add("<s>", kControl);
  pieces.add("</s>", kControl);
  for (int byte = 0; byte < 256; ++byte) pieces.add(fmt::format("<0x{:02X}>", byte), kByte);
  pieces.add("<|im_start|>", kControl);
  pieces.add("<|im_end|>", kControl);
  const auto im_end = static_cast<std::uint32_t>(pieces.tokens.size() - 1);
  pieces.add(std::string(kSpace));
  for (char c = '!'; c <= '~'; ++c) pieces.add(std::string(1, c));
  add_words(pieces);

  // The earlier, the sooner merged.
  std::vector<float> scores(n_tokens, 0.0F);
  for (std::uint32_t id = im_end + 1; id < n_tokens; ++id) scores[id] = -static_cast<float>(id);

  writer.add("tokenizer.ggml.model", "llama");
  writer.add("tokenizer.ggml.pre", "default");
  writer.add("tokenizer.ggml.tokens", pieces.tokens);
  writer.add("tokenizer.ggml.scores", scores);
  writer.add("tokenizer.ggml.token_type", pieces.kinds);
  writer.add("tokenizer.ggml.bos_token_id", std::uint32_t{1});
  writer.add("tokenizer.ggml.eos_token_id", std::uint32_t{2});
  writer.add("tokenizer.ggml.eot_token_id", im_end);
  writer.add("tokenizer.ggml.unknown_token_id", std::uint32_t{0});
  writer.add("tokenizer.ggml.add_bos_token", true);
  writer.add("tokenizer.chat_template", kChatTemplate);
}

}  // namespace cistern::engine
