#include "serve/anthropic/model_list.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace cistern::serve::anthropic {
namespace {

TEST(ModelList, HasOnePageOfAllModels) {
  const ModelInfo first = {.id = "a", .modified_s = 482196050, .context_tokens = 4096};
  const ModelInfo second = {.id = "b", .modified_s = 0, .context_tokens = 512};
  EXPECT_EQ(boost::json::serialize(model_list({first, second})),
            R"({"data":[{"type":"model","id":"a","display_name":"a","created_at":"1985-04-12T23:20:50Z",)"
            R"("lifecycle":"active","max_input_tokens":4096,"max_tokens":4096},)"
            R"({"type":"model","id":"b","display_name":"b","created_at":"1970-01-01T00:00:00Z",)"
            R"("lifecycle":"active","max_input_tokens":512,"max_tokens":512}],)"
            R"("has_more":false,"first_id":"a","last_id":"b"})");
}

TEST(ModelList, OfNoModelsHasNoIds) {
  EXPECT_EQ(boost::json::serialize(model_list({})),
            R"({"data":[],"has_more":false,"first_id":null,"last_id":null})");
}

}  // namespace
}  // namespace cistern::serve::anthropic
