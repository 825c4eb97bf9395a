// The token ids that a command is given as JSON, to be fed as they are: [1, 2, 3] or {"tokens": [1, 2, 3]}.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "text/vocab.h"

namespace cistern::tools {

// At least one id, each below n_vocab; "-" is stdin. kFormat says what is wrong and where.
Result<std::vector<text::TokenId>> read_token_file(const std::string& path, std::size_t n_vocab);

}  // namespace cistern::tools
