// Shapes by the models' published configurations.
#include "engine/synthetic/shape.h"

namespace cistern::engine {
namespace {

using namespace std::string_view_literals;

constexpr bool kTied = true;
constexpr bool kOwnOutput = false;

// Scaling of positions to contexts longer than those of training.
constexpr Trait kGptOss[] = {{"rope.scaling.type", "yarn"sv},
                             {"rope.scaling.factor", 32.0F},
                             {"rope.scaling.original_context_length", exactly(4096)}};
constexpr Trait kDeepseekV2Lite[] = {{"rope.scaling.type", "yarn"sv},
                                     {"rope.scaling.factor", 40.0F},
                                     {"rope.scaling.original_context_length", exactly(4096)},
                                     {"rope.scaling.yarn_log_multiplier", 0.0707F}};
constexpr Trait kDeepseekV3[] = {{"leading_dense_block_count", exactly(3)},
                                 {"expert_group_count", exactly(8)},
                                 {"expert_group_used_count", exactly(4)},
                                 {"expert_gating_func", exactly(2)},
                                 {"expert_weights_norm", true},
                                 {"expert_weights_scale", 2.5F},
                                 {"rope.scaling.type", "yarn"sv},
                                 {"rope.scaling.factor", 40.0F},
                                 {"rope.scaling.original_context_length", exactly(4096)},
                                 {"rope.scaling.yarn_log_multiplier", 0.1F}};
constexpr Trait kMaverick[] = {{"interleave_moe_layer_step", exactly(2)}};

// clang-format off
constexpr ModelShape kShapes[] = {
    // name               arch  layers   dim    ffn  heads  kv head_dim  vocab  context  rope base  output    window
    {"tiny",              "llama",   2,   256,   512,  4,  2,  64,    512,   2048,    1e4F, kOwnOutput, 0},
    {"A",                 "llama",  22,  2048,  5632, 32,  4,  64,  32000,  16384,    1e4F, kOwnOutput, 0},
    {"B",                 "llama",  32,  4096, 14336, 32,  8, 128,  32000,  32768,    1e6F, kOwnOutput, 0},
    {"tinyllama-1.1b",    "llama",  22,  2048,  5632, 32,  4,  64,  32000,   2048,    1e4F, kOwnOutput, 0},
    {"smollm2-135m",      "llama",  30,   576,  1536,  9,  3,  64,  49152,   8192,    1e5F, kTied,      0},
    {"smollm2-360m",      "llama",  32,   960,  2560, 15,  5,  64,  49152,   8192,    1e5F, kTied,      0},
    {"smollm2-1.7b",      "llama",  24,  2048,  8192, 32, 32,  64,  49152,   8192,  1.3e5F, kTied,      0},
    {"llama-2-7b",        "llama",  32,  4096, 11008, 32, 32, 128,  32000,   4096,    1e4F, kOwnOutput, 0},
    {"llama-2-13b",       "llama",  40,  5120, 13824, 40, 40, 128,  32000,   4096,    1e4F, kOwnOutput, 0},
    {"llama-2-70b",       "llama",  80,  8192, 28672, 64,  8, 128,  32000,   4096,    1e4F, kOwnOutput, 0},
    {"llama-3.2-1b",      "llama",  16,  2048,  8192, 32,  8,  64, 128256, 131072,    5e5F, kTied,      0},
    {"llama-3.2-3b",      "llama",  28,  3072,  8192, 24,  8, 128, 128256, 131072,    5e5F, kTied,      0},
    {"llama-3.1-8b",      "llama",  32,  4096, 14336, 32,  8, 128, 128256, 131072,    5e5F, kOwnOutput, 0},
    {"llama-3.3-70b",     "llama",  80,  8192, 28672, 64,  8, 128, 128256, 131072,    5e5F, kOwnOutput, 0},
    {"mistral-7b",        "llama",  32,  4096, 14336, 32,  8, 128,  32768,  32768,    1e6F, kOwnOutput, 0},
    {"mistral-nemo-12b",  "llama",  40,  5120, 14336, 32,  8, 128, 131072, 131072,    1e6F, kOwnOutput, 0},
    {"mistral-small-24b", "llama",  40,  5120, 32768, 32,  8, 128, 131072,  32768,    1e8F, kOwnOutput, 0},
    {"qwen2.5-0.5b",      "qwen2",  24,   896,  4864, 14,  2,  64, 151936,  32768,    1e6F, kTied,      0},
    {"qwen2.5-1.5b",      "qwen2",  28,  1536,  8960, 12,  2, 128, 151936,  32768,    1e6F, kTied,      0},
    {"qwen2.5-3b",        "qwen2",  36,  2048, 11008, 16,  2, 128, 151936,  32768,    1e6F, kTied,      0},
    {"qwen2.5-7b",        "qwen2",  28,  3584, 18944, 28,  4, 128, 152064,  32768,    1e6F, kOwnOutput, 0},
    {"qwen2.5-14b",       "qwen2",  48,  5120, 13824, 40,  8, 128, 152064,  32768,    1e6F, kOwnOutput, 0},
    {"qwen2.5-32b",       "qwen2",  64,  5120, 27648, 40,  8, 128, 152064,  32768,    1e6F, kOwnOutput, 0},
    {"qwen2.5-72b",       "qwen2",  80,  8192, 29568, 64,  8, 128, 152064,  32768,    1e6F, kOwnOutput, 0},
    {"qwen3-0.6b",        "qwen3",  28,  1024,  3072, 16,  8, 128, 151936,  40960,    1e6F, kTied,      0},
    {"qwen3-1.7b",        "qwen3",  28,  2048,  6144, 16,  8, 128, 151936,  40960,    1e6F, kTied,      0},
    {"qwen3-4b",          "qwen3",  36,  2560,  9728, 32,  8, 128, 151936,  40960,    1e6F, kTied,      0},
    {"qwen3-8b",          "qwen3",  36,  4096, 12288, 32,  8, 128, 151936,  40960,    1e6F, kOwnOutput, 0},
    {"qwen3-14b",         "qwen3",  40,  5120, 17408, 40,  8, 128, 151936,  40960,    1e6F, kOwnOutput, 0},
    {"qwen3-32b",         "qwen3",  64,  5120, 25600, 64,  8, 128, 151936,  40960,    1e6F, kOwnOutput, 0},
    {"gemma-2b",          "gemma",  18,  2048, 16384,  8,  1, 256, 256000,   8192,    1e4F, kTied,      0},
    {"gemma-7b",          "gemma",  28,  3072, 24576, 16, 16, 256, 256000,   8192,    1e4F, kTied,      0},
    {"gemma-2-2b",        "gemma2", 26,  2304,  9216,  8,  4, 256, 256000,   8192,    1e4F, kTied,   4096},
    {"gemma-2-9b",        "gemma2", 42,  3584, 14336, 16,  8, 256, 256000,   8192,    1e4F, kTied,   4096},
    {"gemma-2-27b",       "gemma2", 46,  4608, 36864, 32, 16, 128, 256000,   8192,    1e4F, kTied,   4096},
    {"gemma-3-1b",        "gemma3", 26,  1152,  6912,  4,  1, 256, 262144,  32768,    1e6F, kTied,    512},
    {"gemma-3-4b",        "gemma3", 34,  2560, 10240,  8,  4, 256, 262144, 131072,    1e6F, kTied,   1024},
    {"gemma-3-12b",       "gemma3", 48,  3840, 15360, 16,  8, 256, 262144, 131072,    1e6F, kTied,   1024},
    {"gemma-3-27b",       "gemma3", 62,  5376, 21504, 32, 16, 128, 262144, 131072,    1e6F, kTied,   1024},
    {"phi-3-mini",        "phi3",   32,  3072,  8192, 32, 32,  96,  32064,   4096,    1e4F, kOwnOutput, 2047},
    {"phi-3-medium",      "phi3",   40,  5120, 17920, 40, 10, 128,  32064,   4096,    1e4F, kOwnOutput, 2047},
    {"phi-4",             "phi3",   40,  5120, 17920, 40, 10, 128, 100352,  16384,  2.5e5F, kOwnOutput, 0},
    {"mamba2-2.7b",       "mamba2", 64,  2560,     1,  1,  1,  64,  50288,   8192,    1e4F, kTied,      0},
    // Mixtures of experts; ffn is of the layers without.
    // name               arch  layers   dim    ffn  heads  kv head_dim  vocab  context  rope base  output    window
    //     experts, used, ffn, shared, ranks of queries and latent, rotated values, traits
    {"M",                 "qwen3moe",
                                16,  2048,  6144, 32,  4, 128,  32000,  16384,    1e6F, kOwnOutput, 0,
         128, 8, 768},
    {"MLA",               "deepseek2",
                                 7,  2048, 10944, 16, 16, 128,  32000,  16384,    1e4F, kOwnOutput, 0,
         64, 6, 1408, 2, 0, 512, 64},
    {"mixtral-8x7b",      "llama",  32,  4096, 14336, 32,  8, 128,  32000,  32768,    1e6F, kOwnOutput, 0,
         8, 2, 14336},
    {"mixtral-8x22b",     "llama",  56,  6144, 16384, 48,  8, 128,  32000,  65536,    1e6F, kOwnOutput, 0,
         8, 2, 16384},
    {"qwen1.5-moe-a2.7b", "qwen2moe",
                                24,  2048,  5632, 16, 16, 128, 151936,   8192,    1e6F, kOwnOutput, 0,
         60, 4, 1408, 4},
    {"qwen3-30b-a3b",     "qwen3moe",
                                48,  2048,  6144, 32,  4, 128, 151936,  40960,    1e6F, kOwnOutput, 0,
         128, 8, 768},
    {"qwen3-235b-a22b",   "qwen3moe",
                                94,  4096, 12288, 64,  4, 128, 151936,  40960,    1e6F, kOwnOutput, 0,
         128, 8, 1536},
    {"qwen3-next-80b-a3b", "qwen3next",
                                48,  2048,  5120, 16,  2, 256, 151936, 262144,    1e7F, kOwnOutput, 0,
         512, 10, 512, 1},
    {"gpt-oss-20b",       "gpt-oss",
                                24,  2880,  2880, 64,  8,  64, 201088, 131072,  1.5e5F, kOwnOutput, 128,
         32, 4, 2880, 0, 0, 0, 0, kGptOss},
    {"gpt-oss-120b",      "gpt-oss",
                                36,  2880,  2880, 64,  8,  64, 201088, 131072,  1.5e5F, kOwnOutput, 128,
         128, 4, 2880, 0, 0, 0, 0, kGptOss},
    {"deepseek-v2-lite",  "deepseek2",
                                27,  2048, 10944, 16, 16, 128, 102400, 163840,    1e4F, kOwnOutput, 0,
         64, 6, 1408, 2, 0, 512, 64, kDeepseekV2Lite},
    {"deepseek-v3",       "deepseek2",
                                61,  7168, 18432, 128, 128, 128, 129280, 163840,  1e4F, kOwnOutput, 0,
         256, 8, 2048, 1, 1536, 512, 64, kDeepseekV3},
    {"llama-4-scout",     "llama4", 48,  5120, 16384, 40,  8, 128, 202048, 10485760,  5e5F, kOwnOutput, 8192,
         16, 1, 8192},
    {"llama-4-maverick",  "llama4", 48,  5120, 16384, 40,  8, 128, 202048, 1048576,   5e5F, kOwnOutput, 8192,
         128, 1, 8192, 0, 0, 0, 0, kMaverick},
    {"glm-4.5-air",       "glm4moe",
                                46,  4096, 10944, 96,  8, 128, 151552, 131072,    1e6F, kOwnOutput, 0,
         128, 8, 1408, 1},
    {"olmoe-1b-7b",       "olmoe",  16,  2048,  1024, 16, 16, 128,  50304,   4096,    1e4F, kOwnOutput, 0,
         64, 8, 1024},
    {"phi-3.5-moe",       "phimoe", 32,  4096,  6400, 32,  8, 128,  32064, 131072,    1e4F, kOwnOutput, 0,
         16, 2, 6400},
    {"granite-4-h-tiny",  "granitehybrid",
                                40,  1536,   512, 12,  4, 128, 100352, 131072,    1e4F, kTied,      0,
         64, 6, 512, 2},
};
// clang-format on

}  // namespace

std::span<const ModelShape> model_shapes() noexcept {
  return kShapes;
}

}  // namespace cistern::engine
