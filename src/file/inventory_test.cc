#include "file/inventory.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/gguf_writer.h"
#include "support/temp_dir.h"

namespace cistern::file {
namespace {

using testing::GgufWriter;
using testing::TempDir;

TEST(Inventory, InsertAndFind) {
  Inventory inventory;
  EXPECT_TRUE(inventory.insert({.name = "b", .size_bytes = 8}));
  EXPECT_TRUE(inventory.insert({.name = "a", .size_bytes = 4}));
  EXPECT_FALSE(inventory.insert({.name = "b"}));
  ASSERT_EQ(inventory.tensors().size(), 2U);
  EXPECT_EQ(inventory.tensors()[0].name, "b");
  EXPECT_EQ(inventory.find("a"), &inventory.tensors()[1]);
  EXPECT_EQ(inventory.find("c"), nullptr);
  EXPECT_EQ(inventory.tensor_bytes(), 12U);
  EXPECT_EQ(inventory.main_type(), DType::kF32);
  EXPECT_TRUE(inventory.insert({.name = "c", .dtype = DType::kQ4_0, .size_bytes = 18}));
  EXPECT_EQ(inventory.main_type(), DType::kQ4_0);
  EXPECT_EQ(Inventory().main_type(), std::nullopt);
}

TEST(OpenModel, FromMemory) {
  const auto bytes = GgufWriter().add("general.name", "tiny").tensor("x", {2}, {1, 2}).build();
  const auto model = open_model(bytes, "embedded");
  ASSERT_TRUE(model) << describe(model.error());
  EXPECT_EQ(model->inventory.metadata.string("general.name"), "tiny");
  EXPECT_EQ(model->inventory.metadata.where(), "embedded");
  ASSERT_EQ(model->inventory.tensors().size(), 1U);
  EXPECT_EQ(model->inventory.tensors()[0].bytes.data(), bytes.data() + model->inventory.tensors()[0].offset);
  EXPECT_TRUE(model->check_intact());
}

TEST(OpenModel, ViewsSurviveAMove) {
  const TempDir dir;
  const auto file =
      dir.write("m.gguf", GgufWriter().add("general.name", "tiny").tensor("x", {2}, {1, 2}).build());
  auto opened = open_model(file.string());
  ASSERT_TRUE(opened) << describe(opened.error());
  const ModelFiles model = std::move(*opened);
  EXPECT_EQ(model.inventory.metadata.string("general.name"), "tiny");
  ASSERT_NE(model.inventory.find("x"), nullptr);
  EXPECT_EQ(model.inventory.find("x")->bytes[3], std::byte{0x3F});  // 1.0f
}

TEST(OpenModel, ErrorsNameTheFile) {
  const TempDir dir;
  const auto missing = open_model((dir.path() / "missing.gguf").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(open_model(dir.path().string()));

  const auto path = dir.write("text.gguf", std::string_view("hello, I am a text file"));
  const auto text = open_model(path.string());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kFormat);
  EXPECT_EQ(text.error().where, path.string() + ": magic at byte 0");
  EXPECT_NE(text.error().message.find("text"), std::string::npos);
}

TEST(OpenModel, DamageWhileInUseIsReported) {
  const TempDir dir;
  const auto path =
      dir.write("m.gguf", GgufWriter().tensor("x", {8192}, std::vector<float>(8192, 1.0F)).build());
  const auto model = open_model(path.string());
  ASSERT_TRUE(model) << describe(model.error());
  ASSERT_TRUE(model->check_intact());
  std::filesystem::resize_file(path, 100);
  const auto values = model->inventory.find("x")->bytes;
  EXPECT_EQ(values[values.size() - 1], std::byte{0});  // was 0x3F
  const auto intact = model->check_intact();
  ASSERT_FALSE(intact);
  EXPECT_EQ(intact.error().code, ErrorCode::kIo);
  EXPECT_TRUE(intact.error().where.starts_with(path.string())) << intact.error().where;
}

}  // namespace
}  // namespace cistern::file
