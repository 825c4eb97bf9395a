#include "file/metadata.h"

#include <gtest/gtest.h>

#include "file/gguf.h"
#include "support/gguf_writer.h"

namespace cistern::file {
namespace {

using testing::GgufWriter;

// Metadata with one key of every kind. The bytes live as long as the fixture.
class MetadataTest : public ::testing::Test {
 protected:
  MetadataTest()
      : bytes_(GgufWriter()
                   .add("u8", std::uint8_t{200})
                   .add("i8", std::int8_t{-3})
                   .add("u16", std::uint16_t{65535})
                   .add("i16", std::int16_t{1234})
                   .add("u32", std::uint32_t{4294967295U})
                   .add("i32", std::int32_t{-1})
                   .add("u64", std::uint64_t{18446744073709551615U})
                   .add("i64", std::int64_t{9223372036854775807})
                   .add("f32", 1.5F)
                   .add("f64", 2.25)
                   .add("yes", true)
                   .add("no", false)
                   .add("text", "hello")
                   .add("empty", "")
                   .add("strings", std::vector<std::string>{"a", "", "ccc"})
                   .add("no strings", std::vector<std::string>{})
                   .add("flags", std::vector<bool>{true, false, true})
                   .add("floats", std::vector<float>{0.5F, -1.0F})
                   .add("u32s", std::vector<std::uint32_t>{1, 2, 4000000000U})
                   .add("i32s", std::vector<std::int32_t>{1, -2})
                   .add("bytes", std::vector<std::uint8_t>{7, 8})
                   .build()) {
    auto part = parse_gguf(bytes_, "m.gguf");
    if (part) metadata_ = std::move(part->metadata);
  }

  std::vector<std::byte> bytes_;
  Metadata metadata_;
};

TEST_F(MetadataTest, KeysAreInFileOrder) {
  ASSERT_EQ(metadata_.keys().size(), 21U);
  EXPECT_EQ(metadata_.keys().front(), "u8");
  EXPECT_EQ(metadata_.keys().back(), "bytes");
  EXPECT_EQ(metadata_.where(), "m.gguf");
  EXPECT_TRUE(metadata_.has("u16"));
  EXPECT_FALSE(metadata_.has("u17"));
}

TEST_F(MetadataTest, IntegersOfAnyWidth) {
  EXPECT_EQ(metadata_.uint("u8"), 200U);
  EXPECT_EQ(metadata_.uint("u16"), 65535U);
  EXPECT_EQ(metadata_.uint("i16"), 1234U);
  EXPECT_EQ(metadata_.uint("u32"), 4294967295U);
  EXPECT_EQ(metadata_.uint("u64"), 18446744073709551615U);
  EXPECT_EQ(metadata_.uint("i64"), 9223372036854775807U);
}

TEST_F(MetadataTest, NegativeIntegersAreRefused) {
  for (const char* key : {"i8", "i32"}) {
    const auto value = metadata_.uint(key);
    ASSERT_FALSE(value) << key;
    EXPECT_EQ(value.error().code, ErrorCode::kFormat);
    EXPECT_NE(value.error().message.find("negative"), std::string::npos);
  }
  const auto array = metadata_.uints("i32s");
  ASSERT_FALSE(array);
  EXPECT_EQ(array.error().message, "element 1 is negative, expected zero or more");
}

TEST_F(MetadataTest, OtherScalars) {
  EXPECT_EQ(metadata_.number("f32"), 1.5);
  EXPECT_EQ(metadata_.number("f64"), 2.25);
  EXPECT_EQ(metadata_.boolean("yes"), true);
  EXPECT_EQ(metadata_.boolean("no"), false);
  EXPECT_EQ(metadata_.string("text"), "hello");
  EXPECT_EQ(metadata_.string("empty"), "");
}

TEST_F(MetadataTest, Arrays) {
  EXPECT_EQ(metadata_.uints("u32s"), (std::vector<std::uint64_t>{1, 2, 4000000000U}));
  EXPECT_EQ(metadata_.uints("u16"), (std::vector<std::uint64_t>{65535}));  // a scalar is one
  EXPECT_EQ(metadata_.booleans("flags"), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(metadata_.floats("floats"), (std::vector<float>{0.5F, -1.0F}));
  const auto strings = metadata_.strings("strings");
  ASSERT_TRUE(strings);
  EXPECT_EQ(std::vector<std::string_view>(strings->begin(), strings->end()),
            (std::vector<std::string_view>{"a", "", "ccc"}));
  EXPECT_EQ(metadata_.strings("no strings")->size(), 0U);
  const auto raw = metadata_.bytes("bytes");
  ASSERT_TRUE(raw);
  ASSERT_EQ(raw->size(), 2U);
  EXPECT_EQ((*raw)[1], std::byte{8});
}

TEST_F(MetadataTest, MissingKeysNameTheKey) {
  const auto value = metadata_.uint("llama.block_count");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kFormat);
  EXPECT_EQ(value.error().where, "m.gguf: key 'llama.block_count'");
  EXPECT_FALSE(metadata_.strings("nope"));
  EXPECT_FALSE(metadata_.bytes("nope"));
}

TEST_F(MetadataTest, MistypedValuesSayWhatWasFoundAndWhere) {
  const auto value = metadata_.uint("text");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kFormat);
  EXPECT_EQ(value.error().message, "expected an integer, found string");
  const std::uint64_t offset = metadata_.find("text")->offset;
  EXPECT_EQ(value.error().where, "m.gguf: key 'text' at byte " + std::to_string(offset));

