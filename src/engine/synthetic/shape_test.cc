#include "engine/synthetic/shape.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/synthetic/model.h"

namespace cistern::engine {
namespace {

ModelShape tiny() {
  return *find_shape("tiny");
}

std::string problem_of(const ModelShape& shape) {
  const auto checked = check_shape(shape);
  return checked ? "" : describe(checked.error());
}

TEST(ModelShapes, AreAllPossible) {
  std::set<std::string_view> names;
  for (const ModelShape& shape : model_shapes()) {
    EXPECT_TRUE(names.insert(shape.name).second) << shape.name;
    EXPECT_EQ(problem_of(completed(shape)), "") << shape.name;
  }
}

// The numbers of parameters that the models' publishers state, less those for images (Llama 4) and of layers
// that predict further tokens (DeepSeek V3, GLM-4.5, Qwen3-Next).
TEST(ModelShapes, HaveTheSizesOfTheirModels) {
  struct Known {
    const char* name;
    std::uint64_t parameters;
  };
  for (const Known& known : {Known{"tinyllama-1.1b", 1100048384},
                             Known{"smollm2-135m", 134515008},
                             Known{"smollm2-360m", 361821120},
                             Known{"smollm2-1.7b", 1711376384},
                             Known{"llama-2-7b", 6738415616},
                             Known{"llama-2-13b", 13015864320},
                             Known{"llama-2-70b", 68976648192},
                             Known{"llama-3.2-1b", 1235814400},
                             Known{"llama-3.2-3b", 3212749824},
                             Known{"llama-3.1-8b", 8030261248},
                             Known{"llama-3.3-70b", 70553706496},
                             Known{"mistral-7b", 7248023552},
                             Known{"mistral-nemo-12b", 12247782400},
                             Known{"mistral-small-24b", 23572403200},
                             Known{"qwen2.5-0.5b", 494032768},
                             Known{"qwen2.5-1.5b", 1543714304},
                             Known{"qwen2.5-3b", 3085938688},
                             Known{"qwen2.5-7b", 7615616512},
                             Known{"qwen2.5-14b", 14770033664},
                             Known{"qwen2.5-32b", 32763876352},
                             Known{"qwen2.5-72b", 72706203648},
                             Known{"qwen3-0.6b", 596049920},
                             Known{"qwen3-1.7b", 1720574976},
                             Known{"qwen3-4b", 4022468096},
                             Known{"qwen3-8b", 8190735360},
                             Known{"qwen3-14b", 14768307200},
                             Known{"qwen3-32b", 32762123264},
                             Known{"gemma-2b", 2506172416},
                             Known{"gemma-7b", 8537680896},
                             Known{"gemma-2-2b", 2614341888},
                             Known{"gemma-2-9b", 9241705984},
                             Known{"gemma-2-27b", 27227128320},
                             Known{"gemma-3-1b", 999885952},
                             Known{"phi-3-mini", 3821079552},
                             Known{"phi-3-medium", 13960238080},
                             Known{"phi-4", 14659507200},
                             Known{"mixtral-8x7b", 46702792704},
                             Known{"mixtral-8x22b", 140620634112},
                             Known{"qwen1.5-moe-a2.7b", 14315784192},
                             Known{"qwen3-30b-a3b", 30532122624},
                             Known{"qwen3-235b-a22b", 235093634560},
                             Known{"qwen3-next-80b-a3b", 81324862720 - 1650471424},
                             Known{"gpt-oss-20b", 20914757184},
                             Known{"gpt-oss-120b", 116829156672},
                             Known{"deepseek-v2-lite", 15706484224},
                             Known{"deepseek-v3", 671026419200},
                             Known{"llama-4-scout", 108641793536 - 871932416},
                             Known{"llama-4-maverick", 401583781376 - 871932416},
                             Known{"glm-4.5-air", 110468824832 - 3616573568},
                             Known{"olmoe-1b-7b", 6919161856},
                             Known{"phi-3.5-moe", 41873153344},
                             Known{"granite-4-h-tiny", 6939037248},
                             Known{"mamba2-2.7b", 2702599680}}) {
    const auto shape = find_shape(known.name);
    ASSERT_TRUE(shape) << known.name;
    const auto writer = SyntheticModelWriter::create({.shape = *shape, .dtype = DType::kF16});
    ASSERT_TRUE(writer) << known.name;
    EXPECT_EQ(writer->n_parameters(), known.parameters) << known.name;
  }
}

TEST(ModelShapes, UnknownOnesAreNamed) {
  const auto typo = find_shape("qwen3-8");
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error().code, ErrorCode::kUsage);
  EXPECT_NE(typo.error().message.find("qwen3-8b"), std::string::npos);
}

TEST(CheckShape, NamesWhatIsImpossible) {
  struct Case {
    const char* option;
    void (*spoil)(ModelShape&);
  };
  for (const Case& c :
       {Case{"--layers", [](ModelShape& s) { s.layers = 0; }},
        Case{"--dim", [](ModelShape& s) { s.dim = 0; }},
        Case{"--dim", [](ModelShape& s) { s.dim = 0xFFFFFFFF; }},
        Case{"--ffn", [](ModelShape& s) { s.ffn = 0; }}, Case{"--heads", [](ModelShape& s) { s.heads = 0; }},
        Case{"--heads", [](ModelShape& s) { s.heads = s.kv_heads = s.head_dim = 2048; }},
        Case{"--kv-heads", [](ModelShape& s) { s.kv_heads = 0; }},
        Case{"--kv-heads", [](ModelShape& s) { s.kv_heads = 3; }},
        Case{"--head-dim", [](ModelShape& s) { s.head_dim = 63; }},
        Case{"--vocab", [](ModelShape& s) { s.vocab = 261; }},
        Case{"--vocab", [](ModelShape& s) { s.vocab = 2U << 20U; }},
        Case{"--context", [](ModelShape& s) { s.context_tokens = 0; }},
        Case{"--experts", [](ModelShape& s) { s.experts = 1U << 20U; }},
        Case{"--experts-used", [](ModelShape& s) { s.experts_used = 2; }},
        Case{"--experts-used",
             [](ModelShape& s) {
               s.experts = 4;
               s.experts_used = 5;
             }},
        Case{"--expert-ffn", [](ModelShape& s) { s.expert_ffn = 0xFFFFFFFF; }},
        Case{"--shared-experts", [](ModelShape& s) { s.shared_experts = 257; }},
        Case{"--rope-base", [](ModelShape& s) { s.rope_base = -1; }},
        Case{"--arch", [](ModelShape& s) { s.arch = "lama"; }}}) {
    ModelShape shape = tiny();
    c.spoil(shape);
    EXPECT_TRUE(problem_of(shape).starts_with(c.option)) << c.option << ": " << problem_of(shape);
  }
}

TEST(SetArchitecture, BringsItsHabits) {
  ModelShape shape = tiny();
  set_architecture(shape, "gemma3");
  EXPECT_TRUE(shape.tied);
  EXPECT_GT(shape.window, 0U);
  set_architecture(shape, "deepseek2");
  EXPECT_FALSE(shape.tied);
  EXPECT_EQ(shape.window, 0U);
}

TEST(Completed, LeavesWhatWasAskedFor) {
  ModelShape shape = tiny();
  set_architecture(shape, "deepseek2");
  shape.experts = 16;
  const ModelShape whole = completed(shape);
  EXPECT_EQ(whole.experts, 16U);
  EXPECT_EQ(whole.experts_used, 6U);
  EXPECT_EQ(whole.expert_ffn, 256U);  // whole blocks of any type
  EXPECT_EQ(whole.kv_rank, 256U);
  EXPECT_EQ(whole.rope_dim, 32U);
  EXPECT_EQ(completed(tiny()).experts, 0U);
}

}  // namespace
}  // namespace cistern::engine
