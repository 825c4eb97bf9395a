// `cistern inspect` on the embedded model.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/gguf_writer.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;

TEST(Inspect, TellsAPersonWhatIsInside) {
  const Outcome run = run_program({"inspect", "guide"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  for (const char* part :
       {"GGUF version 3", "Cistern Guide", "llama", "Bytes by role", "attention", "ffn", "norm", "embedding",
        "Bytes by type", "Q8_0", "Bytes by layer", "0-6, each", "llama.block_count = 7", "<|im_end|>",
        "token_embd.weight", "blk.6.ffn_down.weight", "runs         yes"}) {
    EXPECT_NE(run.out.find(part), std::string::npos) << part;
  }
  EXPECT_LT(run.out.size(), 20000U);  // the 4096 tokens are cut
}

TEST(Inspect, JsonHasItAll) {
  const Outcome run = run_program({"inspect", "guide", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  json::error_code error;
  const json::value got = json::parse(run.out, error);
  ASSERT_FALSE(error);
  EXPECT_EQ(got.at("architecture"), json::value("llama"));
  EXPECT_EQ(got.at("metadata").at("llama.block_count").to_number<int>(), 7);
  EXPECT_EQ(got.at("metadata").at("tokenizer.ggml.tokens").as_array().size(), 4096U);
  EXPECT_EQ(got.at("values").to_number<int>(), 6557440);
  std::uint64_t by_role = 0;
  std::uint64_t by_layer = 0;
  std::uint64_t by_tensor = 0;
  for (const json::value& row : got.at("by_role").as_array())
    by_role += row.at("bytes").to_number<std::uint64_t>();
  for (const json::value& row : got.at("by_layer").as_array())
    by_layer += row.at("bytes").to_number<std::uint64_t>();
  for (const json::value& row : got.at("tensors").as_array())
    by_tensor += row.at("bytes").to_number<std::uint64_t>();
  EXPECT_EQ(by_role, by_tensor);
  EXPECT_EQ(by_layer, by_tensor);
  EXPECT_EQ(got.at("bytes").to_number<std::uint64_t>(), by_tensor);
}

TEST(Inspect, TemplateAsItStands) {
  const Outcome run = run_program({"inspect", "guide", "--template"});
  ASSERT_EQ(run.exit_code, 0);
  EXPECT_NE(run.out.find("<|im_start|>"), std::string::npos);
}

TEST(Inspect, TensorsAsFloats) {
  const TempDir dir;
  const std::string out = (dir.path() / "norm.f32").string();
  ASSERT_EQ(run_program({"inspect", "guide", "--tensor", "output_norm.weight", "--out", out}).exit_code, 0);
  EXPECT_EQ(read_floats(out).size(), 256U);
  ASSERT_EQ(run_program({"inspect", "guide", "--tensor", "token_embd.weight", "--out", out}).exit_code, 0);
  const std::vector<float> embedding = read_floats(out);
  ASSERT_EQ(embedding.size(), 256U * 4096U);
  for (const float x : embedding) ASSERT_TRUE(std::isfinite(x));
}

TEST(Inspect, TensorValuesAreThoseOfTheFile) {
  const TempDir dir;
  const std::vector<float> values = {1, -2.5F, 3e-20F, 4};
  const auto bytes =
      GgufWriter().add("general.architecture", "mystery").tensor("blk.0.x.weight", {2, 2}, values).build();
  const std::string model = dir.write("m.gguf", std::span<const std::byte>(bytes)).string();
  const std::string out = (dir.path() / "x.f32").string();
  ASSERT_EQ(run_program({"inspect", model, "--tensor", "blk.0.x.weight", "--out", out}).exit_code, 0);
  EXPECT_EQ(read_floats(out), values);
}

TEST(Inspect, NamesCannotDriveTheTerminal) {
  const TempDir dir;
  const auto bytes =
      GgufWriter().add("general.architecture", "x\x1b[2Jy").add("general.name", "two\nlines").build();
  const Outcome run =
      run_program({"inspect", dir.write("m.gguf", std::span<const std::byte>(bytes)).string()});
  EXPECT_EQ(run.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(run.err.find('\x1b'), std::string::npos);
  EXPECT_EQ(run.signal, 0);
}

}  // namespace
}  // namespace cistern::testing
