// A budget is a promise (contract 2): what a run really holds, measured from outside under caps that the
// system enforces, against what it planned; and a refusal with numbers where the cap is too small.
#include <gtest/gtest.h>

#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/program.h"
#include "support/sanitizer.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1ULL << 20U;

class PeakMemory : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir;
    path_ = (dir_->path() / "random.gguf").string();
    // About 155 MiB of weights, 32 KiB of KV cache per token in f16; of 262 tokens none is longer than a
    // letter.
    const Outcome made =
        run_program({"make-model", path_, "--arch", "llama", "--layers", "9", "--dim", "1024", "--ffn",
                     "4096", "--heads", "8", "--kv-heads", "8", "--vocab", "262", "--context", "2048"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  static void TearDownTestSuite() { delete dir_; }

  // A prompt of one token per letter that fills most of a context of 512.
  static RunInput run_input(std::string setup) {
    return {.args = {"run", path_, "--raw", "-p", std::string(480, 'a'), "-n", "4", "--temp", "0", "--ctx",
                     "512", "--json", "--threads", "2"},
            .env = {},
            .limit_s = 600,
            .setup = std::move(setup)};
  }

  static void expect_as_planned(const Outcome& run) {
    ASSERT_EQ(run.exit_code, 0) << run.err << run.out;
    const boost::json::value stats = boost::json::parse(run.out).at("stats");
    const auto peak = stats.at("peak_rss_bytes").to_number<std::uint64_t>();
    const auto planned = stats.at("planned_bytes").to_number<std::uint64_t>();
    std::cout << "peak " << peak / kMiB << " MiB, planned " << planned / kMiB << " MiB\n";
    EXPECT_LE(peak, planned + planned / 20 + 32 * kMiB);
    EXPECT_GE(peak + planned / 20 + 32 * kMiB, planned)
        << "a plan far above the truth refuses what would fit";
  }

  static TempDir* dir_;
  static std::string path_;
};

TempDir* PeakMemory::dir_ = nullptr;
std::string PeakMemory::path_;

TEST_F(PeakMemory, stays_with_the_plan) {
  if (!kMemoryIsOurs) GTEST_SKIP() << kSanitizersMemory;
  expect_as_planned(run_program(run_input("")));
}

TEST_F(PeakMemory, stays_with_the_plan_under_ulimit) {
  if (!kMemoryIsOurs) GTEST_SKIP() << kSanitizersMemory;
  expect_as_planned(run_program(run_input("ulimit -v 400000")));
}

TEST_F(PeakMemory, is_refused_with_numbers_under_a_tight_ulimit) {
  if (!kMemoryIsOurs) GTEST_SKIP() << kSanitizersMemory;
  const Outcome run = run_program(run_input("ulimit -v 190000"));
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.signal, 0);
  EXPECT_NE(run.err.find("does not fit"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("MiB"), std::string::npos) << run.err;
}

TEST_F(PeakMemory, the_memory_option_is_a_cap_as_well) {
  RunInput input = run_input("");
  input.args.insert(input.args.end(), {"--memory", "100MiB"});
  const Outcome run = run_program(input);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("no context fits"), std::string::npos) << run.err;
}

// A memory cgroup of our own, v1 or v2, where this process may make one.
class Cgroup {
 public:
  explicit Cgroup(std::uint64_t bytes) {
    const std::string name = "cistern-test-" + std::to_string(getpid()) + "-" + std::to_string(bytes);
    for (const auto& [parent, file] :
         {std::pair{"/sys/fs/cgroup/memory/", "memory.limit_in_bytes"}, {"/sys/fs/cgroup/", "memory.max"}}) {
      const fs::path folder = parent + name;
      std::error_code error;
      if (!fs::create_directory(folder, error) || error) continue;
      folder_ = folder;
      std::ofstream(folder / file) << bytes << std::flush;
      std::string written;
      if (std::ifstream(folder / file) >> written && written == std::to_string(bytes)) return;
      fs::remove(folder_, error);
      folder_.clear();
    }
  }
  ~Cgroup() {
    std::error_code error;
    if (!folder_.empty()) fs::remove(folder_, error);
  }
  bool made() const { return !folder_.empty(); }
  std::string join() const { return "echo $$ > " + (folder_ / "cgroup.procs").string(); }

 private:
  fs::path folder_;
};

TEST_F(PeakMemory, stays_below_a_cgroup_limit) {
  if (!kMemoryIsOurs) GTEST_SKIP() << kSanitizersMemory;
  const Cgroup group(300 * kMiB);
  if (!group.made()) GTEST_SKIP() << "SKIPPED: no memory cgroup can be made here";
  expect_as_planned(run_program(run_input(group.join())));
}

TEST_F(PeakMemory, is_refused_and_never_killed_under_a_tight_cgroup) {
  if (!kMemoryIsOurs) GTEST_SKIP() << kSanitizersMemory;
  for (const std::uint64_t mib : {60, 100, 140, 160}) {
    const Cgroup group(mib * kMiB);
    if (!group.made()) GTEST_SKIP() << "SKIPPED: no memory cgroup can be made here";
    const Outcome run = run_program(run_input(group.join()));
    EXPECT_EQ(run.signal, 0) << mib << " MiB";
    EXPECT_EQ(run.exit_code, 1) << mib << " MiB: " << run.err;
    EXPECT_NE(run.err.find("does not fit"), std::string::npos) << mib << " MiB: " << run.err;
  }
}

}  // namespace
}  // namespace cistern::testing
