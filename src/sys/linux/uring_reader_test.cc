// What containers do: system calls that are refused. Each test runs in a process of its own, which cannot
// take a filter off again.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "support/temp_dir.h"
#include "sys/buffer.h"
#include "sys/file_reader.h"

namespace cistern::sys {
namespace {

// From here on these two system calls of the process fail with `number`.
bool refuse(unsigned first, unsigned second, unsigned number) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, second, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {.len = std::size(filter), .filter = filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Reads the file of RefusedDeathTest and says how; the status is 0 when all was right.
[[noreturn]] void read_and_exit(const Result<std::unique_ptr<FileReader>>& reader) {
  auto memory = Buffer::allocate(kReadAlignment);
  if (!reader || !memory) std::_Exit(1);
  (*reader)->submit({.into = memory->bytes(), .needed_bytes = 5}, ReadPriority::kDemand);
  const auto completion = (*reader)->next(std::numeric_limits<double>::infinity());
  std::fprintf(stderr, "%s\n", (*reader)->describe().c_str());
  const bool right = completion && !completion->error && memory->bytes()[4] == std::byte{'o'};
  std::_Exit(right ? 0 : 1);  // past the leak checker, which would want a thread
}

class RefusedDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  const testing::TempDir dir_;
  const std::vector<std::string> paths_ = {dir_.write("f", std::string_view("hello")).string()};
};

TEST_F(RefusedDeathTest, WithoutIoUringThereAreThreads) {
  const auto run = [&] {
    if (refuse(SYS_io_uring_setup, SYS_io_uring_setup, EPERM)) read_and_exit(make_file_reader(paths_));
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(0), "8 threads .no io_uring: Operation not permitted., ");
}

TEST_F(RefusedDeathTest, WithoutThreadsTheCallerReads) {
  const auto run = [&] {
    if (refuse(SYS_clone, SYS_clone3, EAGAIN)) read_and_exit(make_thread_reader(paths_, 2));
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(0), "one read at a time .the system refused more threads., ");
}

}  // namespace
}  // namespace cistern::sys
