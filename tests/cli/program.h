// Runs the built cistern program as a user's shell would and captures what it says. Every run ends: one that
// takes longer than its limit is killed and reported as timed out, which every expectation here treats as a
// failure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cistern::testing {

struct Outcome {
  int exit_code = -1;  // -1: ended by a signal or not at all
  int signal = 0;
  bool timed_out = false;
  std::string out;
  std::string err;
};

struct RunInput {
  std::vector<std::string> args;
  std::string stdin_text;  // always a file, never a terminal
  std::vector<std::pair<std::string, std::string>>
      env;  // added to a minimal environment with a HOME of its own
  int limit_s = 120;
  bool interrupt = false;  // send SIGINT (Ctrl-C) once something stands on stdout
  std::string setup;       // shell commands that run first, in the same process: "ulimit -v 300000"
};

Outcome run_program(const RunInput& input);
Outcome run_program(std::vector<std::string> args, std::string stdin_text = {});

// What every failing command must do: this exit code, nothing on stdout unless JSON, one line "cistern: ..."
// on stderr, no signal. Returns a description of what is wrong; empty if all is well.
std::string not_one_clear_error(const Outcome& run, int exit_code);

}  // namespace cistern::testing
