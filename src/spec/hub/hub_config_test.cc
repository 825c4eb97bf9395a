// Published configurations in the forms that repositories have, and ones that nobody would publish: each is
// read or refused with an error that names the field, never more.
#include "spec/hub/hub_config.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>
#include <string>

#include "spec/hub/known_models.h"
#include "spec/hub/paper_model.h"

namespace cistern::spec::hub {
namespace {

namespace json = boost::json;

// One known model of each model_type.
std::vector<json::object> samples() {
  std::vector<json::object> configs;
  std::set<std::string> types;
  for (const KnownModel& known : known_models()) {
    json::object config = json::parse(known.config).as_object();
    if (types.insert(std::string(config.at("model_type").as_string())).second)
      configs.push_back(std::move(config));
  }
  return configs;
}

// Whatever the text is: a model whose tensors have sizes, or an error in one line.
void expect_model_or_error(const std::string& text) {
  const Result<PaperModel> paper = paper_model_of_config(text, "config.json", "Q4_K_M");
  if (!paper) {
    EXPECT_FALSE(paper.error().message.empty());
    EXPECT_EQ(describe(paper.error()).find('\n'), std::string::npos);
    return;
  }
  EXPECT_GT(paper->n_parameters(), 0U);
  EXPECT_GT(paper->inventory.tensor_bytes(), 0U);
}

json::object llama() {
  return json::parse(R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64,
      "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1000,
      "max_position_embeddings": 512})")
      .as_object();
}

Result<PaperModel> read(const json::object& config, std::string_view quant = {}) {
  return paper_model_of_config(json::serialize(config), "config.json", quant);
}

TEST(HubConfig, becomes_tensors_with_sizes_and_no_data) {
  const Result<PaperModel> paper = read(llama());
  ASSERT_TRUE(paper) << describe(paper.error());
  EXPECT_EQ(paper->quant, "BF16");
  EXPECT_EQ(paper->spec.n_vocab, 1000U);
  EXPECT_EQ(paper->spec.context_tokens, 512U);
  const file::TensorInfo* keys = paper->inventory.find("blk.1.attn_k.weight");
  ASSERT_NE(keys, nullptr);
  EXPECT_EQ(keys->shape, Shape(64, 32));
  EXPECT_EQ(keys->size_bytes, 64U * 32 * 2);
  EXPECT_TRUE(keys->bytes.empty());
  EXPECT_NE(paper->inventory.find("output.weight"), nullptr);
}

TEST(HubConfig, output_head_is_the_embedding_where_the_configuration_says_so) {
  json::object config = llama();
  config["tie_word_embeddings"] = true;
  const Result<PaperModel> paper = read(config);
  ASSERT_TRUE(paper);
  EXPECT_EQ(paper->inventory.find("output.weight"), nullptr);
  EXPECT_TRUE(paper->spec.tied_output);
}

TEST(HubConfig, language_models_of_others_are_found_within) {
  json::object whole;
  whole["model_type"] = "mistral3";
  whole["vision_config"] = json::object{{"hidden_size", 1024}};
  whole["text_config"] = llama();
  whole["tie_word_embeddings"] = true;
  const Result<PaperModel> paper = read(whole);
  ASSERT_TRUE(paper) << describe(paper.error());
  EXPECT_EQ(paper->spec.dim, 64U);
  EXPECT_TRUE(paper->spec.tied_output);
}

// A file that leaves out what transformers' class knows (google/gemma-3-4b-it).
TEST(HubConfig, families_have_defaults) {
  const Result<PaperModel> paper = paper_model_of_config(
      R"({"model_type": "gemma3", "text_config": {"hidden_size": 2560, "intermediate_size": 10240,
          "model_type": "gemma3_text", "num_hidden_layers": 34, "sliding_window": 1024}})",
      "config.json");
  ASSERT_TRUE(paper) << describe(paper.error());
  EXPECT_NEAR(static_cast<double>(paper->n_parameters()) / 1e9, 3.88, 0.01);
  EXPECT_EQ(paper->spec.layers[0].attention->window, 1024U);
  EXPECT_EQ(paper->spec.layers[5].attention->window, 0U);
}

