// POST /v1/embeddings and /v1/rerank: requests read into tasks, vectors and scores written as documents.
// Readers are pure and safe on any bytes; writers, too.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "serve/backend.h"
#include "serve/task.h"

namespace cistern::serve::openai {

struct EmbeddingRequest {
  EmbeddingTask task;
  bool base64 = false;
  std::optional<std::uint32_t> dimensions;
};

Result<EmbeddingRequest> read_embedding_request(std::string_view body);
// The text of the document: vectors are long, and each number is as short as a float allows.
std::string embedding_document(const Backend::Vectors& vectors, const std::string& model, bool base64);

struct RerankRequest {
  RerankTask task;
  std::uint32_t top_n = 0;  // 0: all
  bool return_documents = false;
};

Result<RerankRequest> read_rerank_request(std::string_view body);
// Most relevant first; of equal ones the first.
boost::json::object rerank_document(const Backend::Scores& scores, const RerankRequest& request,
                                    const std::string& model);

}  // namespace cistern::serve::openai
