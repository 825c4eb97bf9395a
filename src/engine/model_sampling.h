// How a model wants to be sampled: the general.sampling.* keys of its file over the defaults of the sampler;
// the embedded guide is greedy. Front-ends change what their user gave and validate() the result.
// Thread-safe.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "engine/engine.h"
#include "sample/sampler.h"

namespace cistern::engine {

// Without a seed. Errors: kFormat for keys of another type.
Result<sample::SamplerOptions> default_sampling(const OpenModel& model);

// Of 32 bits: short enough to be typed again. kIo where the system gives no random number.
Result<std::uint64_t> random_seed();

}  // namespace cistern::engine
