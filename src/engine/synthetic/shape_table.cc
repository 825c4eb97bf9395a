// Shapes by the models' published configurations.
#include "engine/synthetic/shape.h"

namespace cistern::engine {
namespace {

constexpr bool kTied = true;
constexpr bool kOwnOutput = false;

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
};
// clang-format on

}  // namespace

std::span<const ModelShape> model_shapes() noexcept {
  return kShapes;
}

}  // namespace cistern::engine
