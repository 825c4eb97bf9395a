#include "spec/vocab.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstring>
#include <deque>

#include "file/inventory.h"
#include "support/fixtures.h"
#include "text/tokenizer.h"

namespace cistern::spec {
namespace {

namespace fs = std::filesystem;

// Metadata made in memory; owns what its values point to.
class TestMetadata {
 public:
  file::Metadata metadata{"test.gguf"};

  void text(std::string_view key, std::string_view value) {
    put(key, {.type = file::ValueType::kString, .element = file::ValueType::kString, .strings = {value}});
  }
  void strings(std::string_view key, std::vector<std::string_view> values) {
    const std::uint64_t count = values.size();
    put(key, {.type = file::ValueType::kArray,
              .element = file::ValueType::kString,
              .count = count,
              .strings = std::move(values)});
  }
  template <class T>
  void array(std::string_view key, file::ValueType element, const std::vector<T>& values) {
    put(key,
        {.type = file::ValueType::kArray, .element = element, .count = values.size(), .data = keep(values)});
  }
  void number(std::string_view key, std::uint32_t value) {
    put(key, {.type = file::ValueType::kU32,
              .element = file::ValueType::kU32,
              .data = keep(std::vector<std::uint32_t>{value})});
  }

 private:
  void put(std::string_view key, file::Value value) { EXPECT_TRUE(metadata.insert(key, std::move(value))); }
  template <class T>
  std::span<const std::byte> keep(const std::vector<T>& values) {
    auto& blob = blobs_.emplace_back(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(blob.data(), values.data(), blob.size());
    return blob;
  }
  std::deque<std::vector<std::byte>> blobs_;
};

TestMetadata spm(std::vector<std::int32_t> types = {2, 3, 3, 1}) {
  TestMetadata out;
  out.text("tokenizer.ggml.model", "llama");
  out.strings("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "a"});
  out.array<float>("tokenizer.ggml.scores", file::ValueType::kF32, {0, 0, 0, -1});
  out.array("tokenizer.ggml.token_type", file::ValueType::kI32, types);
  return out;
}

std::string error_of(const TestMetadata& metadata) {
  const auto vocab = read_vocab(metadata.metadata);
  EXPECT_FALSE(vocab.has_value());
  return vocab ? "" : describe(vocab.error());
}

TEST(ReadVocab, DefaultsOfSentencePiece) {
  const TestMetadata metadata = spm();
  const auto vocab = read_vocab(metadata.metadata);
  ASSERT_TRUE(vocab.has_value()) << describe(vocab.error());
  EXPECT_EQ(vocab->bos, 1u);
  EXPECT_EQ(vocab->eos, 2u);
  EXPECT_EQ(vocab->unk, 0u);
  EXPECT_TRUE(vocab->add_bos);
  EXPECT_FALSE(vocab->add_eos);
  EXPECT_TRUE(vocab->add_space_prefix);
}

TEST(ReadVocab, DefaultIdsCountOnlyForControlTokens) {
  const TestMetadata metadata = spm({1, 1, 3, 1});
  const auto vocab = read_vocab(metadata.metadata);
  ASSERT_TRUE(vocab.has_value());
  EXPECT_EQ(vocab->bos, std::nullopt);
  EXPECT_EQ(vocab->unk, std::nullopt);
  EXPECT_EQ(vocab->eos, 2u);
}

TEST(ReadVocab, ErrorsNameTheKeyAndTheIndex) {
  TestMetadata metadata = spm({2, 3, 3, 7});
  EXPECT_NE(error_of(metadata).find("tokenizer.ggml.token_type[3] is 7"), std::string::npos);
  metadata = spm({2, 3, 3});
  EXPECT_NE(error_of(metadata).find("tokenizer.ggml.token_type has 3"), std::string::npos);
  for (const char* name : {"bos", "eos", "eot", "eom", "unknown", "padding", "mask"}) {
    metadata = spm();
    const std::string key = std::string("tokenizer.ggml.") + name + "_token_id";
    metadata.number(key, 4);
    EXPECT_NE(error_of(metadata).find(key + " is 4"), std::string::npos);
  }
  TestMetadata unknown;
  unknown.text("tokenizer.ggml.model", "rwkv");
  EXPECT_NE(error_of(unknown).find("'rwkv'"), std::string::npos);
}

// Converters copy them from configurations of larger vocabularies (ModernBERT's separator is 50282).
TEST(ReadVocab, TokensThatAModelCanDoWithoutMayBeBeyondTheVocabulary) {
  TestMetadata metadata = spm();
  metadata.number("tokenizer.ggml.seperator_token_id", 50282);
  metadata.number("tokenizer.ggml.cls_token_id", 50281);
  const auto vocab = read_vocab(metadata.metadata);
  ASSERT_TRUE(vocab) << describe(vocab.error());
  EXPECT_EQ(vocab->sep, std::nullopt);
  EXPECT_EQ(vocab->cls, std::nullopt);
}

TEST(ReadVocab, ChatTemplate) {
  TestMetadata metadata = spm();
  EXPECT_EQ(*read_chat_template(metadata.metadata), std::nullopt);
  metadata.text("tokenizer.chat_template", "{{ x }}");
  EXPECT_EQ(**read_chat_template(metadata.metadata), "{{ x }}");
}

// Files with one lie each (index.json says what to expect of loading a model from them). Those about the
// vocabulary must fail here, with a message that names the key.
TEST(HostileVocabularies, SharedSet) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  const auto index = boost::json::parse(testing::read_text(*fixtures / "hostile" / "index.json")).as_array();
  int checked = 0;
  for (const auto& entry : index) {
    const std::string name(entry.at("file").as_string());
    const bool about_vocab =
        name.starts_with("token") || name.starts_with("scores-") || name.starts_with("merges-") ||
        name.starts_with("byte-token") || name.starts_with("pre-") || name.starts_with("charsmap-") ||
        name.starts_with("model-unknown") || name.starts_with("missing-tokenizer") || name == "ok.gguf";
    if (!about_vocab) continue;
    ++checked;
    const auto files = file::open_model((*fixtures / "hostile" / name).string());
    if (!files) {
      EXPECT_NE(entry.at("expect").as_string(), "ok") << name << ": " << describe(files.error());
      continue;
    }
    auto vocab = read_vocab(files->inventory.metadata);
    std::string message = vocab ? "" : describe(vocab.error());
    if (vocab) {
      auto tokenizer = text::Tokenizer::create(*std::move(vocab));
      if (!tokenizer) message = describe(tokenizer.error());
      if (tokenizer) {
        const auto ids = (*tokenizer)->encode("Hello <s> w\xFFrld \n\n", true);
        if (ids) (*tokenizer)->decode(*ids);
      }
    }
    const std::string_view expect = entry.at("expect").as_string();
    EXPECT_TRUE(expect != "error" || message.find("tokenizer.ggml.") != std::string::npos)
        << name << ": '" << message << "'";
    EXPECT_TRUE(expect != "ok" || message.empty()) << name << ": '" << message << "'";
    EXPECT_EQ(message.find('\n'), std::string::npos) << name;
  }
  EXPECT_GE(checked, 30);
}

}  // namespace
}  // namespace cistern::spec
