// Files of the writer, read back by the parser and compared with those of the tests' own writer.
#include "file/gguf_writer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "file/inventory.h"
#include "support/gguf_writer.h"

namespace cistern::file {
namespace {

using Bytes = std::vector<std::byte>;

ByteSink append_to(Bytes& out) {
  return [&out](std::span<const std::byte> piece) -> Result<void> {
    out.insert(out.end(), piece.begin(), piece.end());
    return {};
  };
}

Bytes bytes_of(const std::vector<float>& values) {
  Bytes out(values.size() * sizeof(float));
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

void add_keys(auto& writer, const std::vector<std::string>& words, const std::vector<std::int32_t>& numbers,
              const std::vector<float>& scores) {
  writer.add("general.architecture", "x");
  writer.add("x.count", std::uint32_t{7});
  writer.add("x.base", 1e4F);
  writer.add("x.flag", true);
  writer.add("x.words", words);
  writer.add("x.numbers", numbers);
  writer.add("x.scores", scores);
}

TEST(GgufWriter, WritesTheBytesOfTheFormat) {
  const std::vector<std::string> words = {"a", "", "\xE2\x96\x81y"};
  const std::vector<std::int32_t> numbers = {-1, 2};
  const std::vector<float> scores = {0.5F};
  const std::vector<float> vector = {1, 2, 3};
  const std::vector<float> matrix = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

  testing::GgufWriter expected;
  add_keys(expected, words, numbers, scores);
  expected.tensor("v", {3}, vector).tensor("m", {5, 2}, matrix);

  GgufWriter writer;
  add_keys(writer, words, numbers, scores);
  ASSERT_TRUE(writer.add_tensor("v", Shape(3), DType::kF32));
  ASSERT_TRUE(writer.add_tensor("m", Shape(5, 2), DType::kF32));
  Bytes out;
  const ByteSink sink = append_to(out);
  ASSERT_TRUE(writer.write_header(sink));
  ASSERT_TRUE(writer.write(bytes_of(vector), sink));
  EXPECT_FALSE(writer.complete());
  const Bytes data = bytes_of(matrix);
  ASSERT_TRUE(writer.write(std::span(data).first(7), sink));  // pieces need not end with a value
  ASSERT_TRUE(writer.write(std::span(data).subspan(7), sink));
  EXPECT_TRUE(writer.complete());
  EXPECT_EQ(out, expected.build());
  EXPECT_EQ(out.size(), writer.file_bytes());
}

TEST(GgufWriter, ItsFilesCanBeOpened) {
  GgufWriter writer;
  writer.add("general.architecture", "x");
  ASSERT_TRUE(writer.add_tensor("m", Shape(64, 3), DType::kQ8_0));
  Bytes out;
  ASSERT_TRUE(writer.write_header(append_to(out)));
  ASSERT_TRUE(writer.write(Bytes(std::size_t{2} * 34 * 3, std::byte{5}), append_to(out)));
  const auto files = open_model(out, "x.gguf");
  ASSERT_TRUE(files) << describe(files.error());
  const TensorInfo* tensor = files->inventory.find("m");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->shape, Shape(64, 3));
  EXPECT_EQ(tensor->dtype, DType::kQ8_0);
  EXPECT_EQ(tensor->bytes.size(), 204U);
  EXPECT_EQ(tensor->offset % GgufWriter::kAlignment, 0U);
}

TEST(GgufWriter, RefusesRowsOfBrokenBlocks) {
  GgufWriter writer;
  const auto added = writer.add_tensor("m", Shape(48, 3), DType::kQ8_0);
  ASSERT_FALSE(added);
  EXPECT_NE(describe(added.error()).find("'m'"), std::string::npos);
}

TEST(GgufWriter, RefusesSizesThatOverflow) {
  GgufWriter writer;
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 31U;
  EXPECT_FALSE(writer.add_tensor("m", Shape(kHuge, kHuge), DType::kF32));
  EXPECT_TRUE(writer.add_tensor("n", Shape(kHuge, kHuge / 4), DType::kF32));
  EXPECT_FALSE(writer.add_tensor("o", Shape(kHuge, kHuge / 4), DType::kF32));
  EXPECT_EQ(writer.n_tensors(), 1U);
}

TEST(GgufWriter, AnErrorOfTheSinkEndsTheWriting) {
  GgufWriter writer;
  ASSERT_TRUE(writer.add_tensor("v", Shape(8), DType::kF32));
  const ByteSink full = [](std::span<const std::byte>) -> Result<void> {
    return fail(ErrorCode::kIo, "full");
  };
  EXPECT_FALSE(writer.write_header(full));
  EXPECT_FALSE(writer.write(Bytes(32), full));
  EXPECT_FALSE(writer.complete());
}

}  // namespace
}  // namespace cistern::file
