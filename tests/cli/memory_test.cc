// A budget is a promise (contract 2): what a run really holds under caps that the system enforces, against
// what it planned. Under every cap a model fits, or runs from disk with the same answer, or is refused with
// the smallest cap that would do; it is never killed.
#include <gtest/gtest.h>

#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "cli/program.h"
#include "support/refusal.h"
#include "support/sanitizer.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1ULL << 20U;
// Of what a process holds, a cgroup does not count what another one has read before: the program itself, of
// whose file a third is touched.
const std::uint64_t kSharedBytes = fs::file_size(CISTERN_PROGRAM) / 3;

struct CappedModel {
  const char* name;
  std::vector<std::string> shape;  // of make-model
  friend void PrintTo(const CappedModel& model, std::ostream* out) { *out << model.name; }
};

// About 155 and 130 MiB of weights; of 262 tokens none is longer than a letter.
const std::vector<CappedModel> kModels = {
    {"dense",
     {"--arch", "llama", "--layers", "9", "--dim", "1024", "--ffn", "4096", "--heads", "8", "--kv-heads", "8",
      "--vocab", "262", "--context", "2048"}},
    {"experts", {"--arch",     "qwen3moe", "--layers",  "6",   "--dim",          "512", "--heads",      "8",
                 "--kv-heads", "4",        "--experts", "32",  "--experts-used", "4",   "--expert-ffn", "384",
                 "--vocab",    "262",      "--context", "2048"}}};

class PeakMemory : public ::testing::TestWithParam<CappedModel> {
 protected:
  void SetUp() override {
    if (!kMemoryIsOurs) GTEST_SKIP() << kSanitizersMemory;
    path_ = (dir_.path() / "random.gguf").string();
    std::vector<std::string> args = {"make-model", path_};
    args.insert(args.end(), GetParam().shape.begin(), GetParam().shape.end());
    const Outcome made = run_program(args);
    ASSERT_EQ(made.exit_code, 0) << made.err;
    const Outcome uncapped = run_program(input(""));
    ASSERT_EQ(uncapped.exit_code, 0) << uncapped.err;
    ids_ = boost::json::parse(uncapped.out).at("ids");
    ASSERT_EQ(ids_.as_array().size(), 4U);
    planned_ = stat_of(uncapped, "planned_bytes");
  }

  // One token per letter.
  RunInput input(std::string setup, std::size_t prompt_tokens = 100) const {
    return {.args = {"run", path_, "--raw", "-p", std::string(prompt_tokens, 'a'), "-n", "4", "--temp", "0",
                     "--ctx", "512", "--ignore-end", "--json", "--threads", "2"},
            .env = {},
            .limit_s = 600,
            .setup = std::move(setup)};
  }
  RunInput with_memory(std::uint64_t cap) const {
    RunInput capped = input("");
    capped.args.insert(capped.args.end(), {"--memory", std::to_string(cap)});
    return capped;
  }
  static std::uint64_t stat_of(const Outcome& run, const char* name) {
    return boost::json::parse(run.out).at("stats").at(name).to_number<std::uint64_t>();
  }
  static bool streams(const Outcome& run) {
    return boost::json::parse(run.out).at("stats").as_object().contains("disk");
  }

  // It runs as planned and answers rightly, or is refused with numbers.
  void expect_promise_kept(const Outcome& run, std::uint64_t cap) const {
    SCOPED_TRACE("cap of " + std::to_string(cap / kMiB) + " MiB");
    ASSERT_EQ(run.signal, 0);
    ASSERT_FALSE(run.timed_out);
    if (run.exit_code != 0) {
      EXPECT_EQ(not_one_clear_error(run, 1), "");
      EXPECT_NE(run.err.find("does not fit"), std::string::npos) << run.err;
      return;
    }
    EXPECT_EQ(boost::json::parse(run.out).at("ids"), ids_);
    const std::uint64_t peak = stat_of(run, "peak_rss_bytes"), planned = stat_of(run, "planned_bytes");
    std::cout << GetParam().name << ", cap " << cap / kMiB << " MiB: " << (streams(run) ? "streams" : "fits")
              << ", planned " << planned / kMiB << ", peak " << peak / kMiB << " MiB\n";
    EXPECT_LE(planned, cap + kSharedBytes);
    EXPECT_LE(peak, cap + kSharedBytes);
    EXPECT_LE(peak, planned + planned * 3 / 100 + 32 * kMiB);
  }

