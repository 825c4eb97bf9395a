#include "serve/openai/embeddings.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "serve/openai/protocol_test.h"

namespace cistern::serve::openai {
namespace {

using namespace cistern::testing;

class Embeddings : public ProtocolTest {};

TEST_F(Embeddings, AreFloatsOrTheirBytes) {
  backend->vectors = {.rows = {{0.5F, -1.0F}, {0.1F, NAN}}, .prompt_tokens = 7};
  EXPECT_EQ(post("/v1/embeddings", R"({"model": "m", "input": ["a", "b"]})")->body(),
            R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1]},)"
            R"({"object":"embedding","index":1,"embedding":[0.1,0]}],"model":"m",)"
            R"("usage":{"prompt_tokens":7,"total_tokens":7}})");
  // base64.b64encode(struct.pack("<2f", 0.5, -1.0)); for one float and three, too: their paddings
  backend->vectors = {.rows = {{0.5F, -1.0F}, {0.5F}, {1.0F, 2.0F, 3.0F}}, .prompt_tokens = 7};
  const auto document =
      boost::json::parse(post("/v1/embeddings", R"({"input": "a", "encoding_format": "base64"})")->body());
  EXPECT_EQ(document.at("data").at(0).at("embedding"), "AAAAPwAAgL8=");
  EXPECT_EQ(document.at("data").at(1).at("embedding"), "AAAAPw==");
  EXPECT_EQ(document.at("data").at(2).at("embedding"), "AACAPwAAAEAAAEBA");
}

TEST_F(Embeddings, InputsAreTextsOrTokens) {
  const auto read = [&](const char* body) {
    EXPECT_EQ(outcome("/v1/embeddings", body), "200");
    return backend->embedded->inputs;
  };
  using Inputs = decltype(EmbeddingTask::inputs);
  EXPECT_EQ(read(R"({"input": "a"})"), (Inputs{"a"}));
  EXPECT_EQ(read(R"({"input": ["a", "b"]})"), (Inputs{"a", "b"}));
  EXPECT_EQ(read(R"({"input": [1, 2]})"), (Inputs{RawTokens{1, 2}}));
  EXPECT_EQ(read(R"({"input": [[1, 2], "c"]})"), (Inputs{RawTokens{1, 2}, "c"}));
}

TEST_F(Embeddings, DimensionsAreThoseOfTheModel) {
  backend->listed = {{.id = "m", .embedding_dim = 384}};
  EXPECT_EQ(outcome("/v1/embeddings", R"({"input": "a", "dimensions": 384})"), "200");
  EXPECT_EQ(outcome("/v1/embeddings", R"({"input": "a", "dimensions": 256})"),
            "400 dimensions: the vectors of this model have 384 dimensions and cannot be cut");
}

TEST_F(Embeddings, WhatIsWrongIsNamed) {
  for (const auto& [body, error] : std::vector<std::pair<std::string, const char*>>{
           {"{}", "400 input: is missing"},
           {R"({"input": []})", "400 input: has to have at least one element"},
           {R"({"input": [[]]})", "400 input[0]: has to have at least one token"},
           {R"({"input": [null]})", "400 input[0]: has to be a string or an array of tokens, not null"},
           {R"({"input": "a", "encoding_format": "hex"})",
            "400 encoding_format: has to be one of: float, base64"},
           {R"({"input": "a", "dimensions": 0})",
            "400 dimensions: has to be an integer from 1 to 2147483647"},
           {R"({"input": "a", "model": "other"})", "404 model: no model of the name 'other'"},
           {R"({"input": "a)"
            "\xFF"
            R"("})",
            "400 the body is no valid JSON: syntax error at offset 12"},
       }) {
    EXPECT_EQ(outcome("/v1/embeddings", body).substr(0, std::string(error).size()), error) << body;
  }
  std::string many = R"({"input": ["a")";
  for (int i = 1; i < 2049; ++i) many += R"(,"a")";
  EXPECT_EQ(outcome("/v1/embeddings", many + "]}"), "400 input: has 2049 elements, at most 2048 are allowed");
  backend->refusal = Error{ErrorCode::kUnsupported, "this model gives no vectors", "model"};
  EXPECT_EQ(outcome("/v1/embeddings", R"({"input": "a"})"), "400 model: this model gives no vectors");
}