TEST(HubConfig, unknown_types_are_refused_with_the_known_ones) {
  json::object config = llama();
  config["model_type"] = "lama";
  const Result<PaperModel> paper = read(config);
  ASSERT_FALSE(paper);
  EXPECT_EQ(paper.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(paper.error().message.find("is it llama?"), std::string::npos) << paper.error().message;
  EXPECT_NE(paper.error().message.find("deepseek_v3"), std::string::npos);
}

TEST(HubConfig, errors_name_the_field) {
  const auto refused = [](std::string_view field, const json::value& value) {
    SCOPED_TRACE(json::serialize(value));
    json::object config = llama();
    config[field] = value;
    const Result<PaperModel> paper = read(config);
    ASSERT_FALSE(paper);
    EXPECT_NE(paper.error().where.find("'" + std::string(field) + "'"), std::string::npos)
        << describe(paper.error());
  };
  for (const std::string_view field :
       {"num_hidden_layers", "hidden_size", "vocab_size", "intermediate_size", "num_attention_heads"}) {
    for (const json::value& value : {json::value(nullptr), json::value("12"), json::value(-1), json::value(0),
                                     json::value(1e300), json::value(2.5), json::value(json::array())}) {
      refused(field, value);
    }
  }
  refused("num_attention_heads", 7);
  refused("num_key_value_heads", 3);
  refused("rope_theta", 0);
  refused("rms_norm_eps", "small");
  refused("tie_word_embeddings", "yes");
}

TEST(HubConfig, default_type_is_what_the_configuration_says) {
  struct Case {
    const char* config;
    const char* quant;
    double bits;  // of a matrix
  };
  constexpr Case kCases[] = {
      {R"({"quant_method": "awq", "bits": 4, "group_size": 128})", "AWQ 4bit", 4 + 20.0 / 128},
      {R"({"quant_method": "gptq", "bits": 8, "group_size": -1})", "GPTQ 8bit", 8 + 24.0 / 4096},
      {R"({"quant_method": "bitsandbytes", "load_in_4bit": true})", "NF4", 4.5},
      {R"({"quant_method": "fp8", "weight_block_size": [128, 128]})", "FP8", 8},
      {R"({"quant_method": "exl3", "bits": 3.0, "head_bits": 6})", "EXL 3bpw", 3},
      {R"({"group_size": 64, "bits": 4, "mode": "affine"})", "MLX 4bit", 4.5},
      {R"({"group_size": 32, "bits": 4, "mode": "mxfp4"})", "MLX 4bit", 4.25},
      {R"({"quant_method": "something new"})", "BF16", 16},
  };
  for (const Case& row : kCases) {
    SCOPED_TRACE(row.config);
    json::object config = llama();
    config["quantization_config"] = json::parse(row.config);
    const Result<PaperModel> paper = read(config);
    ASSERT_TRUE(paper) << describe(paper.error());
    EXPECT_EQ(paper->quant, row.quant);
    const file::TensorInfo* up = paper->inventory.find("blk.0.ffn_up.weight");
    ASSERT_NE(up, nullptr);
    EXPECT_NEAR(static_cast<double>(up->size_bytes) * 8 / static_cast<double>(up->shape.elements()), row.bits,
                0.01);
  }
}

TEST(HubConfig, damaged_text_is_an_error) {
  const std::string text = json::serialize(llama());
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(paper_model_of_config(text.substr(0, size), "config.json"));
  EXPECT_FALSE(paper_model_of_config("[]", "config.json"));
  EXPECT_FALSE(paper_model_of_config("null", "config.json"));
  EXPECT_FALSE(paper_model_of_config(std::string(100000, '['), "config.json"));
  EXPECT_FALSE(paper_model_of_config(std::string(std::size_t{9} << 20U, ' '), "config.json"));
  std::string nested = "1";
  for (int i = 0; i < 10000; ++i) nested.insert(0, "{\"text_config\":").push_back('}');
  EXPECT_FALSE(paper_model_of_config(nested, "config.json"));
}

// Every field of every family, absent and with what it must not be.
TEST(HubConfig, hostile_values_give_a_model_or_an_error) {
  const std::vector<json::value> values = {nullptr,
                                           true,
                                           "text",
                                           -1,
                                           0,
                                           1,
                                           3,
                                           4097,
                                           1e308,
                                           0.5,
                                           4294967295U,
                                           json::array(),
                                           json::array{1, "a"},
                                           json::array{json::array()},
                                           json::object(),
                                           json::array(9000, 1)};
  for (const json::object& config : samples()) {
    SCOPED_TRACE(std::string(config.at("model_type").as_string()));
    expect_model_or_error(json::serialize(config));
    for (const auto& field : config) {
      SCOPED_TRACE(std::string(field.key()));
      json::object edited = config;
      edited.erase(field.key());
      expect_model_or_error(json::serialize(edited));
      for (const json::value& value : values) {
        edited[field.key()] = value;
        expect_model_or_error(json::serialize(edited));
      }
    }
  }
}

}  // namespace
}  // namespace cistern::spec::hub