  // Caps from one that is too small to one under which all fits, runs under each of them made by `capped`.
  template <class Capped>
  void sweep(const Capped& capped) const {
    constexpr std::uint64_t kTooSmall = 16 * kMiB;
    const Outcome refused = run_program(capped(kTooSmall));
    expect_promise_kept(refused, kTooSmall);
    ASSERT_EQ(refused.exit_code, 1);
    const std::uint64_t least = least_bytes_in(refused.err);
    ASSERT_LT(least, planned_);

    EXPECT_GT(least, kTooSmall);
    const std::uint64_t below = least - kSharedBytes - 4 * kMiB;
    const Outcome also_refused = run_program(capped(below));
    expect_promise_kept(also_refused, below);
    EXPECT_EQ(also_refused.exit_code, 1) << "less than the least that would do";
    for (const std::uint64_t cap : {least, (least + planned_) / 2, planned_ + 8 * kMiB}) {
      const Outcome run = run_program(capped(cap));
      expect_promise_kept(run, cap);
      ASSERT_EQ(run.exit_code, 0) << run.err;
      EXPECT_EQ(streams(run), cap < planned_);
    }
  }

  TempDir dir_;
  std::string path_;
  boost::json::value ids_;     // of the answer
  std::uint64_t planned_ = 0;  // with all weights in memory
};

// A prompt that fills most of the context.
TEST_P(PeakMemory, is_what_was_planned) {
  for (const char* setup : {"", "ulimit -v 400000"}) {
    const Outcome run = run_program(input(setup, 480));
    ASSERT_EQ(run.exit_code, 0) << run.err << run.out;
    const std::uint64_t peak = stat_of(run, "peak_rss_bytes"), planned = stat_of(run, "planned_bytes");
    std::cout << "peak " << peak / kMiB << " MiB, planned " << planned / kMiB << " MiB\n";
    EXPECT_LE(peak, planned + planned * 3 / 100 + 32 * kMiB);
    EXPECT_GE(peak + planned / 20 + 32 * kMiB, planned)
        << "a plan far above the truth refuses what would fit";
  }
}

TEST_P(PeakMemory, keeps_the_promise_under_the_memory_option) {
  sweep([this](std::uint64_t cap) { return with_memory(cap); });
}

// Of address space: the mapped file takes its part even when it is streamed, so that nothing is won by that.
TEST_P(PeakMemory, keeps_the_promise_under_ulimit) {
  for (const std::uint64_t mib : {170, 190, 230, 400}) {
    const Outcome run = run_program(input("ulimit -v " + std::to_string(mib * 1024)));
    expect_promise_kept(run, mib * kMiB);
    EXPECT_TRUE(run.exit_code == 0 || mib < 400) << run.err;
  }
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
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  bool made() const { return !folder_.empty(); }
  std::string join() const { return "echo $$ > " + (folder_ / "cgroup.procs").string(); }

 private:
  fs::path folder_;
};

TEST_P(PeakMemory, keeps_the_promise_in_a_cgroup) {
  if (!Cgroup(64 * kMiB).made()) GTEST_SKIP() << "SKIPPED: no memory cgroup can be made here";
  std::optional<Cgroup> group;
  sweep([&](std::uint64_t cap) {
    group.emplace(cap / 4096 * 4096);
    return input(group->join());
  });
}

INSTANTIATE_TEST_SUITE_P(Models, PeakMemory, ::testing::ValuesIn(kModels),
                         [](const auto& model) { return std::string(model.param.name); });

}  // namespace
}  // namespace cistern::testing