  EXPECT_EQ(metadata_.floats("u32s").error().message, "expected an array of f32, found an array of 3 u32");
  EXPECT_FALSE(metadata_.uint("f32"));
  EXPECT_FALSE(metadata_.uint("yes"));
  EXPECT_FALSE(metadata_.uint("u32s"));
  EXPECT_FALSE(metadata_.number("u32"));
  EXPECT_FALSE(metadata_.boolean("u8"));
  EXPECT_FALSE(metadata_.string("strings"));
  EXPECT_FALSE(metadata_.strings("text"));
  EXPECT_FALSE(metadata_.strings("floats"));
  EXPECT_FALSE(metadata_.uints("floats"));
  EXPECT_FALSE(metadata_.uints("text"));
  EXPECT_FALSE(metadata_.booleans("bytes"));
  EXPECT_FALSE(metadata_.bytes("u8"));
  EXPECT_FALSE(metadata_.bytes("flags"));
}

TEST_F(MetadataTest, OptionalValues) {
  EXPECT_EQ(metadata_.find_uint("nope").value(), std::optional<std::uint64_t>());
  EXPECT_EQ(metadata_.find_uint("u8").value(), std::optional<std::uint64_t>(200));
  EXPECT_EQ(metadata_.find_string("nope").value(), std::optional<std::string_view>());
  EXPECT_EQ(metadata_.find_string("text").value(), std::optional<std::string_view>("hello"));
  EXPECT_EQ(metadata_.find_number("f32").value(), std::optional<double>(1.5));
  EXPECT_EQ(metadata_.find_boolean("yes").value(), std::optional<bool>(true));
  EXPECT_FALSE(metadata_.find_uint("text"));  // there, but mistyped
  EXPECT_FALSE(metadata_.find_boolean("text"));
}

TEST_F(MetadataTest, HostileKeysArePrintable) {
  const Metadata metadata("m.gguf");
  EXPECT_EQ(metadata.where("a\n\x1b[2J'"), "m.gguf: key 'a\\x0a\\x1b[2J''");
  EXPECT_LT(metadata.where(std::string(70000, 'x')).size(), 200U);
}

TEST(ValueType, NamesAndSizes) {
  EXPECT_EQ(name_of(ValueType::kU8), "u8");
  EXPECT_EQ(name_of(ValueType::kString), "string");
  EXPECT_EQ(name_of(ValueType::kF64), "f64");
  EXPECT_EQ(scalar_bytes(ValueType::kBool), 1U);
  EXPECT_EQ(scalar_bytes(ValueType::kI64), 8U);
  EXPECT_EQ(scalar_bytes(ValueType::kString), 0U);
}

}  // namespace
}  // namespace cistern::file
