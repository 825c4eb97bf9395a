#include "sys/thread_place.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <thread>

namespace cistern::sys {
namespace {

cpu_set_t processors() {
  cpu_set_t set = {};
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

// A thread that does nothing until it is told to look where it may run.
class Sleeper {
 public:
  explicit Sleeper(ThreadPlace& place)
      : thread_([this, &place] {
          place.bind();
          bound_ = true;
          bound_.notify_one();
          moved_.wait(false);
          during_ = processors();
          place.move_back();
          after_ = processors();
        }) {
    bound_.wait(false);
  }
  void look() {
    moved_ = true;
    moved_.notify_one();
    thread_.join();
  }
  cpu_set_t during() const { return during_; }
  cpu_set_t after() const { return after_; }

 private:
  std::atomic<bool> bound_{false};
  std::atomic<bool> moved_{false};
  cpu_set_t during_ = {};
  cpu_set_t after_ = {};
  std::thread thread_;
};

TEST(ThreadPlace, MovesAThreadHereAndBack) {
  const cpu_set_t home = processors();
  ThreadPlace place;
  Sleeper sleeper(place);
  place.move_here();
  place.move_here();  // once is enough: what to go back to is not forgotten
  sleeper.look();
  const cpu_set_t during = sleeper.during();
  const cpu_set_t after = sleeper.after();
  EXPECT_EQ(CPU_COUNT(&during), 1);
  EXPECT_TRUE(CPU_EQUAL(&after, &home));
}

TEST(ThreadPlace, UndoneByWhoMovedIt) {
  const cpu_set_t home = processors();
  ThreadPlace place;
  Sleeper sleeper(place);
  place.move_here();
  place.move_back();
  sleeper.look();
  const cpu_set_t during = sleeper.during();
  EXPECT_TRUE(CPU_EQUAL(&during, &home));
}

TEST(ThreadPlace, ProcessorTimeStandsStillForASleeper) {
  ThreadPlace place;
  EXPECT_EQ(place.processor_ns(), 0U);
  place.move_here();  // not bound: nothing to move
  Sleeper sleeper(place);
  const std::uint64_t before = place.processor_ns();
  EXPECT_GT(before, 0U);
  ThreadPlace own;
  own.bind();
  const std::uint64_t start = own.processor_ns();
  while (own.processor_ns() == start) {
  }
  sleeper.look();
}

}  // namespace
}  // namespace cistern::sys
