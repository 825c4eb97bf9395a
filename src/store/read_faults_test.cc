// Everything that a disk can do to a read (contract 2): whoever waits gets an error that names the place, and
// when the disk is well again the same store gives the right bytes.
#include <gtest/gtest.h>

#include <charconv>
#include <functional>
#include <ostream>

#include "store/store_test.h"

namespace cistern::store {
namespace {

using testing::ReadFault;
using Kind = testing::ReadFault::Kind;

// Without an answer for so long, a test's disk is stalled.
constexpr double kStall = 0.01;

// A kind of read: the tensor that the fault hits, and what asks for it.
struct Way {
  const char* name;
  const char* tensor;
  std::function<std::string(const TestStore&)> wrong;
  friend void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }
};

const std::vector<Way> kWays = {
    {"streamed", "l1.a",
     [](const TestStore& s) {
       const std::string wrong = s.wrong_layer(0);
       return wrong.empty() ? s.wrong_layer(1) : wrong;
     }},
    {"slice", "l1.down", [](const TestStore& s) { return s.wrong_slices("l1.down", {3, 0}); }},
    {"row", "table", [](const TestStore& s) { return s.wrong_slices("table", {40, 2, 9}); }}};

class ReadFaults : public ::testing::TestWithParam<Way> {
 protected:
  // Of the first `count` reads of pages that hold nothing but this tensor.
  ReadFault fault_of(Kind kind, const std::string& tensor, std::uint64_t count) const {
    const file::TensorInfo& info = model_.info(tensor);
    return {.kind = kind,
            .file = static_cast<std::uint32_t>(info.file_index),
            .begin = info.offset + sys::kReadAlignment,
            .end = info.offset + info.size_bytes - sys::kReadAlignment,
            .count = count,
            .calls = 4};
  }

  // Whether a message names a byte of the pages that the tensor lies in.
  bool names_a_byte_of(const std::string& tensor, const std::string& message) const {
    const file::TensorInfo& info = model_.info(tensor);
    const std::size_t at = message.find("byte ");
    std::uint64_t offset = 0;
    if (at == std::string::npos ||
        std::from_chars(message.data() + at + 5, message.data() + message.size(), offset).ec != std::errc())
      return false;
    return offset + sys::kReadAlignment > info.offset && offset <= info.offset + info.size_bytes;
  }

  TestModel model_;
};

TEST_P(ReadFaults, an_error_of_the_disk_is_told_and_the_next_try_succeeds) {
  const Way& way = GetParam();
  for (const Kind kind : {Kind::kIoError, Kind::kEarlyEnd}) {
    for (const std::uint64_t count : {1U, 2U}) {
      const TestStore s(model_, model_.placement(0, 0.3), {fault_of(kind, way.tensor, count)});
      int failures = 0;
      std::string wrong;
      while (!(wrong = way.wrong(s)).empty()) {
        ASSERT_LE(++failures, 2) << wrong;
        EXPECT_TRUE(names_a_byte_of(way.tensor, wrong)) << wrong;
        EXPECT_NE(wrong.find("file " + std::to_string(model_.info(way.tensor).file_index)), std::string::npos)
            << wrong;
        EXPECT_NE(wrong.find(kind == Kind::kIoError ? "Input/output error" : "ends"), std::string::npos)
            << wrong;
      }
      EXPECT_GE(failures, 1);
      for (const Way& any : kWays) EXPECT_EQ(any.wrong(s), "") << any.name;
    }
  }
}

TEST_P(ReadFaults, a_stall_is_told_and_what_comes_late_is_right) {
  const Way& way = GetParam();
  const TestStore s(model_, model_.placement(0, 0.3), {fault_of(Kind::kStall, way.tensor, 1)}, kStall);
  for (int i = 0; i < 2; ++i) {
    const std::string wrong = way.wrong(s);
    EXPECT_NE(wrong.find("not answered"), std::string::npos) << wrong;
    EXPECT_NE(wrong.find(model_.paths()[model_.info(way.tensor).file_index]), std::string::npos) << wrong;
    EXPECT_TRUE(names_a_byte_of(way.tensor, wrong)) << wrong;
    EXPECT_EQ(s.wrong_tensor("head"), "") << "what is in memory stays of use";
  }
  s.reader->release();
  for (int i = 0; i < 2; ++i) {
    for (const Way& any : kWays) EXPECT_EQ(any.wrong(s), "") << any.name;
  }
}

TEST_P(ReadFaults, a_store_may_go_while_its_disk_is_stalled) {
  const Way& way = GetParam();
  TestStore s(model_, model_.placement(0, 0.3), {fault_of(Kind::kStall, way.tensor, ~0ULL)}, kStall);
  EXPECT_NE(way.wrong(s), "");
  s.store.reset();
}

TEST_P(ReadFaults, a_delay_changes_nothing) {
  const Way& way = GetParam();
  const TestStore s(model_, model_.placement(0, 0.3), {fault_of(Kind::kDelay, way.tensor, ~0ULL)});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(way.wrong(s), "");
  EXPECT_GT(s.reader->hits(), 0U);
}

TEST_P(ReadFaults, a_file_that_was_changed_is_told) {
  const Way& way = GetParam();
  const TestStore s(model_, model_.placement(0, 0.3), {fault_of(Kind::kChange, way.tensor, 1)});
  EXPECT_EQ(way.wrong(s), "");
  const auto changed = s.store->check_unchanged();
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode::kIo);
  EXPECT_TRUE(names_a_byte_of(way.tensor, describe(changed.error())));
}

