// Tokenizers against the libraries that models are trained with: cases made with Hugging Face tokenizers and
// sentencepiece (and llama.cpp's published cases for real vocabularies), read from whole vocab.gguf files.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdio>
#include <map>

#include "file/inventory.h"
#include "spec/vocab.h"
#include "support/fixtures.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

namespace cistern::spec {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Ids = std::vector<text::TokenId>;

Ids ids_of(const json::value& value) {
  return json::value_to<Ids>(value);
}

std::string show(const Ids& ids) {
  return json::serialize(json::value_from(ids));
}

struct Loaded {
  file::ModelFiles files;
  std::unique_ptr<text::Tokenizer> tokenizer;
};

Result<Loaded> load(const fs::path& path) {
  Loaded loaded;
  CISTERN_TRY(loaded.files, file::open_model(path.string()));
  CISTERN_TRY(auto vocab, read_vocab(loaded.files.inventory.metadata));
  CISTERN_TRY(loaded.tokenizer, text::Tokenizer::create(std::move(vocab)));
  return loaded;
}

std::vector<json::object> read_cases(const fs::path& path) {
  std::vector<json::object> cases;
  if (!fs::exists(path)) return cases;
  for (const std::string& line : testing::read_lines(path)) cases.push_back(json::parse(line).as_object());
  return cases;
}

// A GGUF file does not say everything that a tokenizer.json says. Where that matters a case has a second
// answer, "plain", for those who read the GGUF alone.
bool accepts(const json::object& c, const char* field, const Ids& ids) {
  if (ids == ids_of(c.at(field))) return true;
  const auto* plain = c.if_contains("plain");
  const auto* answer = plain != nullptr ? plain->as_object().if_contains(field) : nullptr;
  return answer != nullptr && ids == ids_of(*answer);
}

struct Score {
  int passed = 0, total = 0;
  void count(bool ok) {
    passed += ok ? 1 : 0;
    ++total;
  }
};

struct Scores {
  Score encode, special, decode;
};

std::string stream(const text::Tokenizer& tokenizer, const Ids& ids) {
  text::Detokenizer detokenizer(tokenizer);
  std::string text;
  for (const auto id : ids) text += detokenizer.push(id);
  return text + detokenizer.flush();
}

void check_decode(const text::Tokenizer& tokenizer, const Ids& ids, const json::value& expected,
                  Score& score) {
  const std::string text = tokenizer.decode(ids);
  EXPECT_EQ(text, expected.as_string()) << show(ids);
  EXPECT_EQ(text, stream(tokenizer, ids));
  score.count(text == expected.as_string());
}

Scores check_folder(const fs::path& folder) {
  Scores scores;
  auto loaded = load(folder / "vocab.gguf");
  if (!loaded) {
    ADD_FAILURE() << describe(loaded.error());
    return scores;
  }
  const text::Tokenizer& tokenizer = *loaded->tokenizer;
  for (const json::object& c : read_cases(folder / "cases.jsonl")) {
    const std::string_view text = c.at("text").as_string();
    const auto ids = tokenizer.encode(text, false);
    EXPECT_TRUE(ids.has_value());
    if (!ids) continue;
    const bool ok = accepts(c, "ids", *ids);
    EXPECT_TRUE(ok) << folder.filename() << " " << json::serialize(c.at("text")) << "\n got  " << show(*ids)
                    << "\n want " << c.at("ids");
    scores.encode.count(ok);
    if (const auto* decoded = c.if_contains("decoded"))
      check_decode(tokenizer, ids_of(c.at("ids")), *decoded, scores.decode);

    if (!c.contains("ids_special")) continue;
    const char* field = c.contains("ids_special_legacy") ? "ids_special_legacy" : "ids_special";
    const auto special = tokenizer.encode(text, true);
    EXPECT_TRUE(special.has_value());
    if (!special) continue;
    const bool special_ok = accepts(c, field, *special);
    EXPECT_TRUE(special_ok) << folder.filename() << " special " << json::serialize(c.at("text")) << "\n got  "
                            << show(*special) << "\n want " << c.at(field);
    scores.special.count(special_ok);
    if (const auto* decoded = c.if_contains("decoded_special"))
      check_decode(tokenizer, ids_of(c.at("ids_special")), *decoded, scores.decode);
  }
  for (const json::object& c : read_cases(folder / "decode.jsonl"))
    check_decode(tokenizer, ids_of(c.at("ids")), c.at("decoded"), scores.decode);
  return scores;
}

void check_meta(const fs::path& folder) {
  const json::object meta = json::parse(testing::read_text(folder / "meta.json")).as_object();
  const auto* prefix = meta.if_contains("add_special_prefix");
  if (prefix == nullptr) return;
  auto loaded = load(folder / "vocab.gguf");
  ASSERT_TRUE(loaded.has_value());
  Ids expected = ids_of(*prefix);
  expected.push_back(10);
  const Ids suffix = ids_of(meta.at("add_special_suffix"));
  expected.insert(expected.end(), suffix.begin(), suffix.end());
  EXPECT_EQ(loaded->tokenizer->add_prefix_suffix({10}), expected) << folder.filename();
  EXPECT_EQ(loaded->tokenizer->add_prefix_suffix(expected), expected) << "not twice";
}

void check_all(const fs::path& root, std::size_t at_least) {
  std::map<std::string, Scores> table;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (!entry.is_directory() || !fs::exists(entry.path() / "vocab.gguf")) continue;
    table[entry.path().filename().string()] = check_folder(entry.path());
    if (fs::exists(entry.path() / "meta.json")) check_meta(entry.path());
  }
  EXPECT_GE(table.size(), at_least);
  for (const auto& [name, s] : table) {
    std::printf("  %-22s encode %d/%d  special %d/%d  decode %d/%d\n", name.c_str(), s.encode.passed,
                s.encode.total, s.special.passed, s.special.total, s.decode.passed, s.decode.total);
    EXPECT_GT(s.encode.total, 0) << name;
  }
}

TEST(TokenizerFixtures, OwnSet) {
  check_all(testing::data_dir() / "tokenizers", 7);
}

TEST(TokenizerFixtures, SharedSet) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  check_all(*fixtures / "tokenizers", 40);
}

}  // namespace
}  // namespace cistern::spec
