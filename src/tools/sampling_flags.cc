#include <fmt/format.h>

#include <array>
#include <charconv>

#include "engine/model_sampling.h"
#include "tools/flags.h"

namespace cistern::tools {
namespace {

using sample::SamplerOptions;

struct FloatRow {
  const char* name;
  float SamplerOptions::* value;
  const char* description;
};
constexpr std::array kFloats = {
    FloatRow{"--temp", &SamplerOptions::temperature,
             "Temperature; 0: always the likeliest token [0.8; of the guide 0]"},
    FloatRow{"--top-p", &SamplerOptions::top_p,
             "Keep the likeliest tokens up to this probability together; 1: off [0.95]"},
    FloatRow{"--min-p", &SamplerOptions::min_p,
             "Keep tokens at least so likely in relation to the likeliest; 0: off [0.05]"},
    FloatRow{"--typical", &SamplerOptions::typical_p,
             "Keep the tokens whose surprise is most typical up to this probability; 1: off [1]"},
    FloatRow{"--repeat-penalty", &SamplerOptions::repetition_penalty,
             "Divide the logits of tokens that were there; 1: off [1]"},
    FloatRow{"--presence-penalty", &SamplerOptions::presence_penalty,
             "Subtract from the logits of tokens that were there; 0: off [0]"},
    FloatRow{"--frequency-penalty", &SamplerOptions::frequency_penalty,
             "Subtract for every time that a token was there; 0: off [0]"},
    FloatRow{"--dry-multiplier", &SamplerOptions::dry_multiplier,
             "Strength of DRY, which penalizes repeated sequences; 0: off [0]"},
    FloatRow{"--dry-base", &SamplerOptions::dry_base, "DRY: growth per repeated token [1.75]"},
    FloatRow{"--xtc-probability", &SamplerOptions::xtc_probability,
             "Chance to exclude the top choices of a token; 0: off [0]"},
    FloatRow{"--xtc-threshold", &SamplerOptions::xtc_threshold,
             "XTC: probability that makes a top choice [0.1]"},
    FloatRow{"--mirostat-tau", &SamplerOptions::mirostat_tau, "Mirostat: target surprise in bits [5]"},
    FloatRow{"--mirostat-eta", &SamplerOptions::mirostat_eta, "Mirostat: learning rate [0.1]"},
};

struct CountRow {
  const char* name;
  std::uint32_t SamplerOptions::* value;
  const char* description;
};
constexpr std::array kCounts = {
    CountRow{"--top-k", &SamplerOptions::top_k, "Keep the k likeliest tokens; 0: off [40]"},
    CountRow{"--penalty-window", &SamplerOptions::penalty_window,
             "Tokens that the penalties look back at [64]"},
    CountRow{"--dry-allowed-length", &SamplerOptions::dry_allowed_length,
             "DRY: repeated tokens that are free [2]"},
    CountRow{"--dry-window", &SamplerOptions::dry_window, "DRY: tokens to look back at; 0: all [0]"},
};

constexpr std::array kDryBreakers = {"\n", ":", "\"", "*"};

CLI::Validator non_negative() {
  const auto check = [](const std::string& text) {
    return text.starts_with('-') ? std::string("must not be negative") : std::string();
  };
  return {check, ""};
}

Result<std::pair<text::TokenId, float>> parse_bias(const std::string& text) {
  const std::size_t equals = text.find('=');
  text::TokenId id = 0;
  if (equals != std::string::npos) {
    const char* end = text.data() + equals;
    const auto parsed = std::from_chars(text.data(), end, id);
    float amount = 0;
    const char* amount_end = text.data() + text.size();
    const char* amount_begin = end + (end + 1 < amount_end && end[1] == '+' ? 2 : 1);
    const auto parsed_amount = std::from_chars(amount_begin, amount_end, amount);
    if (parsed.ec == std::errc() && parsed.ptr == end && parsed_amount.ec == std::errc() &&
        parsed_amount.ptr == amount_end) {
      return std::pair{id, amount};
    }
  }
  return fail(ErrorCode::kUsage, fmt::format("'{}' is no bias; write ID=AMOUNT, e.g. 42=-5 or 42=-inf", text),
              "--logit-bias");
}

// Every token whose text holds a breaker ends a repetition.
std::vector<std::vector<text::TokenId>> breaker_tokens(const std::vector<std::string>& breakers,
                                                       const text::Tokenizer& tokenizer) {
  std::vector<std::vector<text::TokenId>> sequences;
  for (text::TokenId id = 0; id < tokenizer.size(); ++id) {
    const std::string_view piece = tokenizer.rendering().text(id);
    for (const std::string& breaker : breakers) {
      if (!breaker.empty() && piece.find(breaker) != std::string_view::npos) {
        sequences.push_back({id});
        break;
      }
    }
  }
  return sequences;
}

}  // namespace

void add_sampling_flags(CLI::App& app, SamplingFlags& flags) {
  constexpr const char* kGroup = "Sampling";
  for (const FloatRow& row : kFloats) {
    app.add_option_function<float>(
           row.name,
           [&flags, row](const float& value) {
             flags.given.emplace_back([row, value](SamplerOptions& options) { options.*row.value = value; });
           },
           row.description)
        ->type_name("X")
        ->group(kGroup);
  }
  for (const CountRow& row : kCounts) {
    app.add_option_function<std::uint32_t>(
           row.name,
           [&flags, row](const std::uint32_t& value) {
             flags.given.emplace_back([row, value](SamplerOptions& options) { options.*row.value = value; });
           },
           row.description)
        ->type_name("N")
        ->group(kGroup);
  }
  app.add_flag_callback(
         "--mirostat",
         [&flags] { flags.given.emplace_back([](SamplerOptions& options) { options.mirostat = true; }); },
         "Mirostat 2.0 instead of top-k, typical, top-p, min-p and XTC")
      ->group(kGroup);
  app.add_option("--dry-breaker", flags.dry_breakers,
                 "DRY: text that ends a repetition; may be repeated [newline : \" *]")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(kGroup);
  app.add_option("--logit-bias", flags.logit_bias, "Add AMOUNT to the logit of token ID; may be repeated")
      ->type_name("ID=AMOUNT")
      ->allow_extra_args(false)
      ->group(kGroup);
  app.add_option_function<std::uint64_t>(
         "--seed", [&flags](const std::uint64_t& seed) { flags.seed = seed; },
         "Seed of the random choices: the same seed gives the same text [random]")
      ->type_name("N")
      ->check(non_negative())
      ->group(kGroup);
}

Result<SamplerOptions> sampler_options(const SamplingFlags& flags, const engine::OpenModel& model) {
  CISTERN_TRY(SamplerOptions options, engine::default_sampling(model));
  for (const auto& change : flags.given) change(options);
  for (const std::string& text : flags.logit_bias) {
    CISTERN_TRY(const auto bias, parse_bias(text));
    options.logit_bias.push_back(bias);
  }
  if (options.dry_multiplier > 0) {
    std::vector<std::string> breakers = flags.dry_breakers;
    if (breakers.empty()) breakers.assign(kDryBreakers.begin(), kDryBreakers.end());
    options.dry_breakers = breaker_tokens(breakers, *model.tokenizer);
  }
  if (flags.seed) {
    options.seed = *flags.seed;
  } else {
    CISTERN_TRY(options.seed, engine::random_seed());
  }
  CISTERN_TRY_VOID(sample::validate(options, static_cast<std::uint32_t>(model.tokenizer->size())));
  return options;
}

}  // namespace cistern::tools
