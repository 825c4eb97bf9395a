#include "text/check_vocab.h"

#include <fmt/format.h>

#include <cmath>

#include "text/byte_tokens.h"
#include "text/token_index.h"

namespace cistern::text {
namespace {

Result<void> check_length(std::string_view key, std::size_t length, const Vocab& vocab) {
  if (length == 0 || length == vocab.tokens.size()) return {};
  return fail(ErrorCode::kFormat,
              fmt::format("{} has {} entries but tokenizer.ggml.tokens has {}; the file is damaged", key,
                          length, vocab.tokens.size()),
              vocab.where);
}

Result<void> check_id(std::string_view key, std::optional<TokenId> id, const Vocab& vocab) {
  if (!id || *id < vocab.tokens.size()) return {};
  return fail(ErrorCode::kFormat,
              fmt::format("{} is {} but there are only {} tokens; the file is damaged", key, *id,
                          vocab.tokens.size()),
              vocab.where);
}

Result<void> check_ids(const Vocab& vocab) {
  CISTERN_TRY_VOID(check_id("tokenizer.ggml.bos_token_id", vocab.bos, vocab));
  CISTERN_TRY_VOID(check_id("tokenizer.ggml.eos_token_id", vocab.eos, vocab));
  CISTERN_TRY_VOID(check_id("tokenizer.ggml.eot_token_id", vocab.eot, vocab));
  CISTERN_TRY_VOID(check_id("tokenizer.ggml.eom_token_id", vocab.eom, vocab));
  CISTERN_TRY_VOID(check_id("tokenizer.ggml.unknown_token_id", vocab.unk, vocab));
  CISTERN_TRY_VOID(check_id("tokenizer.ggml.seperator_token_id", vocab.sep, vocab));
  CISTERN_TRY_VOID(check_id("tokenizer.ggml.padding_token_id", vocab.pad, vocab));
  CISTERN_TRY_VOID(check_id("tokenizer.ggml.mask_token_id", vocab.mask, vocab));
  return check_id("tokenizer.ggml.cls_token_id", vocab.cls, vocab);
}

Result<void> check_unique(const Vocab& vocab) {
  TokenIndex seen(vocab.tokens.size());
  for (TokenId id = 0; id < vocab.tokens.size(); ++id) {
    if (vocab.tokens[id].empty() || seen.insert(vocab.tokens[id], id)) continue;
    return fail(ErrorCode::kFormat,
                fmt::format("tokenizer.ggml.tokens[{}] is the same as [{}]; the file is damaged", id,
                            seen.find(vocab.tokens[id])),
                vocab.where);
  }
  return {};
}

}  // namespace

Result<void> check_vocab(const Vocab& vocab) {
  if (vocab.tokens.empty())
    return fail(ErrorCode::kFormat, "tokenizer.ggml.tokens is empty; the file has no vocabulary",
                vocab.where);
  if (vocab.tokens.size() >= kNoToken)
    return fail(ErrorCode::kUnsupported, "tokenizer.ggml.tokens has more than 4 billion entries",
                vocab.where);
  CISTERN_TRY_VOID(check_length("tokenizer.ggml.scores", vocab.scores.size(), vocab));
  CISTERN_TRY_VOID(check_length("tokenizer.ggml.token_type", vocab.kinds.size(), vocab));
  for (std::size_t i = 0; i < vocab.scores.size(); ++i) {
    if (std::isfinite(vocab.scores[i])) continue;
    return fail(ErrorCode::kFormat,
                fmt::format("tokenizer.ggml.scores[{}] is not a finite number; the file is damaged", i),
                vocab.where);
  }
  CISTERN_TRY_VOID(check_ids(vocab));
  return check_unique(vocab);
}

void complete_kinds(Vocab& vocab) {
  if (!vocab.kinds.empty()) return;
  vocab.kinds.assign(vocab.tokens.size(), TokenKind::kNormal);
  if (vocab.model == TokenizerModel::kSpm) {
    for (std::size_t id = 0; id < vocab.tokens.size(); ++id) {
      if (parse_byte_token(vocab.tokens[id])) vocab.kinds[id] = TokenKind::kByte;
    }
  }
  for (const auto id :
       {vocab.bos, vocab.eos, vocab.eot, vocab.eom, vocab.sep, vocab.pad, vocab.mask, vocab.cls}) {
    if (id) vocab.kinds[*id] = TokenKind::kControl;
  }
  if (vocab.unk) vocab.kinds[*vocab.unk] = TokenKind::kUnknown;
}

}  // namespace cistern::text
