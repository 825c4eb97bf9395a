// /api/embed and the old /api/embeddings: vectors of texts. Used by routes.h. The handlers are thread-safe
// and share the backend.
#pragma once

#include <memory>
#include <vector>

#include "serve/backend.h"
#include "serve/http/exchange.h"

namespace cistern::serve::ollama {

http::Handler embedding(std::shared_ptr<Backend> backend);
http::Handler embedding_of_prompt(std::shared_ptr<Backend> backend);

// The first `dimensions` of a vector, of length 1 again; all of them where there are not so many.
void cut(std::vector<float>& vector, std::size_t dimensions);

}  // namespace cistern::serve::ollama
