#include "plan/published.h"

#include <gtest/gtest.h>

namespace cistern::plan {
namespace {

constexpr std::string_view kHeader =
    "row_id,hardware,n_devices,backend,model,params_total_B,params_active_B,quant,file_size_GiB,context,"
    "prompt_tps,"
    "decode_tps,source,confidence,notes\n";

std::string table(std::string_view row) {
  return std::string(kHeader) + std::string(row);
}

TEST(Published, RowsAreRead) {
  const auto rows = parse_published(
      table(
          "7,\"RTX 4090, 24GB\",2,llama.cpp CUDA,Llama-3-8B,8.03,8.03,Q4_K_M,4.58,tg512/pp512,7003.5,124.65,"
          "\"a \"\"source\"\"\",A,layer split\n8,RTX 3090,,x,y,,,,,,,5,,,\n"),
      "m.csv");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].hardware, "RTX 4090, 24GB");
  EXPECT_EQ((*rows)[0].n_devices, 2);
  EXPECT_EQ((*rows)[0].source, "a \"source\"");
  EXPECT_EQ((*rows)[1].line, 3u);
  EXPECT_EQ((*rows)[1].n_devices, 1);
  EXPECT_EQ((*rows)[1].prompt_tps, 0);
}

TEST(Published, DamageHasALine) {
  for (const char* row : {"7,RTX 4090,x,b,m,,,,,,,1,,,\n", "7,RTX 4090,0,b,m,,,,,,,1,,,\n", "7,RTX 4090\n",
                          "7,RTX 4090,1,b,m,,,,,,fast,1,,,\n", "7,RTX 4090,1,b,m,,,,,,,-1,,,\n"}) {
    const auto rows = parse_published(table(row), "m.csv");
    ASSERT_FALSE(rows) << row;
    EXPECT_NE(describe(rows.error()).find("m.csv, line 2"), std::string::npos) << describe(rows.error());
  }
  const auto missing = parse_published("hardware,backend,model\na,b,c\n", "m.csv");
  ASSERT_FALSE(missing);
  EXPECT_NE(describe(missing.error()).find("decode_tps"), std::string::npos);
}

struct Context {
  std::string_view text;
  double prompt_tokens;
  double prompt_depth;
  double decode_depth;
  bool flash;
};
constexpr Context kContexts[] = {
    {"", 512, 0, 64, false},
    {"short", 512, 0, 64, false},
    {"bs1", 512, 0, 64, false},
    {"pp/tg", 512, 0, 64, false},
    {"tg512/pp512", 512, 0, 256, false},
    {"tg8192/pp8192", 8192, 0, 4096, false},
    {"pp512/tg128 fa", 512, 0, 64, true},
    {"pp512/tg128 nofa", 512, 0, 64, false},
    {"pp2048/tg32 @d32768 fa", 2048, 32768, 32784, true},
    {"pp2048/tg32 @d0 fa", 2048, 0, 16, true},
    {"tg64@8192", 512, 8192, 8224, false},
    {"tg64 @ 32k", 512, 32768, 32800, false},
    {"N_KV=4096", 512, 4096, 4160, false},
    {"tg512 N_KV=0", 512, 0, 256, false},
    {"exps=CPU N_KV=8192", 512, 8192, 8256, false},
    {"8192 ctx, mla", 512, 0, 4096, false},
    {"1k ctx", 512, 0, 512, false},
    {"ctx 8192 ngl 36", 512, 0, 4096, false},
    {"256 tok", 512, 0, 128, false},
    {"~700 tok scenario", 512, 0, 350, false},
    {"512/128", 512, 0, 576, false},
    {"56/1280", 56, 0, 696, false},
    {"short 512/128", 512, 0, 576, false},
    {"long", 512, 0, 4096, false},
    {"avg of mixed pp/tg lengths", 1300, 0, 1830, false},
};

