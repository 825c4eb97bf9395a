#include "file/split.h"

#include <gtest/gtest.h>

#include "support/gguf_writer.h"
#include "support/temp_dir.h"

namespace cistern::file {
namespace {

using testing::GgufWriter;
using testing::TempDir;

GgufWriter part(std::uint16_t index, std::uint16_t count, std::int32_t tensors) {
  GgufWriter writer;
  if (index == 0) writer.add("general.architecture", "llama");
  writer.add("split.no", index).add("split.count", count).add("split.tensors.count", tensors);
  return writer;
}

// NAME-0000i-of-00003.gguf with one tensor each, named a, b, c, of value 1, 2, 3.
class SplitTest : public ::testing::Test {
 protected:
  void write(int index, const GgufWriter& writer) {
    dir_.write("m-0000" + std::to_string(index + 1) + "-of-00003.gguf", writer.build());
  }
  void write_all() {
    for (int i = 0; i < 3; ++i) write(i, good(i));
  }
  static GgufWriter good(int index) {
    return part(static_cast<std::uint16_t>(index), 3, 3)
        .tensor(std::string(1, static_cast<char>('a' + index)), {1}, {static_cast<float>(index + 1)});
  }
  std::string path(int index) const {
    return (dir_.path() / ("m-0000" + std::to_string(index + 1) + "-of-00003.gguf")).string();
  }
  void expect_error(std::string_view text) {
    const auto model = open_model(path(0));
    ASSERT_FALSE(model);
    EXPECT_NE(describe(model.error()).find(text), std::string::npos) << describe(model.error());
  }

  TempDir dir_;
};

TEST_F(SplitTest, AnyPartOpensTheWhole) {
  write_all();
  for (int i = 0; i < 3; ++i) {
    const auto model = open_model(path(i));
    ASSERT_TRUE(model) << describe(model.error());
    EXPECT_EQ(model->files.size(), 3U);
    EXPECT_EQ(model->inventory.metadata.string("general.architecture"), "llama");
    EXPECT_EQ(model->inventory.version, 3U);
    ASSERT_EQ(model->inventory.tensors().size(), 3U);
    EXPECT_EQ(model->inventory.tensor_bytes(), 12U);
    for (std::size_t t = 0; t < 3; ++t) {
      const TensorInfo& info = model->inventory.tensors()[t];
      EXPECT_EQ(info.name, std::string(1, static_cast<char>('a' + t)));
      EXPECT_EQ(info.file_index, t);
      EXPECT_EQ(info.bytes.data(), model->files[t].bytes().data() + info.offset);
      EXPECT_EQ(model->inventory.find(info.name), &info);
    }
    EXPECT_TRUE(model->check_intact());
  }
}

TEST_F(SplitTest, AMissingPartIsNamed) {
  write(0, good(0));
  write(2, good(2));
  expect_error("m-00002-of-00003.gguf: no such file");
  EXPECT_EQ(open_model(path(0)).error().code, ErrorCode::kNotFound);
}

TEST_F(SplitTest, PartsMustBelongTogether) {
  write_all();
  write(1, part(1, 4, 3).tensor("b", {1}, {1}));
  expect_error("key 'split.count'");
  write(1, part(2, 3, 3).tensor("b", {1}, {1}));
  expect_error("key 'split.no'");
  write(1, GgufWriter().tensor("b", {1}, {1}));
  expect_error("key 'split.count': missing");
  write(1, part(1, 3, 3).tensor("a", {1}, {1}));
  expect_error("tensor 'a'");
  write(1, part(1, 3, 3));
  expect_error("key 'split.tensors.count'");
  write(1, good(1));
  EXPECT_TRUE(open_model(path(0)));
}

TEST_F(SplitTest, RenamedPartsAreRefused) {
  const auto renamed = dir_.write("renamed.gguf", good(0).build());
  const auto model = open_model(renamed.string());
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("keep the parts' original names"), std::string::npos);
}

TEST_F(SplitTest, OneOfOneIsASingleFile) {
  for (const std::uint16_t count : {std::uint16_t{0}, std::uint16_t{1}}) {
    const auto file = dir_.write("single.gguf", part(0, count, 1).tensor("a", {1}, {1}).build());
    const auto model = open_model(file.string());
    ASSERT_TRUE(model) << describe(model.error());
    EXPECT_EQ(model->files.size(), 1U);
  }
}

TEST_F(SplitTest, HugeOrMistypedCounts) {
  const auto huge =
      dir_.write("m-00001-of-99999.gguf", GgufWriter().add("split.count", std::uint32_t{99999}).build());
  EXPECT_FALSE(open_model(huge.string()));
  const auto beyond = dir_.write("big.gguf", GgufWriter().add("split.count", ~std::uint64_t{0}).build());
  EXPECT_FALSE(open_model(beyond.string()));
  const auto negative =
      dir_.write("negative.gguf", GgufWriter().add("split.count", std::int32_t{-1}).build());
  EXPECT_FALSE(open_model(negative.string()));
  const auto text = dir_.write("text.gguf", GgufWriter().add("split.count", "3").build());
  EXPECT_FALSE(open_model(text.string()));
  const auto bytes = good(0).build();
  const auto in_memory = open_model(bytes, "m.gguf");
  ASSERT_FALSE(in_memory);
  EXPECT_EQ(in_memory.error().code, ErrorCode::kUnsupported);
}

TEST(SplitName, Parses) {
  const auto name = parse_split_name("/x/NAME-00002-of-00013.gguf");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->prefix, "/x/NAME");
  EXPECT_EQ(name->index, 1U);
  EXPECT_EQ(name->count, 13U);
  EXPECT_EQ(split_path(name->prefix, 12, 13), "/x/NAME-00013-of-00013.gguf");
  for (const char* bad : {"", "NAME.gguf", "NAME-00000-of-00003.gguf", "NAME-00004-of-00003.gguf",
                          "NAME-0001-of-00003.gguf", "NAME-00001-of-0000x.gguf", "NAME-00001-of-00003.bin",
                          "-00001-of-00003.gguf", "NAME-+0001-of-00003.gguf"}) {
    EXPECT_FALSE(parse_split_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace cistern::file
