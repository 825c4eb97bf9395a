#include "serve/fill_in.h"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/prompt.h"

namespace cistern::serve {
namespace {

using text::TokenId;

// Keys of files, the older ones last, and how families write the token where the file has no key.
struct GapToken {
  std::array<std::string_view, 2> keys;
  std::array<std::string_view, 4> spellings;
};
constexpr GapToken kBefore = {{"tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"},
                              {"<|fim_prefix|>", "<fim_prefix>", "<fim-prefix>", "<PRE>"}};
constexpr GapToken kAfter = {{"tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"},
                             {"<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>", "<SUF>"}};
constexpr GapToken kGap = {{"tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"},
                           {"<|fim_middle|>", "<fim_middle>", "<fim-middle>", "<MID>"}};

Result<TokenId> find_token(const engine::OpenModel& model, const GapToken& token) {
  const text::Vocab& vocab = model.tokenizer->vocab();
  for (const std::string_view key : token.keys) {
    CISTERN_TRY(const auto id, model.inventory().metadata.find_uint(key));
    if (id && *id < vocab.tokens.size()) return static_cast<TokenId>(*id);
  }
  for (const std::string_view spelling : token.spellings) {
    const auto found = std::ranges::find(vocab.tokens, spelling);
    if (found != vocab.tokens.end()) return static_cast<TokenId>(found - vocab.tokens.begin());
  }
  return fail(ErrorCode::kUnsupported, "the model does not fill gaps: it has no tokens for it", "suffix");
}

}  // namespace

Result<std::vector<TokenId>> fill_in_prompt(const engine::OpenModel& model, std::string_view before,
                                            std::string_view after) {
  CISTERN_TRY(const TokenId before_token, find_token(model, kBefore));
  CISTERN_TRY(const TokenId after_token, find_token(model, kAfter));
  CISTERN_TRY(const TokenId gap_token, find_token(model, kGap));
  CISTERN_TRY(const std::vector<TokenId> head, model.tokenizer->encode(before, false));
  CISTERN_TRY(const std::vector<TokenId> tail, model.tokenizer->encode(after, false));
  std::vector<TokenId> ids = {before_token};
  ids.insert(ids.end(), head.begin(), head.end());
  ids.push_back(after_token);
  ids.insert(ids.end(), tail.begin(), tail.end());
  ids.push_back(gap_token);
  return engine::with_bos(model.tokenizer->vocab(), std::move(ids));
}

}  // namespace cistern::serve
