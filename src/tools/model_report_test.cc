#include "tools/model_report.h"

#include <gtest/gtest.h>

namespace cistern::tools {
namespace {

TEST(ModelReport, LayerOfATensorName) {
  EXPECT_EQ(layer_of("blk.0.attn_q.weight"), 0U);
  EXPECT_EQ(layer_of("blk.127.ffn_up.weight"), 127U);
  EXPECT_EQ(layer_of("output.weight"), std::nullopt);
  EXPECT_EQ(layer_of("blk.x.weight"), std::nullopt);
  EXPECT_EQ(layer_of("blk.3"), std::nullopt);
  EXPECT_EQ(layer_of("blk.99999999999.w"), std::nullopt);
  EXPECT_EQ(layer_of("blk."), std::nullopt);
}

TEST(ModelReport, RoleOfATensorName) {
  const std::vector<std::pair<const char*, const char*>> expected = {
      {"token_embd.weight", "embedding"},
      {"token_embd_norm.weight", "norm"},
      {"output.weight", "output"},
      {"output_norm.weight", "norm"},
      {"blk.0.attn_q.weight", "attention"},
      {"blk.0.attn_output.weight", "attention"},
      {"blk.3.attn_q_norm.weight", "norm"},
      {"blk.3.attn_norm.weight", "norm"},
      {"blk.3.post_attention_norm.weight", "norm"},
      {"blk.12.ffn_down.weight", "ffn"},
      {"blk.12.ffn_norm.weight", "norm"},
      {"blk.1.ffn_gate_exps.weight", "experts"},
      {"blk.1.ffn_gate_inp.weight", "experts"},
      {"blk.1.ffn_up_shexp.weight", "ffn"},
      {"rope_freqs.weight", "other"},
      {"blk.", "other"},
      {"", "other"}};
  for (const auto& [name, role] : expected) EXPECT_EQ(role_of(name), role) << name;
}

}  // namespace
}  // namespace cistern::tools