INSTANTIATE_TEST_SUITE_P(Ways, ReadFaults, ::testing::ValuesIn(kWays),
                         [](const auto& way) { return std::string(way.param.name); });

class LoadFaults : public ReadFaults {};

TEST_F(LoadFaults, what_stays_in_memory_is_read_or_the_error_told) {
  for (const Kind kind : {Kind::kIoError, Kind::kEarlyEnd}) {
    TestStore s(model_);
    const auto failed = s.try_open(model_.placement(0, 0.3), {fault_of(kind, "head", 1)}, 30);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kIo);
    EXPECT_TRUE(names_a_byte_of("head", describe(failed.error()))) << describe(failed.error());
  }
  TestStore s(model_, model_.placement(0, 0.3), {fault_of(Kind::kDelay, "head", 1)});
  EXPECT_EQ(s.wrong_tensor("head"), "");
}

TEST_F(LoadFaults, a_stall_is_told_with_the_file_and_the_place) {
  TestStore s(model_);
  const auto failed = s.try_open(model_.placement(0, 0.3), {fault_of(Kind::kStall, "head", 1)}, kStall);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
  const std::string message = describe(failed.error());
  EXPECT_NE(message.find(model_.paths()[1]), std::string::npos) << message;
  EXPECT_TRUE(names_a_byte_of("head", message)) << message;
}

// While one expert's matrix does not come, others do.
TEST_F(LoadFaults, one_stalled_read_holds_up_nobody_else) {
  ReadFault fault = fault_of(Kind::kStall, "l0.down", 1);
  const std::uint64_t slice_bytes = model_.info("l0.down").bytes.size() / kExperts;
  fault.begin = model_.info("l0.down").offset + 4 * slice_bytes;
  fault.end = fault.begin + slice_bytes;
  const TestStore s(model_, model_.placement(0, 0.5), {fault}, kStall);
  SliceLease stalled = s.begin("l0.down", {4});
  for (const char* name : {"l0.gate", "l1.down", "l0.down"}) EXPECT_EQ(s.wrong_slices(name, {8, 9}), "");
  EXPECT_EQ(s.wrong_slices("table", {8}), "");
  for (std::size_t li = 0; li < 4; ++li) EXPECT_EQ(s.wrong_layer(li), "");
  EXPECT_FALSE(stalled.wait());
  s.reader->release();
  EXPECT_EQ(s.wrong_slices("l0.down", stalled, {4}), "");
}

// Whatever goes wrong and whenever: an error or the right bytes.
TEST_F(LoadFaults, at_random_never_give_wrong_bytes) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Rng rng(seed);
    std::vector<ReadFault> faults;
    for (const Kind kind : {Kind::kIoError, Kind::kEarlyEnd, Kind::kDelay, Kind::kDelay}) {
      faults.push_back(
          {.kind = kind, .skip = 4 + rng.next() % 60, .count = 1 + rng.next() % 4, .calls = rng.next() % 9});
    }
    const TestStore s(model_, model_.placement(rng.next() % 40 * sys::kReadAlignment, 0.25), faults);
    int errors = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string& stack = TestModel::stacks()[rng.next() % 6];
      const std::vector<std::string> all = {
          s.wrong_layer(static_cast<std::size_t>(i) % 4), s.wrong_slices(stack, some_slices(rng, 2)),
          s.wrong_slices("table", {static_cast<std::uint32_t>(i) % kTableRows})};
      for (const std::string& wrong : all) {
        if (wrong.empty()) continue;
        ++errors;
        EXPECT_TRUE(wrong.find("Input/output error") != std::string::npos ||
                    wrong.find("ends at") != std::string::npos)
            << wrong;
      }
    }
    EXPECT_LE(errors, 8);
  }
}

}  // namespace
}  // namespace cistern::store
