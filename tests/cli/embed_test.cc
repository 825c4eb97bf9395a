// cistern embed and cistern rerank as a user runs them.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;

std::filesystem::path golden(const char* name) {
  return data_dir() / "models" / name;
}
std::string model_of(const std::filesystem::path& folder) {
  return (folder / "model.gguf").string();
}

TEST(Embed, TokensAsTheReferenceHasThem) {
  const TempDir dir;
  const std::string out = (dir.path() / "vector.f32").string();
  const auto folder = golden("bert-mean");
  const Outcome run =
      run_program({"embed", model_of(folder), "--tokens", (folder / "tokens.json").string(), "--out", out});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "");
  const std::vector<float> got = read_floats(out);
  const std::vector<float> expected = read_floats(folder / "embedding.f32");
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-5F);
}

TEST(Embed, TextsFromArgumentsAndLines) {
  const std::string model = model_of(golden("bert-mean"));
  const Outcome args = run_program({"embed", model, "a cat", "the dog", "--json"});
  ASSERT_EQ(args.exit_code, 0) << args.err;
  const Outcome lines = run_program({"embed", model, "--json"}, "a cat\r\n\nthe dog");
  EXPECT_EQ(lines.out, args.out);
  const json::value document = json::parse(args.out);
  EXPECT_EQ(document.at("dim"), json::value(32));
  EXPECT_EQ(document.at("pooling"), json::value("mean"));
  ASSERT_EQ(document.at("embeddings").as_array().size(), 2U);
  double squares = 0;
  for (const json::value& x : document.at("embeddings").at(0).at("embedding").as_array())
    squares += std::pow(x.to_number<double>(), 2);
  EXPECT_NEAR(squares, 1, 1e-6);
  const Outcome plain = run_program({"embed", model, "a cat", "the dog"});
  EXPECT_EQ(std::ranges::count(plain.out, '\n'), 2);
  EXPECT_EQ(std::ranges::count(plain.out, ' '), 2 * 31);
}

TEST(Embed, PoolingOfDecodersMustBeSaid) {
  const std::string model = model_of(golden("qwen3"));
  EXPECT_EQ(not_one_clear_error(run_program({"embed", model, "a"}), 2), "");
  EXPECT_EQ(run_program({"embed", model, "a", "--pooling", "mean"}).exit_code, 0);
  EXPECT_EQ(not_one_clear_error(run_program({"embed", model, "a", "--pooling", "max"}), 2), "");
}

TEST(Embed, Errors) {
  const std::string model = model_of(golden("bert-mean"));
  EXPECT_EQ(not_one_clear_error(run_program({"embed", model}, ""), 2), "");
  EXPECT_EQ(not_one_clear_error(run_program({"embed", model, "\xFF"}), 1), "");
  EXPECT_EQ(not_one_clear_error(run_program({"embed", model, "a", "--tokens", "-"}, "[1]"), 2), "");
  EXPECT_EQ(not_one_clear_error(run_program({"embed", model, "--tokens", "-"}, "[1, 320]"), 1), "");
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += "word ";
  const Outcome too_long = run_program({"embed", model, "short", long_text});
  EXPECT_EQ(not_one_clear_error(too_long, 1), "");
  EXPECT_NE(too_long.err.find("text 2"), std::string::npos) << too_long.err;
}

TEST(Embed, EncodersAreNoGenerators) {
  const std::string model = model_of(golden("bert-mean"));
  for (const Outcome& run : {run_program({"run", model, "-p", "a"}), run_program({"chat", model}, "a\n"),
                             run_program({"logits", model, "--tokens", "-", "--out", "-"}, "[1]"),
                             run_program({"bench", model})}) {
    EXPECT_EQ(not_one_clear_error(run, 1), "");
    EXPECT_NE(run.err.find("cistern embed"), std::string::npos) << run.err;
  }
}

TEST(Rerank, OrdersDocuments) {
  const auto fixtures = require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << kNoSharedFixtures;
  const std::string model = model_of(*fixtures / "models" / "reranker-roberta");
  const Outcome run =
      run_program({"rerank", model, "--query", "what is it", "--json"}, "the\na cat\na longer document\n");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const json::value document = json::parse(run.out);
  const json::array& results = document.at("results").as_array();
  ASSERT_EQ(results.size(), 3U);
  for (std::size_t i = 1; i < results.size(); ++i)
    EXPECT_GE(results[i - 1].at("score").to_number<double>(), results[i].at("score").to_number<double>());
  const Outcome one = run_program({"rerank", model, "--query", "what is it", "a cat"});
  EXPECT_NE(one.out.find("\t0\ta cat\n"), std::string::npos) << one.out;
}

TEST(Rerank, Errors) {
  const std::string model = model_of(golden("bert-mean"));
  EXPECT_EQ(not_one_clear_error(run_program({"rerank", model, "a"}), 2), "");
  EXPECT_EQ(not_one_clear_error(run_program({"rerank", model, "--query", "a", "b"}), 1), "");
  EXPECT_EQ(not_one_clear_error(run_program({"rerank", model, "--query", "a", "--tokens", "-"}, "[1]"), 2),
            "");
}

}  // namespace
}  // namespace cistern::testing
