#include "file/gguf.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "file/inventory.h"
#include "file/printable.h"
#include "support/gguf_writer.h"

namespace cistern::file {
namespace {

using testing::ByteWriter;
using testing::GgufType;
using testing::GgufWriter;
using testing::TensorRecord;

std::vector<std::byte> zeros(std::size_t count) {
  return std::vector<std::byte>(count);
}

TensorRecord record(std::string name, std::vector<std::uint64_t> dims, std::uint32_t type,
                    std::size_t data_bytes) {
  return {.name = std::move(name),
          .dims = std::move(dims),
          .ggml_type = type,
          .data = zeros(data_bytes),
          .offset = {},
          .n_dims = {}};
}

// The error of a file that must not parse.
Error error_of(const GgufWriter& writer) {
  const auto bytes = writer.build();
  const auto part = parse_gguf(bytes, "m.gguf");
  if (part) {
    ADD_FAILURE() << "accepted";
    return {};
  }
  EXPECT_TRUE(part.error().where.starts_with("m.gguf: ")) << part.error().where;
  EXPECT_NE(part.error().where.find(" at byte "), std::string::npos) << part.error().where;
  EXPECT_EQ(describe(part.error()).find('\n'), std::string::npos);
  return part.error();
}

void expect_error(const GgufWriter& writer, std::string_view where, std::string_view message) {
  const Error error = error_of(writer);
  EXPECT_NE(error.where.find(where), std::string::npos) << describe(error);
  EXPECT_NE(error.message.find(message), std::string::npos) << describe(error);
}

GgufWriter two_tensors() {
  GgufWriter writer;
  writer.add("general.architecture", "llama")
      .tensor("a", {3, 2}, {1, 2, 3, 4, 5, 6})
      .tensor(record("b", {64}, testing::kGgmlQ4_0, 36));
  return writer;
}

TEST(Gguf, AHeaderIsEnoughToKnowSizes) {
  const auto bytes = two_tensors().build();
  const auto whole = parse_gguf(bytes, "m.gguf");
  ASSERT_TRUE(whole) << describe(whole.error());
  const std::uint64_t header = whole->tensors[0].offset;
  EXPECT_FALSE(parse_gguf(std::span(bytes).first(header), "m.gguf"));
  const auto part = parse_gguf(std::span(bytes).first(header), "m.gguf", Contents::kHeader);
  ASSERT_TRUE(part) << describe(part.error());
  ASSERT_EQ(part->tensors.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(part->tensors[i].size_bytes, whole->tensors[i].bytes.size());
    EXPECT_EQ(part->tensors[i].offset, whole->tensors[i].offset);
    EXPECT_TRUE(part->tensors[i].bytes.empty());
  }
}

TEST(Gguf, AHeaderWithoutAnEndIsRefused) {
  auto far = record("far", {64}, testing::kGgmlQ4_0, 36);
  far.offset = ~std::uint64_t{0} - 31;
  const auto bytes = two_tensors().tensor(far).build();
  const auto part = parse_gguf(bytes, "m.gguf", Contents::kHeader);
  ASSERT_FALSE(part);
  EXPECT_NE(part.error().message.find("beyond any file"), std::string::npos) << describe(part.error());
  const auto cut = two_tensors().build();
  EXPECT_FALSE(parse_gguf(std::span(cut).first(60), "m.gguf", Contents::kHeader));
}

TEST(Gguf, TensorsPointIntoTheFile) {
  const auto bytes = two_tensors().build();
  const auto part = parse_gguf(bytes, "m.gguf");
  ASSERT_TRUE(part) << describe(part.error());
  EXPECT_EQ(part->version, 3U);
  ASSERT_EQ(part->tensors.size(), 2U);

  const TensorInfo& a = part->tensors[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.dtype, DType::kF32);
  EXPECT_EQ(a.shape, Shape(3, 2));
  EXPECT_EQ(a.n_dims, 2);
  EXPECT_EQ(a.offset % 32, 0U);
  ASSERT_EQ(a.bytes.size(), 24U);
  EXPECT_EQ(a.bytes.data(), bytes.data() + a.offset);
  float last = 0;
  std::memcpy(&last, a.bytes.data() + 20, sizeof(last));
  EXPECT_EQ(last, 6.0F);

  const TensorInfo& b = part->tensors[1];
  EXPECT_EQ(b.dtype, DType::kQ4_0);
  EXPECT_EQ(b.shape, Shape(64));
  EXPECT_EQ(b.n_dims, 1);
  EXPECT_EQ(b.offset, a.offset + 32);
  EXPECT_EQ(b.bytes.size(), 36U);
}

TEST(Gguf, Version2IsTheSame) {
  const auto bytes = two_tensors().version(2).build();
  const auto part = parse_gguf(bytes, "m.gguf");
  ASSERT_TRUE(part) << describe(part.error());
  EXPECT_EQ(part->version, 2U);
  EXPECT_EQ(part->tensors.size(), 2U);
}

TEST(Gguf, AFileWithoutTensorsIsFine) {
  const auto bytes = GgufWriter().add("general.architecture", "llama").build();
  const auto part = parse_gguf(bytes, "m.gguf");
  ASSERT_TRUE(part) << describe(part.error());
  EXPECT_TRUE(part->tensors.empty());
}

TEST(Gguf, NoPaddingBehindTheLastTensorIsNeeded) {
  auto bytes = two_tensors().build();
  while (bytes.size() % 32 != 4) bytes.pop_back();  // 36 bytes of data
  EXPECT_TRUE(parse_gguf(bytes, "m.gguf"));
  bytes.pop_back();
  EXPECT_FALSE(parse_gguf(bytes, "m.gguf"));
}

TEST(Gguf, OtherVersions) {
  for (const std::uint32_t version : {0U, 1U, 4U, 99U}) {
    const Error error = error_of(two_tensors().version(version));
    EXPECT_EQ(error.code, ErrorCode::kUnsupported);
    EXPECT_NE(error.message.find("version " + std::to_string(version)), std::string::npos) << error.message;
  }
  expect_error(two_tensors().version(0x03000000), "version at byte 4", "big-endian");
}

TEST(Gguf, OtherFilesAreRecognized) {
  const auto looks_like = [](std::string_view text) {
    return describe_content(std::as_bytes(std::span(text.data(), text.size())));
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(looks_like(""), "an empty file");
  EXPECT_NE(looks_like("GGU").find("truncated"), std::string::npos);
  EXPECT_NE(looks_like("PK\x03\x04....").find("ZIP"), std::string::npos);
  EXPECT_NE(looks_like("\x80\x02}q").find("pickle"), std::string::npos);
  EXPECT_NE(
      looks_like(
          "\x40\0\0\0\0\0\0\0{\"__metadata__\":{}}                                                      "sv)
          .find("safetensors"),
      std::string::npos);
  EXPECT_NE(looks_like("<!DOCTYPE html><html>").find("web page"), std::string::npos);
  EXPECT_NE(looks_like("version https://git-lfs.github.com/spec/v1\n").find("LFS"), std::string::npos);
  EXPECT_NE(looks_like("hello\nworld").find("text"), std::string::npos);
  EXPECT_NE(looks_like(std::string_view("\0\0\0\0\0\0\0\0", 8)).find("zeros"), std::string::npos);
  EXPECT_EQ(looks_like("\x01\xff"), "binary data that begins with \"\\x01\\xff\"");
  expect_error(two_tensors().magic("GGML"), "magic at byte 0", "not a GGUF file");
}

TEST(Gguf, EveryTruncationIsAnError) {
  const auto bytes = two_tensors().build();
  const std::size_t data_end = bytes.size() - 28;  // the last 36 bytes of data are padded to 64
  for (std::size_t size = 0; size < data_end; ++size) {
    const auto part = parse_gguf(std::span(bytes).first(size), "m.gguf");
    ASSERT_FALSE(part) << size;
    EXPECT_TRUE(part.error().where.starts_with("m.gguf: ")) << part.error().where;
  }
  EXPECT_TRUE(parse_gguf(std::span(bytes).first(data_end), "m.gguf"));
}

TEST(Gguf, CountsAreBoundedByTheFile) {
  for (const std::uint64_t count : {std::uint64_t{1} << 63U, std::uint64_t{1} << 60U, ~std::uint64_t{0},
                                    std::uint64_t{1} << 32U, std::uint64_t{1000}}) {
    expect_error(two_tensors().n_tensors(count), "m.gguf: tensor count at byte 8", "do not fit");
    expect_error(two_tensors().n_keys(count), "m.gguf: metadata count at byte 16", "do not fit");
  }
}

TEST(Gguf, CountsHaveACeiling) {
  // Room for every record, so only the ceiling stops them.
  auto bytes = GgufWriter().n_tensors((1U << 18U) + 1).build();
  bytes.resize(bytes.size() + 33 * ((1U << 18U) + 1));
  const auto tensors = parse_gguf(bytes, "m.gguf");
  ASSERT_FALSE(tensors);
  EXPECT_NE(tensors.error().message.find("at most 262144"), std::string::npos) << tensors.error().message;

  bytes = GgufWriter().n_keys((1U << 16U) + 1).build();
  bytes.resize(bytes.size() + 14 * ((1U << 16U) + 1));
  const auto keys = parse_gguf(bytes, "m.gguf");
  ASSERT_FALSE(keys);
  EXPECT_NE(keys.error().message.find("at most 65536"), std::string::npos) << keys.error().message;
}

TEST(Gguf, Keys) {
  expect_error(GgufWriter().add("k", true).add("k", true), "key 'k' at byte 38", "second time");
  expect_error(GgufWriter().add("", std::uint32_t{1}), "metadata key at byte 24", "empty");
  expect_error(GgufWriter().add(std::string(65536, 'k'), true), "(65536 bytes)", "limited to 65535");
  const auto bytes = GgufWriter().add(std::string(65535, 'k'), true).build();
  EXPECT_TRUE(parse_gguf(bytes, "m.gguf"));
}

TEST(Gguf, Values) {
  const auto number = [](std::uint64_t n) { return ByteWriter().number(n).get(); };
  expect_error(GgufWriter().add_raw("k", 13, zeros(8)), "key 'k'", "unknown value type 13");
  expect_error(GgufWriter().add_raw("k", 8, number(~std::uint64_t{0})), "key 'k'",
               "needs 18446744073709551615 bytes");
  expect_error(GgufWriter().add_raw("k", 4, zeros(3)), "key 'k'", "needs 4 bytes, but 3 are left");
  expect_error(GgufWriter().add_raw("k", 7, ByteWriter().number(std::uint8_t{2}).get()), "key 'k' at byte 37",
               "a bool is 0 or 1, found 2");
}

TEST(Gguf, ArraysAreBoundedByTheFile) {
  const auto array = [](std::uint32_t element, std::uint64_t count, std::size_t data_bytes) {
    ByteWriter out;
    out.number(element).number(count).bytes(zeros(data_bytes));
    return GgufWriter().add_raw("k", static_cast<std::uint32_t>(GgufType::kArray), out.get());
  };
  for (const std::uint32_t element : {0U, 1U, 2U, 4U, 6U, 7U, 8U, 10U, 12U}) {
    for (const std::uint64_t count : {std::uint64_t{1} << 63U, std::uint64_t{1} << 61U, ~std::uint64_t{0},
                                      (std::uint64_t{1} << 62U) + 1, std::uint64_t{65}}) {
      expect_error(array(element, count, 64), "key 'k' at byte 49", "do not fit");
    }
  }
  expect_error(array(13, 0, 64), "key 'k'", "unknown value type 13");
  const Error nested = error_of(array(9, 1, 64));
  EXPECT_EQ(nested.code, ErrorCode::kUnsupported);
  EXPECT_NE(nested.message.find("arrays of arrays"), std::string::npos);

  expect_error(array(8, (1U << 22U) + 1, 8 * ((1U << 22U) + 1)), "key 'k'", "at most 4194304");

  ByteWriter bools;
  bools.number(std::uint32_t{7}).number(std::uint64_t{3}).text(std::string_view("\0\x01\x02", 3));
  expect_error(GgufWriter().add_raw("k", 9, bools.get()), "key 'k' at byte 51", "found 2");
}

TEST(Gguf, Alignment) {
  const auto with = [](auto value) { return two_tensors().add("general.alignment", value); };
  for (const std::uint32_t bad : {0U, 1U, 3U, 4U, 24U, 8192U, 2147483648U, 4294967295U}) {
    expect_error(with(bad), "key 'general.alignment' at byte", "is no power of two from 8 to 4096");
  }
  expect_error(with("32"), "key 'general.alignment' at byte", "expected u32, found string");
  expect_error(with(std::uint64_t{32}), "key 'general.alignment' at byte", "expected u32, found u64");
  for (const std::uint32_t good : {8U, 32U, 64U, 4096U}) {
    const auto bytes = with(good).alignment(good).build();
    const auto part = parse_gguf(bytes, "m.gguf");
    ASSERT_TRUE(part) << describe(part.error());
    for (const TensorInfo& info : part->tensors) EXPECT_EQ(info.offset % good, 0U);
  }
}

TEST(Gguf, TensorNames) {
  GgufWriter twice;
  twice.tensor("x", {1}, {1}).tensor("y", {1}, {1}).tensor("x", {1}, {1});
  expect_error(twice, "tensor 'x' at byte 90", "a second tensor of this name");
  expect_error(GgufWriter().tensor("", {1}, {1}), "tensor name at byte 24", "empty");
  expect_error(GgufWriter().tensor(std::string(256, 'x'), {1}, {1}), "at byte 24", "limited to 255");
  expect_error(GgufWriter().tensor("\x1b[31m\n", {0}, {}), "tensor '\\x1b[31m\\x0a'", "zero");
}

TEST(Gguf, TensorDims) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63U;
  const std::vector<std::vector<std::uint64_t>> bad = {{0},
                                                       {8, 0},
                                                       {kHalf, 2},
                                                       {kHalf - 1, 2},
                                                       {std::uint64_t{1} << 32U, std::uint64_t{1} << 32U},
                                                       {~std::uint64_t{0}},
                                                       {std::uint64_t{1} << 62U, 4},
                                                       {2, 2, 2, std::uint64_t{1} << 61U}};
  for (const auto& dims : bad) {
    expect_error(GgufWriter().tensor(record("x", dims, testing::kGgmlF32, 64)), "tensor 'x' at byte 33",
                 "dimensions [");
  }
  expect_error(GgufWriter().tensor(record("x", {}, testing::kGgmlF32, 64)), "tensor 'x'", "0 dimensions");
  expect_error(GgufWriter().tensor(record("x", {1, 1, 1, 1, 1}, testing::kGgmlF32, 64)), "tensor 'x'",
               "5 dimensions");
  auto many = record("x", {1, 1}, testing::kGgmlF32, 64);
  many.n_dims = 4000000000U;
  expect_error(GgufWriter().tensor(many), "tensor 'x'", "4000000000 dimensions");
  // The element count fits 2^62, the bytes do not fit 64 bits.
  expect_error(GgufWriter().tensor(record("x", {std::uint64_t{1} << 62U}, testing::kGgmlF32, 64)),
               "tensor 'x'", "");
  const auto bytes = GgufWriter().tensor(record("x", {1, 2, 3, 4}, testing::kGgmlF32, 96)).build();
  const auto part = parse_gguf(bytes, "m.gguf");
  ASSERT_TRUE(part) << describe(part.error());
  EXPECT_EQ(part->tensors[0].n_dims, 4);
  EXPECT_EQ(part->tensors[0].shape, Shape(1, 2, 3, 4));
}

TEST(Gguf, TensorTypes) {
  for (const std::uint32_t type : {200U, 4294967295U, 2147483648U}) {
    const Error error = error_of(GgufWriter().tensor(record("x", {32}, type, 128)));
    EXPECT_EQ(error.code, ErrorCode::kUnsupported);
    EXPECT_NE(error.message.find("unknown tensor type " + std::to_string(type)), std::string::npos)
        << error.message;
  }
  expect_error(GgufWriter().tensor(record("x", {32}, 4, 128)), "tensor 'x'", "Q4_2");
  expect_error(GgufWriter().tensor(record("x", {32}, 31, 128)), "tensor 'x'", "Q4_0_4_4");
  expect_error(GgufWriter().tensor(record("x", {48, 2}, testing::kGgmlQ4_0, 128)), "tensor 'x'", "48");
}

TEST(Gguf, TensorRanges) {
  const auto at = [](std::uint64_t offset) {
    auto lie = record("x", {8}, testing::kGgmlF32, 32);
    lie.offset = offset;
    return GgufWriter().tensor(lie);
  };
  expect_error(at(17), "tensor 'x' at byte 49", "offset 17 is no multiple of the alignment 32");
  for (const std::uint64_t offset : {std::uint64_t{32}, std::uint64_t{1} << 63U,
                                     std::uint64_t{18446744073709551584U}, std::uint64_t{1000000000} * 32}) {
    expect_error(at(offset), "tensor 'x' at byte 24", "end past");
  }
  expect_error(GgufWriter().tensor(record("x", {9}, testing::kGgmlF32, 32)), "tensor 'x' at byte 24",
               "its 36 bytes");
}

TEST(Gguf, TensorsShareNoBytes) {
  auto second = record("y", {8}, testing::kGgmlF32, 32);
  second.offset = 0;
  expect_error(GgufWriter().tensor(record("x", {8}, testing::kGgmlF32, 32)).tensor(second), "tensor 'y'",
               "shares bytes with tensor 'x'");
  // One byte too long for its place, though not for the file.
  expect_error(GgufWriter()
                   .tensor({.name = "x", .dims = {9}, .data = zeros(32), .offset = {}, .n_dims = {}})
                   .tensor(record("y", {8}, testing::kGgmlF32, 32)),
               "tensor 'y'", "shares bytes with tensor 'x'");
  // Any order of the data, with gaps, is fine.
  auto first = record("x", {8}, testing::kGgmlF32, 128);
  first.offset = 96;
  const auto bytes = GgufWriter().tensor(first).tensor(second).build();
  EXPECT_TRUE(parse_gguf(bytes, "m.gguf"));
}

TEST(Printable, EscapesAndCuts) {
  EXPECT_EQ(printable("blk.0.attn_q.weight"), "blk.0.attn_q.weight");
  EXPECT_EQ(printable(std::string_view("a\0\n\xff", 4)), "a\\x00\\x0a\\xff");
  EXPECT_EQ(printable("abcdef", 3), "abc... (6 bytes)");
}

}  // namespace
}  // namespace cistern::file
