// The rows of average.h.
#include "spec/hub/average.h"

namespace cistern::spec::hub {
namespace {

// Packers for GPUs leave embedding and head in 16 bits.
constexpr double kHalf = 16;
// Groups of 128 weights share a scale of 16 bits and a zero point of 4.
constexpr double kGrouped4 = 4 + 20.0 / 128;
// Of ik_llama.cpp's mixtures, what is no expert.
constexpr double kQ8 = 8.5;

constexpr AverageRow kAverages[] = {
    // Dynamic mixtures: read off the sizes of published files, means over models.
    {"UD-IQ1_S", {.matrices = 2.0}, Scope::kDynamic},
    {"UD-IQ1_M", {.matrices = 2.3}, Scope::kDynamic},
    {"UD-IQ2_XXS", {.matrices = 2.6}, Scope::kDynamic},
    {"UD-IQ2_M", {.matrices = 2.8}, Scope::kDynamic},
    {"UD-IQ3_XXS", {.matrices = 3.2}, Scope::kDynamic},
    {"UD-Q2_K_XL", {.matrices = 3.0}, Scope::kDynamic},
    {"UD-Q3_K_XL", {.matrices = 3.6}, Scope::kDynamic},
    {"UD-Q4_K_XL", {.matrices = 5.0}, Scope::kDynamic},
    {"UD-Q5_K_XL", {.matrices = 5.9}, Scope::kDynamic},
    {"UD-Q6_K_XL", {.matrices = 7.2}, Scope::kDynamic},
    {"UD-Q8_K_XL", {.matrices = 9.1}, Scope::kDynamic},
    // What other programs pack.
    {"AWQ", {.matrices = kGrouped4, .embedding = kHalf, .output = kHalf}},
    {"GPTQ", {.matrices = kGrouped4, .embedding = kHalf, .output = kHalf}},
    {"W4A16", {.matrices = kGrouped4, .embedding = kHalf, .output = kHalf}},
    {"INT4", {.matrices = kGrouped4, .embedding = kHalf, .output = kHalf}},
    {"GPTQ-INT8", {.matrices = 8 + 24.0 / 128, .embedding = kHalf, .output = kHalf}},
    {"W8A8", {.matrices = 8, .embedding = kHalf, .output = kHalf}},
    {"INT8", {.matrices = 8, .embedding = kHalf, .output = kHalf}},
    {"FP8", {.matrices = 8, .embedding = kHalf, .output = kHalf}},
    {"MXFP8", {.matrices = 8.25, .embedding = kHalf, .output = kHalf}},
    {"NF4", {.matrices = 4.5, .embedding = kHalf, .output = kHalf}},
    {"FP4", {.matrices = 4.5, .embedding = kHalf, .output = kHalf}},
    // ik_llama.cpp's types. Its makers' mixtures give the down projections of experts the next type up, and
    // everything beside experts 8 bits; so the sizes of four published files say.
    {"IQ1_KT", {.matrices = 1.75, .experts_down = 2.125}, Scope::kExperts},
    {"IQ2_KT", {.matrices = 2.125, .experts_down = 3.125}, Scope::kExperts},
    {"IQ3_KT", {.matrices = 3.125, .experts_down = 4.0}, Scope::kExperts},
    {"IQ4_KT", {.matrices = 4.0, .experts_down = 4.0}, Scope::kExperts},
    {"IQ2_KS", {.matrices = 2.1875, .experts_down = 2.6875}, Scope::kExperts},
    {"IQ2_K", {.matrices = 2.375, .experts_down = 3.4375}, Scope::kExperts},
    {"IQ2_KL", {.matrices = 2.6875, .experts_down = 3.4375}, Scope::kExperts},
    {"IQ3_KS", {.matrices = 3.1875, .experts_down = 4.25}, Scope::kExperts},
    {"IQ3_K", {.matrices = 3.4375, .experts_down = 4.5}, Scope::kExperts},
    {"IQ4_KSS", {.matrices = 4.0, .experts_down = 4.25}, Scope::kExperts},
    {"IQ4_KS", {.matrices = 4.25, .experts_down = 5.25}, Scope::kExperts},
    {"IQ4_K", {.matrices = 4.5, .experts_down = 5.5}, Scope::kExperts},
    {"IQ5_KS", {.matrices = 5.25, .experts_down = 6.625}, Scope::kExperts},
    {"IQ5_K", {.matrices = 5.5, .experts_down = 6.625}, Scope::kExperts},
    {"IQ6_K", {.matrices = 6.625, .experts_down = kQ8}, Scope::kExperts},
    // The same mixtures of types that llama.cpp has too, repacked.
    {"IQ1_S_R4", {.matrices = 1.5, .experts_down = 1.75}, Scope::kExperts},
    {"IQ2_XXS_R4", {.matrices = 2.0625, .experts_down = 2.3125}, Scope::kExperts},
    {"IQ2_XS_R4", {.matrices = 2.3125, .experts_down = 3.0625}, Scope::kExperts},
    {"IQ3_XXS_R4", {.matrices = 3.0625, .experts_down = 3.4375}, Scope::kExperts},
    {"IQ3_S_R4", {.matrices = 3.4375, .experts_down = 4.25}, Scope::kExperts},
    {"IQ4_XS_R4", {.matrices = 4.25, .experts_down = 5.5}, Scope::kExperts},
};

}  // namespace

std::span<const AverageRow> averages() noexcept {
  return kAverages;
}

}  // namespace cistern::spec::hub