TEST(Published, ContextsSayHowLong) {
  for (const Context& expected : kContexts) {
    const MeasuredContext context = parse_context(expected.text);
    EXPECT_EQ(context.prompt_tokens, expected.prompt_tokens) << expected.text;
    EXPECT_EQ(context.prompt_depth, expected.prompt_depth) << expected.text;
    EXPECT_EQ(context.decode_depth, expected.decode_depth) << expected.text;
    EXPECT_EQ(context.flash_attention, expected.flash) << expected.text;
  }
}

TEST(Published, AnyTextIsAContext) {
  for (const char* text : {"@", "@@@", "pp", "tg", "pp0", "pp-1", "@d999999999999999", "1/", "/",
                           "9999999999999999999/1", "....ctx", "n_kv=", "\xff", "pp1.5.7", "ctx"}) {
    const MeasuredContext context = parse_context(text);
    EXPECT_GE(context.prompt_tokens, 1) << text;
    EXPECT_GE(context.decode_depth, 0) << text;
    EXPECT_LE(context.decode_depth, 2e8) << text;
  }
}

TEST(Published, NDevicesMultipliesTheDevice) {
  const Catalogue catalogue = Catalogue::built_in();
  EXPECT_EQ(system_of(catalogue, {.hardware = "RTX 3090 24GB", .n_devices = 6})->device_count(), 6);
  EXPECT_EQ(system_of(catalogue, {.hardware = "2x RTX 3090", .n_devices = 2})->device_count(), 2);
  EXPECT_FALSE(system_of(catalogue, {.hardware = "an abacus"}));
}

TEST(Published, BitsByName) {
  EXPECT_EQ(bits_per_weight("BF16"), 16);
  EXPECT_NEAR(bits_per_weight("UD-Q4_K_XL"), 4.8, 0.3);
  EXPECT_NEAR(bits_per_weight("IQ2_XXS"), 2.2, 0.2);
  EXPECT_GT(bits_per_weight("?"), 4);
}

TEST(Published, WorkIsEstimatedFromSizes) {
  const PublishedRow dense{.model = "x", .params_total_b = 8.03, .quant = "Q4_K_M", .file_size_gib = 4.58};
  const auto work = estimate_work(dense, parse_context("pp512/tg128"));
  ASSERT_TRUE(work);
  EXPECT_NEAR(work->dense_read_bytes, 4.6e9, 0.3e9);
  EXPECT_EQ(work->routed_file_bytes, 0);
  EXPECT_NEAR(work->layers, 32, 4);

  const PublishedRow moe{.model = "x", .params_total_b = 116.8, .params_active_b = 5.1, .quant = "MXFP4"};
  const auto experts = estimate_work(moe, parse_context(""));
  ASSERT_TRUE(experts);
  EXPECT_NEAR(experts->file_bytes, 64e9, 4e9);
  EXPECT_NEAR(experts->dense_read_bytes + experts->routed_read_bytes, 3.5e9, 1e9);

  const auto by_bytes = estimate_work({.model = "x", .quant = "Q8_0", .file_size_gib = 8}, parse_context(""));
  ASSERT_TRUE(by_bytes);
  EXPECT_NEAR(by_bytes->dense_macs, 8e9, 1.5e9);
  const auto named = estimate_work({.model = "Qwen3-30B-A3B-2507", .quant = "Q8_0"}, parse_context(""));
  ASSERT_TRUE(named);
  EXPECT_NEAR(named->file_bytes, 32e9, 1e9);
  EXPECT_NEAR(named->dense_read_bytes + named->routed_read_bytes, 3e9, 0.7e9);
  EXPECT_NEAR(estimate_work({.model = "Qwen3-0.6B"}, parse_context(""))->file_bytes, 0.36e9, 0.02e9);
  for (const char* name : {"x", "3Bits", "v3.1", "B", "9999999999999999B-A", "a"})
    EXPECT_FALSE(estimate_work({.model = name}, parse_context(""))) << name;
}

}  // namespace
}  // namespace cistern::plan
