#include "spec/vocab.h"

#include <fmt/format.h>

#include <cstring>
#include <string>

#include "text/pre_tokenizer.h"

namespace cistern::spec {
namespace {

using text::TokenizerModel;
using text::TokenKind;
using text::Vocab;

struct Family {
  std::string_view name;  // tokenizer.ggml.model
  TokenizerModel model;
  std::string_view pre;  // fixed pre-tokenizer; empty: tokenizer.ggml.pre says
  bool add_bos, add_eos, add_sep, add_space_prefix;
  std::optional<text::TokenId> bos, eos, unk, sep, pad, cls, mask;  // where the file names none
};

// Defaults as llama.cpp has them, since files are written with them in mind.
constexpr Family kFamilies[] = {
    {.name = "llama",
     .model = TokenizerModel::kSpm,
     .pre = {},
     .add_bos = true,
     .add_eos = false,
     .add_sep = false,
     .add_space_prefix = true,
     .bos = 1,
     .eos = 2,
     .unk = 0,
     .sep = {},
     .pad = {},
     .cls = {},
     .mask = {}},
    {.name = "gpt2",
     .model = TokenizerModel::kBpe,
     .pre = {},
     .add_bos = false,
     .add_eos = false,
     .add_sep = false,
     .add_space_prefix = false,
     .bos = 11,
     .eos = 11,
     .unk = {},
     .sep = {},
     .pad = {},
     .cls = {},
     .mask = {}},
    {.name = "gemma4",
     .model = TokenizerModel::kBpe,
     .pre = "gemma4",
     .add_bos = true,
     .add_eos = false,
     .add_sep = false,
     .add_space_prefix = false,
     .bos = {},
     .eos = {},
     .unk = {},
     .sep = {},
     .pad = {},
     .cls = {},
     .mask = {}},
    {.name = "bert",
     .model = TokenizerModel::kWordPiece,
     .pre = {},
     .add_bos = true,
     .add_eos = false,
     .add_sep = true,
     .add_space_prefix = false,
     .bos = {},
     .eos = {},
     .unk = 100,
     .sep = 102,
     .pad = 0,
     .cls = 101,
     .mask = 103},
    {.name = "t5",
     .model = TokenizerModel::kUnigram,
     .pre = {},
     .add_bos = false,
     .add_eos = true,
     .add_sep = false,
     .add_space_prefix = true,
     .bos = {},
     .eos = 1,
     .unk = 2,
     .sep = {},
     .pad = 0,
     .cls = {},
     .mask = {}},
};

std::string key_of(std::string_view name) {
  return fmt::format("tokenizer.ggml.{}", name);
}

Result<const Family*> read_family(const file::Metadata& metadata) {
  CISTERN_TRY(const std::string_view name, metadata.string(key_of("model")));
  std::string known;
  for (const Family& family : kFamilies) {
    if (family.name == name) return &family;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", family.name);
  }
  return fail(ErrorCode::kUnsupported,
              fmt::format("tokenizer.ggml.model: unknown tokenizer '{}'; known are {}", name, known),
              metadata.where());
}

// The elements of an array of 32-bit values, which need not be aligned.
template <class T>
Result<std::vector<T>> read_array(const file::Metadata& metadata, std::string_view name, file::ValueType type,
                                  std::size_t n_tokens) {
  const file::Value* value = metadata.find(key_of(name));
  if (value == nullptr) return std::vector<T>{};
  if (value->type != file::ValueType::kArray || value->element != type) {
    return fail(ErrorCode::kFormat,
                fmt::format("tokenizer.ggml.{} must be an array of {}, found {}", name, name_of(type),
                            name_of(value->element)),
                metadata.where());
  }
  if (value->count != n_tokens || value->data.size() != n_tokens * sizeof(T)) {
    return fail(
        ErrorCode::kFormat,
        fmt::format("tokenizer.ggml.{} has {} entries but tokenizer.ggml.tokens has {}; the file is damaged",
                    name, value->count, n_tokens),
        metadata.where());
  }
  std::vector<T> out(n_tokens);
  if (n_tokens > 0) std::memcpy(out.data(), value->data.data(), value->data.size());
  return out;
}

Result<void> read_kinds(const file::Metadata& metadata, Vocab& vocab) {
  CISTERN_TRY(const auto raw,
              read_array<std::int32_t>(metadata, "token_type", file::ValueType::kI32, vocab.tokens.size()));
  vocab.kinds.reserve(raw.size());
  for (std::size_t id = 0; id < raw.size(); ++id) {
    if (raw[id] < 1 || raw[id] > 6) {
      return fail(ErrorCode::kFormat,
                  fmt::format("tokenizer.ggml.token_type[{}] is {}; token types are 1 to 6", id, raw[id]),
                  vocab.where);
    }
    vocab.kinds.push_back(static_cast<TokenKind>(raw[id]));
  }
  return {};
}

// Whether a model can do without a special token. Converters copy the ids of separators and classes from
// configurations that were made for larger vocabularies; any other id beyond the vocabulary is damage.
enum class Presence { kRequired, kOptional };

// A special id: what the file says, which must be a token; else the default if that is a control token here.
Result<std::optional<text::TokenId>> read_id(const file::Metadata& metadata, std::string_view name,
                                             std::optional<text::TokenId> fallback, const Vocab& vocab,
                                             Presence presence = Presence::kRequired) {
  const std::string key = fmt::format("tokenizer.ggml.{}_token_id", name);
  CISTERN_TRY(const auto id, metadata.find_uint(key));
  if (id && *id >= vocab.tokens.size()) {
    if (presence == Presence::kOptional) return std::nullopt;
    return fail(ErrorCode::kFormat,
                fmt::format("{} is {} but there are only {} tokens; the file is damaged", key, *id,
                            vocab.tokens.size()),
                vocab.where);
  }
  if (id) return static_cast<text::TokenId>(*id);
  if (!fallback || *fallback >= vocab.tokens.size()) return std::nullopt;
  const bool special = !vocab.kinds.empty() && (vocab.kinds[*fallback] == TokenKind::kControl ||
                                                vocab.kinds[*fallback] == TokenKind::kUnknown);
  return special ? fallback : std::nullopt;
}

Result<void> read_ids(const file::Metadata& metadata, const Family& family, Vocab& vocab) {
  CISTERN_TRY(vocab.bos, read_id(metadata, "bos", family.bos, vocab));
  CISTERN_TRY(vocab.eos, read_id(metadata, "eos", family.eos, vocab));
  CISTERN_TRY(vocab.eot, read_id(metadata, "eot", {}, vocab));
  CISTERN_TRY(vocab.eom, read_id(metadata, "eom", {}, vocab));
  CISTERN_TRY(vocab.unk, read_id(metadata, "unknown", family.unk, vocab));
  CISTERN_TRY(vocab.sep,
              read_id(metadata, "seperator", family.sep, vocab, Presence::kOptional));  // spelled so in GGUF
  CISTERN_TRY(vocab.pad, read_id(metadata, "padding", family.pad, vocab));
  CISTERN_TRY(vocab.mask, read_id(metadata, "mask", family.mask, vocab));
  CISTERN_TRY(vocab.cls, read_id(metadata, "cls", family.cls, vocab, Presence::kOptional));
  return {};
}

Result<void> read_flag(const file::Metadata& metadata, std::string_view name, bool& flag) {
  CISTERN_TRY(const auto value, metadata.find_boolean(key_of(name)));
  if (value) flag = *value;
  return {};
}

Result<void> read_flags(const file::Metadata& metadata, const Family& family, Vocab& vocab) {
  const auto* pre = vocab.model == TokenizerModel::kBpe ? text::find_pre_tokenizer(vocab.pre) : nullptr;
  vocab.add_bos = family.add_bos || (pre != nullptr && pre->adds_bos);
  vocab.add_sep = family.add_sep || (pre != nullptr && pre->adds_sep);
  vocab.add_eos = family.add_eos;
  vocab.add_space_prefix = family.add_space_prefix;
  CISTERN_TRY_VOID(read_flag(metadata, "add_bos_token", vocab.add_bos));
  CISTERN_TRY_VOID(read_flag(metadata, "add_eos_token", vocab.add_eos));
  CISTERN_TRY_VOID(read_flag(metadata, "add_sep_token", vocab.add_sep));
  CISTERN_TRY_VOID(read_flag(metadata, "add_space_prefix", vocab.add_space_prefix));
  CISTERN_TRY_VOID(read_flag(metadata, "remove_extra_whitespaces", vocab.remove_extra_whitespaces));
  CISTERN_TRY_VOID(read_flag(metadata, "escape_whitespaces", vocab.escape_whitespaces));
  CISTERN_TRY_VOID(read_flag(metadata, "normalizer.lowercase", vocab.lowercase));
  vocab.strip_accents = vocab.lowercase;  // as BERT does where nothing is said
  return read_flag(metadata, "normalizer.strip_accents", vocab.strip_accents);
}

Result<void> read_merges(const file::Metadata& metadata, Vocab& vocab) {
  if (!metadata.has(key_of("merges"))) {
    return fail(ErrorCode::kFormat, "tokenizer.ggml.merges is missing; a BPE tokenizer needs it",
                vocab.where);
  }
  CISTERN_TRY(const auto merges, metadata.strings(key_of("merges")));
  vocab.merges.assign(merges.begin(), merges.end());
  return {};
}

}  // namespace

Result<Vocab> read_vocab(const file::Metadata& metadata) {
  CISTERN_TRY(const Family* family, read_family(metadata));
  Vocab vocab;
  vocab.where = metadata.where();
  vocab.model = family->model;
  vocab.pre = family->pre;
  if (family->pre.empty()) {
    CISTERN_TRY(const auto pre, metadata.find_string(key_of("pre")));
    if (pre) vocab.pre = *pre;
  }
  CISTERN_TRY(const auto tokens, metadata.strings(key_of("tokens")));
  if (tokens.empty())
    return fail(ErrorCode::kFormat, "tokenizer.ggml.tokens is empty; the file has no vocabulary",
                vocab.where);
  vocab.tokens.assign(tokens.begin(), tokens.end());
  CISTERN_TRY(vocab.scores, read_array<float>(metadata, "scores", file::ValueType::kF32, tokens.size()));
  CISTERN_TRY_VOID(read_kinds(metadata, vocab));
  CISTERN_TRY_VOID(read_ids(metadata, *family, vocab));
  CISTERN_TRY_VOID(read_flags(metadata, *family, vocab));
  if (vocab.model == TokenizerModel::kBpe) CISTERN_TRY_VOID(read_merges(metadata, vocab));
  if (metadata.has(key_of("precompiled_charsmap"))) {
    CISTERN_TRY(vocab.precompiled_charsmap, metadata.bytes(key_of("precompiled_charsmap")));
  }
  return vocab;
}

Result<std::optional<std::string_view>> read_chat_template(const file::Metadata& metadata) {
  return metadata.find_string("tokenizer.chat_template");
}

}  // namespace cistern::spec
