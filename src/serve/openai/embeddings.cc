#include "serve/openai/embeddings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "serve/json_fields.h"
#include "serve/openai/token_array.h"

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

std::string base64_of(const std::string& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kDigits[group >> (18 - 6 * k) & 0x3FU] : '=';
  }
  return out;
}

// Floats as they lie in memory of a little-endian machine.
std::string base64_of(std::span<const float> row) {
  std::string bytes;
  bytes.reserve(row.size() * 4);
  for (const float value : row) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xFFU);
  }
  return base64_of(bytes);
}

void append_row(std::string& out, std::span<const float> row) {
  out += '[';
  for (std::size_t i = 0; i < row.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{}", i > 0 ? "," : "", std::isfinite(row[i]) ? row[i] : 0.0F);
  out += ']';
}

Result<std::string> read_document(const Field& field) {
  if (field.is_text()) return field.text();
  if (!field.is_object()) return field.wrong_type("a string or an object with text");
  CISTERN_TRY(const Fields fields, Fields::of(field));
  CISTERN_TRY(const Field text, fields.require("text"));
  return text.text();
}

}  // namespace

Result<EmbeddingRequest> read_embedding_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields fields, Fields::of(document));
  EmbeddingRequest request;
  CISTERN_TRY(const auto model, fields.text("model"));
  request.task.model = model.value_or("");
  CISTERN_TRY(const Field input, fields.require("input"));
  CISTERN_TRY(request.task.inputs, read_texts(input, kMostInputs));
  if (const auto format = fields.find("encoding_format")) {
    constexpr std::array<std::string_view, 2> kFormats = {"float", "base64"};
    CISTERN_TRY(const std::size_t index, format->one_of(kFormats));
    request.base64 = index == 1;
  }
  CISTERN_TRY(const auto dimensions, fields.integer("dimensions", 1, INT32_MAX));
  if (dimensions) request.dimensions = static_cast<std::uint32_t>(*dimensions);
  return request;
}

std::string embedding_document(const Backend::Vectors& vectors, const std::string& model, bool base64) {
  std::string out = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < vectors.rows.size(); ++i) {
    out += fmt::format(R"({}{{"object":"embedding","index":{},"embedding":)", i > 0 ? "," : "", i);
    if (base64) {
      out += '"' + base64_of(vectors.rows[i]) + '"';
    } else {
      append_row(out, vectors.rows[i]);
    }
    out += '}';
  }
  out += fmt::format(R"(],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
                     json::serialize(json::value(model)), vectors.prompt_tokens, vectors.prompt_tokens);
  return out;
}

Result<RerankRequest> read_rerank_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields fields, Fields::of(document));
  RerankRequest request;
  CISTERN_TRY(const auto model, fields.text("model"));
  request.task.model = model.value_or("");
  CISTERN_TRY(const Field query, fields.require("query"));
  CISTERN_TRY(request.task.query, query.text());
  CISTERN_TRY(const Field documents, fields.require("documents"));
  CISTERN_TRY(const json::array* array, documents.array(kMostInputs));
  if (array->empty()) return documents.wrong("has to have at least one element");
  for (std::size_t i = 0; i < array->size(); ++i) {
    CISTERN_TRY(request.task.documents.emplace_back(), read_document(documents[i]));
  }
  CISTERN_TRY(const auto top_n, fields.integer("top_n", 1, INT32_MAX));
  CISTERN_TRY(const auto return_documents, fields.boolean("return_documents"));
  request.top_n = static_cast<std::uint32_t>(top_n.value_or(0));
  request.return_documents = return_documents.value_or(false);
  return request;
}

json::object rerank_document(const Backend::Scores& scores, const RerankRequest& request,
                             const std::string& model) {
  // Of what the backend scored: as many as there are documents.
  std::vector<std::size_t> order(std::min(scores.scores.size(), request.task.documents.size()));
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) {
    return std::isnan(scores.scores[i]) ? -std::numeric_limits<float>::infinity() : scores.scores[i];
  };
  std::ranges::sort(
      order, [&](std::size_t a, std::size_t b) { return std::pair(-key(a), a) < std::pair(-key(b), b); });
  if (request.top_n > 0 && request.top_n < order.size()) order.resize(request.top_n);
  json::array results;
  for (const std::size_t i : order) {
    json::object result = {{"index", i}, {"relevance_score", json_number(scores.scores[i])}};
    if (request.return_documents) result["document"] = {{"text", request.task.documents[i]}};
    results.emplace_back(std::move(result));
  }
  return {{"object", "list"},
          {"model", model},
          {"results", std::move(results)},
          {"usage", {{"prompt_tokens", scores.prompt_tokens}, {"total_tokens", scores.prompt_tokens}}}};
}

}  // namespace cistern::serve::openai
