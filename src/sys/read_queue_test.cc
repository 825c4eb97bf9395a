#include "sys/read_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sys/buffer.h"

namespace cistern::sys {
namespace {

constexpr std::uint64_t kPiece = kReadPieceBytes;
constexpr ReadDepth kDeep{
    .pieces = 100, .bytes = 100 * kPiece, .background_pieces = 100, .background_bytes = 100 * kPiece};

class ReadQueueTest : public ::testing::Test {
 protected:
  ReadRequest request(std::uint64_t tag, std::uint64_t bytes) {
    return {.offset = tag * kReadAlignment,
            .into = memory_.bytes().first(bytes),
            .needed_bytes = bytes,
            .tag = tag};
  }
  static std::vector<std::uint64_t> offsets_taken(ReadQueue& queue, std::vector<ReadPiece>& taken) {
    std::vector<std::uint64_t> offsets;
    while (auto piece = queue.take()) {
      offsets.push_back(piece->offset);
      taken.push_back(*piece);
    }
    return offsets;
  }

  Buffer memory_ = *Buffer::allocate(8 * kPiece);
  std::vector<ReadPiece> taken_;
};

TEST_F(ReadQueueTest, CutsARequestIntoPieces) {
  ReadQueue queue(kDeep);
  ReadRequest whole = request(3, 2 * kPiece + 2 * kReadAlignment);
  whole.file = 5;
  whole.needed_bytes = 2 * kPiece + 10;
  queue.push(whole, ReadPriority::kDemand);
  offsets_taken(queue, taken_);
  ASSERT_EQ(taken_.size(), 3U);
  const std::uint64_t bytes[] = {kPiece, kPiece, 2 * kReadAlignment};
  const std::uint64_t needed[] = {kPiece, kPiece, 10};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(taken_[i].file, 5U);
    EXPECT_EQ(taken_[i].offset, 3 * kReadAlignment + i * kPiece);
    EXPECT_EQ(taken_[i].into.data(), memory_.bytes().data() + i * kPiece);
    EXPECT_EQ(taken_[i].into.size(), bytes[i]);
    EXPECT_EQ(taken_[i].needed_bytes, needed[i]);
  }
  queue.finish(std::move(taken_[2]));
  queue.finish(std::move(taken_[0]));
  EXPECT_FALSE(queue.pop());
  EXPECT_EQ(queue.unfinished(), 1U);
  queue.finish(std::move(taken_[1]));
  EXPECT_EQ(queue.in_flight(), 0U);
  const auto completion = queue.pop();
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->tag, 3U);
  EXPECT_FALSE(completion->error);
  EXPECT_EQ(queue.unfinished(), 0U);
}

TEST_F(ReadQueueTest, PiecesBeyondWhatIsNeededNeedNothing) {
  ReadQueue queue(kDeep);
  ReadRequest whole = request(0, 2 * kPiece);
  whole.needed_bytes = 100;
  queue.push(whole, ReadPriority::kDemand);
  offsets_taken(queue, taken_);
  ASSERT_EQ(taken_.size(), 2U);
  EXPECT_EQ(taken_[0].needed_bytes, 100U);
  EXPECT_EQ(taken_[1].needed_bytes, 0U);
}

TEST_F(ReadQueueTest, DemandGoesBeforeBackgroundInTheOrderOfItsComing) {
  ReadQueue queue(kDeep);
  for (const std::uint64_t tag : {0, 1}) queue.push(request(tag, kReadAlignment), ReadPriority::kBackground);
  for (const std::uint64_t tag : {2, 3, 4}) queue.push(request(tag, kReadAlignment), ReadPriority::kDemand);
  std::vector<std::uint64_t> expected;
  for (const std::uint64_t tag : {2, 3, 4, 0, 1}) expected.push_back(tag * kReadAlignment);
  EXPECT_EQ(offsets_taken(queue, taken_), expected);
}

TEST_F(ReadQueueTest, DemandOvertakesBackgroundThatIsHalfBegun) {
  ReadQueue queue({.pieces = 1, .bytes = kPiece, .background_pieces = 1, .background_bytes = kPiece});
  queue.push(request(0, 3 * kPiece), ReadPriority::kBackground);
  auto piece = queue.take();
  ASSERT_TRUE(piece);
  queue.push(request(1, kPiece), ReadPriority::kDemand);
  EXPECT_FALSE(queue.take()) << "the depth is reached";
  std::vector<std::uint64_t> order;
  while (piece) {
    queue.finish(std::move(*piece));
    while (const auto completion = queue.pop()) order.push_back(completion->tag);
    piece = queue.take();
  }
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 0}));
}

TEST_F(ReadQueueTest, BackgroundLeavesRoomForDemand) {
  for (const ReadDepth depth :
       {ReadDepth{
            .pieces = 6, .bytes = 100 * kPiece, .background_pieces = 2, .background_bytes = 100 * kPiece},
        ReadDepth{
            .pieces = 100, .bytes = 6 * kPiece, .background_pieces = 100, .background_bytes = 2 * kPiece}}) {
    ReadQueue queue(depth);
    queue.push(request(0, 8 * kPiece), ReadPriority::kBackground);
    EXPECT_EQ(offsets_taken(queue, taken_).size(), 2U);
    queue.push(request(1, 8 * kPiece), ReadPriority::kDemand);
    EXPECT_EQ(offsets_taken(queue, taken_).size(), 4U);
    EXPECT_EQ(queue.in_flight(), 6U);
    taken_.clear();
  }
}

TEST_F(ReadQueueTest, TheFirstErrorStaysAndEndsWithTheLastPiece) {
  ReadQueue queue(kDeep);
  queue.push(request(0, 3 * kPiece), ReadPriority::kDemand);
  offsets_taken(queue, taken_);
  taken_[1].error = {ErrorCode::kIo, "first", ""};
  taken_[2].error = {ErrorCode::kIo, "second", ""};
  for (const std::size_t i : {1, 2}) queue.finish(std::move(taken_[i]));
  EXPECT_FALSE(queue.pop());
  queue.finish(std::move(taken_[0]));
  const auto completion = queue.pop();
  ASSERT_TRUE(completion && completion->error);
  EXPECT_EQ(completion->error->message, "first");
  // The place of a failed request is used again, and the failure is forgotten.
  queue.push(request(1, kPiece), ReadPriority::kDemand);
  queue.finish(*queue.take());
  EXPECT_FALSE(queue.pop()->error);
}

TEST_F(ReadQueueTest, NothingToReadIsFinishedAtOnce) {
  ReadQueue queue(kDeep);
  queue.push(request(9, 0), ReadPriority::kBackground);
  EXPECT_FALSE(queue.take());
  EXPECT_EQ(queue.pop()->tag, 9U);
}

}  // namespace
}  // namespace cistern::sys
