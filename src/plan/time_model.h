// How long a token takes on a machine that is only named. A step is a sum of terms, each the ideal time of
// one kind of work (bytes over bandwidth, operations over a peak, a fixed cost per layer) times a fitted
// multiple; the logarithm of a multiple is a sum of parameters from the general to the particular (all
// back-ends, one back-end, one kind of weights on it), so that what was never measured falls back to what is
// like it. The parameters are a small table in the binary, written by scripts/fit_time_model.py from
// published measurements. Pure; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "plan/catalogue.h"
#include "plan/interval.h"

namespace cistern::plan {

// Which program computes, and through which interface.
enum class Runtime { kLlamaCpp, kIkLlama, kLlamafile, kOllama, kMlx, kExllama, kKtransformers };
enum class Interface {
  kAutomatic,  // what the first device is usually driven with
  kCpu,
  kCuda,
  kRocm,
  kVulkan,
  kMetal,
};

struct Backend {
  Runtime runtime = Runtime::kLlamaCpp;
  Interface interface = Interface::kAutomatic;
};

// "llama.cpp CUDA", "ik_llama.cpp CUDA+CPU hybrid", "ollama/llama.cpp", "MLX", ... Anything else is
// llama.cpp, with the interface that the text names, if any.
Backend backend_of(std::string_view text);

// Families of weight formats with kernels that behave alike.
enum class WeightClass {
  kFloat16,  // and 32 bits
  kBfloat16,
  kQ8,
  kBlock4,  // Q4_0 to Q5_1, IQ4, 4-bit formats of other programs
  kK,       // Q2_K to Q6_K
  kTable,   // IQ1 to IQ3: values are looked up
  kIk,      // formats of ik_llama.cpp and repacked ones
  kMxfp4,
};

// "Q4_K_M", "UD-IQ2_XXS", "BF16", "IQ2_K_R4", "4bit", ...
WeightClass weight_class_of(std::string_view quant);

// What one token must do. Doubles throughout: estimates are as welcome as the planner's exact counts.
struct Work {
  double file_bytes = 0;         // all weights
  double dense_read_bytes = 0;   // weights that every token reads: no embedding table, no routed experts
  double routed_read_bytes = 0;  // of the experts that a token chooses
  double routed_file_bytes = 0;  // of all routed experts; 0: not a mixture of experts
  double dense_macs = 0;         // multiply-accumulates with those weights
  double routed_macs = 0;
  double layers = 0;            // a mixer and a feed-forward block; half a layer where one is alone
  double recurrent_layers = 0;  // of them, without keys and values
  WeightClass weights = WeightClass::kK;
  double kv_bytes = 0;        // that a generated token reads, at the mean depth of the generation
  double attention_macs = 0;  // and multiplies
  double prompt_tokens = 512;
  double prompt_attention_macs = 0;  // per token, the mean over the prompt
  bool flash_attention = true;
  bool latent_attention = false;  // MLA: all heads share the keys and values
};

struct Factor {
  std::string parameter;
  double weight = 1;
};

struct Term {
  double seconds = 0;  // at the ideal
  std::vector<Factor> factors;
};

// The terms of a generated token, and of a prompt's token. Each has at least one term of more than 0 s.
// Errors: kUsage when there is nothing to compute with (no bandwidth, no work).
Result<std::vector<Term>> decode_terms(const Work& work, const System& system, const Backend& backend);
Result<std::vector<Term>> prompt_terms(const Work& work, const System& system, const Backend& backend);

class TimeModel {
 public:
  // The fitted parameters that are built in.
  static TimeModel built_in();

  // Columns name and value. Errors: kFormat.
  static Result<TimeModel> parse(std::string_view text, std::string name);

  // Tokens per second.
  Result<Interval> decode(const Work& work, const System& system, const Backend& backend) const;
  Result<Interval> prompt(const Work& work, const System& system, const Backend& backend) const;

  // Seconds of a token; parameters that the table lacks count as 0.
  double seconds(const std::vector<Term>& terms) const;

  double parameter(const std::string& name) const;

 private:
  Interval speed(const std::vector<Term>& terms, std::string_view phase,
                 const std::vector<std::string>& groups) const;

  std::map<std::string, double, std::less<>> parameters_;
};

// Names of the groups of residuals a prediction belongs to, the most particular first: "cuda.moe", "cuda".
// The half width of its interval in log(speed) is the parameter "<phase>.width.<group>" of the first that has
// one.
std::vector<std::string> width_groups(const Work& work, const System& system, const Backend& backend);

}  // namespace cistern::plan