class Rerank : public ProtocolTest {};

TEST_F(Rerank, ResultsAreSortedByScore) {
  backend->scores = {.scores = {0.25F, 0.75F, NAN, 0.75F}, .prompt_tokens = 9};
  const std::string body = R"({"query": "q", "documents": ["a", {"text": "b"}, "c", "d"])";
  EXPECT_EQ(post("/v1/rerank", body + "}")->body(),
            compact(R"({"object": "list", "model": "m", "results": [{"index": 1, "relevance_score": 0.75},
              {"index": 3, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.25},
              {"index": 2, "relevance_score": 0.0}], "usage": {"prompt_tokens": 9, "total_tokens": 9}})"));
  EXPECT_EQ(backend->reranked->query, "q");
  EXPECT_EQ(backend->reranked->documents, (std::vector<std::string>{"a", "b", "c", "d"}));
  const auto document =
      boost::json::parse(post("/rerank", body + R"(, "top_n": 1, "return_documents": true})")->body());
  EXPECT_EQ(document.at("results"),
            boost::json::parse(R"([{"index": 1, "relevance_score": 0.75, "document": {"text": "b"}}])"));
}

TEST_F(Rerank, WhatIsWrongIsNamed) {
  for (const auto& [body, error] : std::vector<std::pair<const char*, const char*>>{
           {R"({"documents": ["a"]})", "query: is missing"},
           {R"({"query": "q"})", "documents: is missing"},
           {R"({"query": "q", "documents": []})", "documents: has to have at least one element"},
           {R"({"query": "q", "documents": ["a", 1]})",
            "documents[1]: has to be a string or an object with text, not a number"},
           {R"({"query": "q", "documents": [{}]})", "documents[0].text: is missing"},
           {R"({"query": "q", "documents": ["a"], "top_n": 0})",
            "top_n: has to be an integer from 1 to 2147483647"},
       }) {
    EXPECT_EQ(outcome("/v1/rerank", body), std::string("400 ") + error) << body;
  }
}

class Models : public ProtocolTest {};

TEST_F(Models, AreListedAndFoundByName) {
  backend->listed = {{.id = "org/m:Q4",
                      .arch = "llama",
                      .quantization = "Q4_K_M",
                      .parameters = 1000,
                      .file_bytes = 600,
                      .modified_s = 12,
                      .context_tokens = 4096,
                      .trained_context_tokens = 8192,
                      .embedding_dim = 64,
                      .loaded = true,
                      .tools = true},
                     {.id = "n"}};
  const auto list = boost::json::parse(send(FakeExchange::get("/v1/models"))->body());
  EXPECT_EQ(list.at("object"), "list");
  EXPECT_EQ(list.at("data").as_array().size(), 2U);
  EXPECT_EQ(list.at("data").at(0), boost::json::parse(R"({"id": "org/m:Q4", "object": "model", "created": 12,
    "owned_by": "local", "loaded": true, "context_length": 4096, "trained_context_length": 8192,
    "architecture": "llama", "quantization": "Q4_K_M", "parameters": 1000, "size_bytes": 600,
    "embedding_length": 64, "capabilities": ["generate", "tools"]})"));
  EXPECT_EQ(boost::json::parse(send(FakeExchange::get("/v1/models/org/m:Q4"))->body()),
            list.at("data").at(0));
  const auto unknown = send(FakeExchange::get("/v1/models/other"));
  EXPECT_EQ(unknown->status(), 404U);
  EXPECT_EQ(unknown->body(), R"({"error":{"message":"model: no model of the name 'other'",)"
                             R"("type":"invalid_request_error","param":"model","code":"model_not_found"}})");
}

}  // namespace
}  // namespace cistern::serve::openai
