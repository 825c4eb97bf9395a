#include "engine/model_sampling.h"

#include <array>
#include <fstream>

namespace cistern::engine {
namespace {

using sample::SamplerOptions;

struct FloatKey {
  const char* key;
  float SamplerOptions::* value;
};
constexpr std::array kFloatKeys = {
    FloatKey{"general.sampling.temp", &SamplerOptions::temperature},
    FloatKey{"general.sampling.top_p", &SamplerOptions::top_p},
    FloatKey{"general.sampling.min_p", &SamplerOptions::min_p},
    FloatKey{"general.sampling.penalty_repeat", &SamplerOptions::repetition_penalty},
    FloatKey{"general.sampling.xtc_probability", &SamplerOptions::xtc_probability},
    FloatKey{"general.sampling.xtc_threshold", &SamplerOptions::xtc_threshold},
    FloatKey{"general.sampling.mirostat_tau", &SamplerOptions::mirostat_tau},
    FloatKey{"general.sampling.mirostat_eta", &SamplerOptions::mirostat_eta},
};

struct CountKey {
  const char* key;
  std::uint32_t SamplerOptions::* value;
};
constexpr std::array kCountKeys = {
    CountKey{"general.sampling.top_k", &SamplerOptions::top_k},
    CountKey{"general.sampling.penalty_last_n", &SamplerOptions::penalty_window},
};

}  // namespace

Result<SamplerOptions> default_sampling(const OpenModel& model) {
  SamplerOptions options;
  if (model.path == kGuide) options.temperature = 0;
  const file::Metadata& metadata = model.inventory().metadata;
  for (const FloatKey& row : kFloatKeys) {
    CISTERN_TRY(const auto value, metadata.find_number(row.key));
    if (value) options.*row.value = static_cast<float>(*value);
  }
  for (const CountKey& row : kCountKeys) {
    CISTERN_TRY(const auto value, metadata.find_uint(row.key));
    if (value) options.*row.value = static_cast<std::uint32_t>(*value);
  }
  CISTERN_TRY(const auto mirostat, metadata.find_uint("general.sampling.mirostat"));
  if (mirostat) options.mirostat = *mirostat != 0;  // its first version too: both aim at tau
  return options;
}

// getentropy() would be taken from libbsd.a, which libedit needs.
Result<std::uint64_t> random_seed() {
  std::uint32_t seed = 0;
  std::ifstream source("/dev/urandom", std::ios::binary);
  if (source.read(reinterpret_cast<char*>(&seed), sizeof seed)) return seed;
  return fail(ErrorCode::kIo, "the system gives no random number: choose a seed", "seed");
}

}  // namespace cistern::engine
