// What Engine and Service both do with a Runtime: checks of requests, vectors and scores of texts, which run
// on its own sequence, whatever that held before. Internal to engine/.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/runtime.h"

namespace cistern::engine {

// "avx512, 2 threads".
std::string describe_backend(const Runtime& runtime);

Result<void> check_ids(const Runtime& runtime, std::span<const text::TokenId> ids);
// What Engine::submit refuses.
Result<void> check_request(const Runtime& runtime, const Request& request);
Result<void> check_generates(const spec::ModelSpec& model, const std::string& path);

// As Engine::embed and Engine::score say.
Result<std::vector<float>> embed(Runtime& runtime, std::span<const text::TokenId> ids,
                                 std::optional<spec::Pooling> pooling);
Result<float> score(Runtime& runtime, std::span<const text::TokenId> ids,
                    std::optional<std::uint32_t> query_tokens);

}  // namespace cistern::engine
