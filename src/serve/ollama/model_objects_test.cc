#include "serve/ollama/model_objects.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace cistern::serve::ollama {
namespace {

ModelInfo some_model() {
  return {.id = "small",
          .arch = "qwen3",
          .quantization = "Q4_K_M",
          .parameters = 4'021'784'576,
          .file_bytes = 2'497'280'256,
          .modified_s = 482196050,
          .context_tokens = 8192,
          .trained_context_tokens = 40960,
          .embedding_dim = 2560,
          .tools = true,
          .chat_template = "{{ messages }}"};
}

TEST(ModelNames, HaveATagThatCanBeLeftOut) {
  EXPECT_EQ(tagged_name("small"), "small:latest");
  EXPECT_EQ(tagged_name("small:4b"), "small:4b");
  EXPECT_EQ(name_without_latest("small:latest"), "small");
  EXPECT_EQ(name_without_latest("small:4b"), "small:4b");
  EXPECT_EQ(name_without_latest("small"), "small");
  EXPECT_EQ(name_without_latest(":latest"), "");
}

TEST(ModelObjects, TagsListAllModels) {
  const boost::json::object tags = tags_object({some_model(), {.id = "other:q8"}});
  const boost::json::array& models = tags.at("models").as_array();
  ASSERT_EQ(models.size(), 2U);
  boost::json::object first = models[0].as_object();
  EXPECT_EQ(first.at("digest").as_string().size(), 64U);
  EXPECT_NE(first.at("digest"), models[1].at("digest"));
  first.erase("digest");
  EXPECT_EQ(first, boost::json::value({{"name", "small:latest"},
                                       {"model", "small:latest"},
                                       {"size", 2'497'280'256},
                                       {"modified_at", "1985-04-12T23:20:50Z"},
                                       {"details",
                                        {{"parent_model", ""},
                                         {"format", "gguf"},
                                         {"family", "qwen3"},
                                         {"families", boost::json::array{"qwen3"}},
                                         {"parameter_size", "4.0B"},
                                         {"quantization_level", "Q4_K_M"}}}}));
  EXPECT_EQ(models[1].at("name"), "other:q8");
}

TEST(ModelObjects, PsListsWhatIsLoaded) {
  ModelInfo loaded = some_model();
  loaded.loaded = true;
  const boost::json::object ps = ps_object({{.id = "other"}, loaded});
  const boost::json::array& models = ps.at("models").as_array();
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].at("name"), "small:latest");
  EXPECT_EQ(models[0].at("context_length"), 8192);
  EXPECT_EQ(models[0].at("size_vram"), 0);
}

TEST(ModelObjects, ShowTellsWhatAModelIsAndCan) {
  EXPECT_EQ(show_object(some_model()), boost::json::value({{"modelfile", ""},
                                                           {"parameters", ""},
                                                           {"license", ""},
                                                           {"template", "{{ messages }}"},
                                                           {"details",
                                                            {{"parent_model", ""},
                                                             {"format", "gguf"},
                                                             {"family", "qwen3"},
                                                             {"families", boost::json::array{"qwen3"}},
                                                             {"parameter_size", "4.0B"},
                                                             {"quantization_level", "Q4_K_M"}}},
                                                           {"model_info",
                                                            {{"general.architecture", "qwen3"},
                                                             {"general.parameter_count", 4'021'784'576},
                                                             {"qwen3.context_length", 40960},
                                                             {"qwen3.embedding_length", 2560}}},
                                                           {"capabilities", {"completion", "tools"}},
                                                           {"modified_at", "1985-04-12T23:20:50Z"}}));
}

TEST(ModelObjects, ShowNamesEveryCapability) {
  const auto capabilities = [](const ModelInfo& model) {
    return boost::json::serialize(show_object(model).at("capabilities"));
  };
  EXPECT_EQ(capabilities({.generates = false, .embeds = true}), R"(["embedding"])");
  EXPECT_EQ(capabilities({.tools = true, .reasons = true}), R"(["completion","tools","thinking"])");
}

}  // namespace
}  // namespace cistern::serve::ollama
