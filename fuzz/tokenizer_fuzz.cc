// Arbitrary bytes as a vocabulary and a text: making the tokenizer must give one or a one-line error, and a
// tokenizer must encode and decode anything. Decoded text is valid UTF-8, streams equal whole decoding, and
// the vocabularies that can write every byte give their input back.
#include <fuzzer/FuzzedDataProvider.h>

#include <deque>
#include <string>
#include <vector>

#include "base/check.h"
#include "text/detokenizer.h"
#include "text/test_vocab.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

constexpr const char* kFamilies[] = {"gpt-2",        "qwen2",       "llama-bpe", "gpt-4o",  "kimi-k2",
                                     "deepseek-llm", "deepseek-v3", "falcon",    "bloom",   "viking",
                                     "superbpe",     "tiny_aya",    "chameleon", "default", "bailingmoe"};

TestVocab complete_vocab(FuzzedDataProvider& data) {
  switch (data.ConsumeIntegralInRange(0, 5)) {
    case 0:
      return byte_level_vocab(data.PickValueInArray(kFamilies));
    case 1:
      return sentencepiece_vocab();
    case 2:
      return sentencepiece_vocab(TokenizerModel::kUnigram);
    case 3:
      return wordpiece_vocab();
    case 4: {
      TestVocab masked = sentencepiece_vocab(TokenizerModel::kUnigram);
      masked.vocab.mask = masked.add("<mask>", TokenKind::kControl);
      return masked;
    }
    default: {
      TestVocab raw = sentencepiece_vocab();
      raw.vocab.model = TokenizerModel::kBpe;
      raw.vocab.pre = "gemma4";
      raw.vocab.merges = {"a a", "aa aa", "l l"};
      return raw;
    }
  }
}

// Adds tokens, merges, ids, flags and rules that may make no sense.
void damage(TestVocab& out, std::vector<std::byte>& charsmap, FuzzedDataProvider& data) {
  Vocab& vocab = out.vocab;
  for (int i = data.ConsumeIntegralInRange(0, 12); i-- > 0;) {
    out.add(data.ConsumeRandomLengthString(12), static_cast<TokenKind>(data.ConsumeIntegralInRange(1, 6)));
    vocab.scores.back() = data.ConsumeFloatingPoint<float>();
  }
  for (int i = data.ConsumeIntegralInRange(0, 4); i-- > 0;)
    vocab.merges.push_back(out.strings.emplace_back(data.ConsumeRandomLengthString(8)));
  for (auto member : {&Vocab::bos, &Vocab::eos, &Vocab::unk, &Vocab::mask, &Vocab::sep}) {
    if (data.ConsumeProbability<float>() < 0.1F) vocab.*member = data.ConsumeIntegralInRange<TokenId>(0, 400);
  }
  vocab.add_space_prefix = data.ConsumeBool();
  vocab.remove_extra_whitespaces = data.ConsumeBool();
  vocab.escape_whitespaces = data.ConsumeBool();
  vocab.lowercase = data.ConsumeBool();
  vocab.strip_accents = data.ConsumeBool();
  if (data.ConsumeBool()) vocab.kinds.clear();
  if (data.ConsumeBool()) vocab.scores.clear();
  charsmap = data.ConsumeBytes<std::byte>(data.ConsumeIntegralInRange<std::size_t>(0, 64));
  vocab.precompiled_charsmap = charsmap;
}

void check_decode(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  const std::string whole = tokenizer.decode(ids);
  CISTERN_CHECK(is_valid_utf8(whole));
  Detokenizer stream(tokenizer), hidden(tokenizer, {.hide_control = true, .continuation = true});
  std::string streamed;
  for (const TokenId id : ids) {
    const std::string text = stream.push(id);
    CISTERN_CHECK(is_valid_utf8(text) && is_valid_utf8(hidden.push(id)));
    streamed += text;
  }
  CISTERN_CHECK(streamed + stream.flush() == whole);
}

void run(FuzzedDataProvider& data) {
  TestVocab made = complete_vocab(data);
  std::vector<std::byte> charsmap;
  const bool damaged = data.ConsumeBool();
  if (damaged) damage(made, charsmap, data);
  const auto tokenizer = Tokenizer::create(made.vocab);
  if (!tokenizer) {
    CISTERN_CHECK(damaged && tokenizer.error().message.find('\n') == std::string::npos);
    return;
  }
  std::vector<TokenId> random_ids;
  for (int i = data.ConsumeIntegralInRange(0, 20); i-- > 0;)
    random_ids.push_back(data.ConsumeIntegralInRange<TokenId>(0, 400));
  check_decode(**tokenizer, random_ids);

  const bool special = data.ConsumeBool();
  const std::string text = data.ConsumeRemainingBytesAsString();
  const auto ids = (*tokenizer)->encode(text, special);
  CISTERN_CHECK(ids.has_value() || damaged);
  if (!ids) return;
  for (const TokenId id : *ids) CISTERN_CHECK(id < (*tokenizer)->size());
  check_decode(**tokenizer, *ids);
  if (!damaged && made.vocab.model == TokenizerModel::kBpe && made.vocab.pre == "gpt-2") {
    CISTERN_CHECK((*tokenizer)->decode(*ids) == repair_utf8(text));
  }
}

}  // namespace
}  // namespace cistern::text

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  cistern::text::run(data);
  return 0;
}
