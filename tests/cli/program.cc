#include "cli/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "support/fixtures.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

// Sanitizers are told by the environment where to write; the rest is minimal, so that tests do not depend on
// whose machine they run on.
std::vector<std::string> environment(const RunInput& input, const std::string& home) {
  std::vector<std::string> env = {"HOME=" + home, "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TERM=dumb"};
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) env.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : input.env) env.push_back(name + "=" + value);
  return env;
}

// True once the child has ended; `status` is then as waitpid gives it.
bool wait_until(pid_t child, const RunInput& input, const std::string& out, int& status) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(input.limit_s);
  bool interrupted = !input.interrupt;
  while (std::chrono::steady_clock::now() < deadline) {
    if (waitpid(child, &status, WNOHANG) == child) return true;
    std::error_code ignored;
    if (!interrupted && std::filesystem::file_size(out, ignored) > 0 && !ignored) {
      interrupted = true;
      kill(child, SIGINT);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

}  // namespace

Outcome run_program(const RunInput& input) {
  const TempDir dir;
  const std::string in = dir.write("stdin", input.stdin_text).string();
  const std::string out = (dir.path() / "stdout").string();
  const std::string err = (dir.path() / "stderr").string();
  std::vector<std::string> args = {CISTERN_PROGRAM};
  if (!input.setup.empty()) args = {"/bin/sh", "-c", input.setup + "; exec \"$0\" \"$@\"", CISTERN_PROGRAM};
  args.insert(args.end(), input.args.begin(), input.args.end());
  std::vector<std::string> env = environment(input, dir.path().string());

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&files, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t child = 0;
  Outcome outcome;
  const int failed =
      posix_spawn(&child, args[0].c_str(), &files, nullptr, pointers(args).data(), pointers(env).data());
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) {
    outcome.err = "cannot start " CISTERN_PROGRAM;
    return outcome;
  }
  int status = 0;
  if (!wait_until(child, input, out, status)) {
    outcome.timed_out = true;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.out = read_text(out);
  outcome.err = read_text(err);
  return outcome;
}

Outcome run_program(std::vector<std::string> args, std::string stdin_text) {
  return run_program(RunInput{.args = std::move(args), .stdin_text = std::move(stdin_text), .env = {}});
}

std::string not_one_clear_error(const Outcome& run, int exit_code) {
  const std::string got =
      " (exit code " + std::to_string(run.exit_code) + ", stderr: " + run.err.substr(0, 400) + ")";
  if (run.timed_out) return "it did not end" + got;
  if (run.signal != 0) return "it died of signal " + std::to_string(run.signal) + got;
  if (run.exit_code != exit_code) return "the exit code should be " + std::to_string(exit_code) + got;
  if (!run.err.starts_with("cistern: ")) return "stderr should begin with 'cistern: '" + got;
  if (std::ranges::count(run.err, '\n') != 1 || !run.err.ends_with('\n'))
    return "stderr should be one line" + got;
  if (run.err.size() < 20) return "the message says too little" + got;
  return {};
}

}  // namespace cistern::testing
