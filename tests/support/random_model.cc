#include "support/random_model.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "base/half.h"
#include "base/rng.h"
#include "support/gguf_writer.h"

namespace cistern::testing {
namespace {

// Q8_0 blocks: a half scale, then 32 signed bytes; scaled so that a product keeps the size of its input.
std::vector<std::byte> random_q8_0(std::uint64_t cols, std::uint64_t rows, Rng& rng) {
  const std::uint16_t scale = float_to_half(1.7F / 127.0F / std::sqrt(static_cast<float>(cols)));
  std::vector<std::byte> bytes(cols * rows / 32 * 34);
  for (std::size_t block = 0; block < bytes.size(); block += 34) {
    bytes[block] = static_cast<std::byte>(scale & 0xFFU);
    bytes[block + 1] = static_cast<std::byte>(scale >> 8U);
    for (std::size_t i = 2; i < 34; i += 4) {
      const std::uint64_t random = rng.next();
      for (std::size_t k = 0; k < 4; ++k) bytes[block + i + k] = static_cast<std::byte>(random >> (8 * k));
    }
  }
  return bytes;
}

void add_vocabulary(GgufWriter& writer) {
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  std::vector<std::int32_t> kinds = {2, 3, 3};
  for (int byte = 0; byte < 256; ++byte) {
    tokens.push_back(fmt::format("<0x{:02X}>", byte));
    kinds.push_back(6);
  }
  for (const char* word : {"\xE2\x96\x81", "a", "b", "e", "l", "o"}) {
    tokens.emplace_back(word);
    kinds.push_back(1);
  }
  writer.add("tokenizer.ggml.model", "llama").add("tokenizer.ggml.scores", std::vector<float>(tokens.size()));
  writer.add("tokenizer.ggml.token_type", kinds).add("tokenizer.ggml.tokens", tokens);
  writer.add("tokenizer.ggml.bos_token_id", std::uint32_t{1})
      .add("tokenizer.ggml.eos_token_id", std::uint32_t{2});
}

}  // namespace

std::vector<std::byte> make_random_model(const RandomModel& s) {
  GgufWriter writer;
  writer.add("general.architecture", "llama")
      .add("llama.block_count", s.layers)
      .add("llama.embedding_length", s.dim);
  writer.add("llama.context_length", s.context).add("llama.feed_forward_length", s.hidden);
  writer.add("llama.attention.head_count", s.heads).add("llama.attention.head_count_kv", s.kv_heads);
  writer.add("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  add_vocabulary(writer);

  Rng rng(1);
  const std::uint64_t kv = s.dim / s.heads * s.kv_heads;
  const std::uint64_t n_vocab = 3 + 256 + 6;
  const auto matrix = [&](std::string name, std::uint64_t cols, std::uint64_t rows) {
    writer.tensor({.name = std::move(name),
                   .dims = {cols, rows},
                   .ggml_type = kGgmlQ8_0,
                   .data = random_q8_0(cols, rows, rng)});
  };
  const auto norm = [&](const std::string& name) {
    writer.tensor(name, {s.dim}, std::vector<float>(s.dim, 1.0F));
  };
  matrix("token_embd.weight", s.dim, n_vocab);
  norm("output_norm.weight");
  for (std::uint32_t li = 0; li < s.layers; ++li) {
    const std::string prefix = fmt::format("blk.{}.", li);
    norm(prefix + "attn_norm.weight");
    matrix(prefix + "attn_q.weight", s.dim, s.dim);
    matrix(prefix + "attn_k.weight", s.dim, kv);
    matrix(prefix + "attn_v.weight", s.dim, kv);
    matrix(prefix + "attn_output.weight", s.dim, s.dim);
    norm(prefix + "ffn_norm.weight");
    matrix(prefix + "ffn_gate.weight", s.dim, s.hidden);
    matrix(prefix + "ffn_up.weight", s.dim, s.hidden);
    matrix(prefix + "ffn_down.weight", s.hidden, s.dim);
  }
  return writer.build();
}

}  // namespace cistern::testing
