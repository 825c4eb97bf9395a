#include "plan/time_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plan/published.h"

namespace cistern::plan {
namespace {

const TimeModel& model() {
  static const TimeModel built_in = TimeModel::built_in();
  return built_in;
}

System system_named(std::string_view text) {
  static const Catalogue catalogue = Catalogue::built_in();
  return *catalogue.resolve(text);
}

Work dense_8b() {
  return {.file_bytes = 4.9e9,
          .dense_read_bytes = 4.6e9,
          .dense_macs = 7.5e9,
          .layers = 32,
          .kv_bytes = 8e6,
          .attention_macs = 17e6,
          .prompt_attention_macs = 67e6};
}

Work experts_120b() {
  return {.file_bytes = 63e9,
          .dense_read_bytes = 1.7e9,
          .routed_read_bytes = 1.9e9,
          .routed_file_bytes = 61e9,
          .dense_macs = 1e9,
          .routed_macs = 3.6e9,
          .layers = 36,
          .weights = WeightClass::kMxfp4,
          .kv_bytes = 1e6,
          .attention_macs = 3e6,
          .prompt_attention_macs = 40e6};
}

double decode(const Work& work, const System& system, const Backend& backend = {}) {
  return model().decode(work, system, backend)->mid;
}

double prompt(const Work& work, const System& system, const Backend& backend = {}) {
  return model().prompt(work, system, backend)->mid;
}

constexpr std::string_view kMachines[] = {"RTX 4090",          "4x RTX 3090",    "A100",
                                          "RX 7900 XTX",       "Arc B580",       "M2 Ultra",
                                          "Strix Halo",        "EPYC 9654",      "2x EPYC 9654",
                                          "Ryzen 7950X",       "Raspberry Pi 5", "RTX 3090 + EPYC 9654",
                                          "Snapdragon X Elite"};

TEST(TimeModel, WhatEverybodyMeasures) {
  const double rtx = decode(dense_8b(), system_named("RTX 4090"));
  EXPECT_GT(rtx, 90);
  EXPECT_LT(rtx, 180);
  const double spark = decode(experts_120b(), system_named("DGX Spark"));
  EXPECT_GT(spark, 35);
  EXPECT_LT(spark, 75);
  const double desktop = decode(dense_8b(), system_named("Ryzen 7950X"));
  EXPECT_GT(desktop, 6);
  EXPECT_LT(desktop, 17);
}

TEST(TimeModel, TheIntervalHoldsTheMiddle) {
  for (const std::string_view name : kMachines) {
    for (const Work& work : {dense_8b(), experts_120b()}) {
      for (const Interval& speed :
           {*model().decode(work, system_named(name), {}), *model().prompt(work, system_named(name), {})}) {
        EXPECT_GT(speed.low, 0) << name;
        EXPECT_LT(speed.low, speed.mid) << name;
        EXPECT_LT(speed.mid, speed.high) << name;
        EXPECT_TRUE(std::isfinite(speed.high)) << name;
      }
    }
  }
}

TEST(TimeModel, MoreBandwidthIsNeverSlower) {
  for (const std::string_view name : kMachines) {
    for (const Work& work : {dense_8b(), experts_120b()}) {
      System system = system_named(name);
      double before_decode = 0, before_prompt = 0;
      for (int i = 0; i < 12; ++i) {
        const double now_decode = decode(work, system), now_prompt = prompt(work, system);
        EXPECT_GE(now_decode, before_decode) << name;
        EXPECT_GE(now_prompt, before_prompt) << name;
        before_decode = now_decode;
        before_prompt = now_prompt;
        for (Part& part : system.devices) {
          part.bandwidth_gbps *= 1.5;
          part.hardware.cpu_bandwidth_gbps *= 1.5;
        }
        if (system.host) system.host->bandwidth_gbps *= 1.5;
      }
    }
  }
}

TEST(TimeModel, MoreWorkIsNeverFaster) {
  constexpr double Work::* kAmounts[] = {&Work::file_bytes,        &Work::dense_read_bytes,
                                         &Work::routed_read_bytes, &Work::dense_macs,
                                         &Work::routed_macs,       &Work::layers,
                                         &Work::recurrent_layers,  &Work::kv_bytes,
                                         &Work::attention_macs,    &Work::prompt_attention_macs};
  for (const std::string_view name : kMachines) {
    const System system = system_named(name);
    for (const Work& work : {dense_8b(), experts_120b()}) {
      for (const auto amount : kAmounts) {
        Work more = work;
        more.*amount = 1.5 * (work.*amount) + 1;
        EXPECT_LE(decode(more, system), decode(work, system) * (1 + 1e-12)) << name;
        EXPECT_LE(prompt(more, system), prompt(work, system) * (1 + 1e-12)) << name;
      }
    }
  }
}

TEST(TimeModel, LayersOnSeveralDevicesAddRoomNotBandwidth) {
  EXPECT_LE(decode(dense_8b(), system_named("4x RTX 3090")), decode(dense_8b(), system_named("RTX 3090")));
  Work longer = dense_8b();
  longer.prompt_tokens = 8192;
  EXPECT_GT(prompt(longer, system_named("4x RTX 3090")), prompt(longer, system_named("RTX 3090")));
}

TEST(TimeModel, ExpertsThatDoNotFitAreLeftToTheCpu) {
  const double alone = decode(experts_120b(), system_named("EPYC 9654"));
  const double helped = decode(experts_120b(), system_named("RTX 3090 + EPYC 9654"));
  const double inside = decode(experts_120b(), system_named("4x RTX 3090 + EPYC 9654"));
  EXPECT_GT(helped, alone);
  EXPECT_GT(inside, helped);
  // Without a CPU beside it, a GPU pages over its link.
  EXPECT_LT(decode(experts_120b(), system_named("RTX 3090")), inside / 3);
}

TEST(TimeModel, NothingToComputeWithOrNothingToDoIsRefused) {
  EXPECT_FALSE(model().decode(dense_8b(), System{}, {}));
  EXPECT_FALSE(model().decode(Work{}, system_named("RTX 4090"), {}));
}

TEST(TimeModel, TablesAreChecked) {
  EXPECT_FALSE(TimeModel::parse("name,value\na,x\n", "t.csv"));
  EXPECT_FALSE(TimeModel::parse("name\na\n", "t.csv"));
  EXPECT_FALSE(TimeModel::parse("name,value\na,1e9\n", "t.csv"));
  const auto one = TimeModel::parse("name,value\ndecode.weights,0.5\n", "t.csv");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->parameter("decode.weights"), 0.5);
  EXPECT_EQ(one->parameter("nothing"), 0);
  EXPECT_NEAR(one->seconds({{.seconds = 2, .factors = {{.parameter = "decode.weights", .weight = 2}}}}),
              2 * std::exp(1.0), 1e-9);
}

TEST(TimeModel, BackendsByName) {
  struct Named {
    std::string_view text;
    Runtime runtime;
    Interface interface;
  };
  constexpr Named kNamed[] = {
      {"llama.cpp CUDA", Runtime::kLlamaCpp, Interface::kCuda},
      {"llama.cpp ROCm", Runtime::kLlamaCpp, Interface::kRocm},
      {"llama.cpp Vulkan", Runtime::kLlamaCpp, Interface::kVulkan},
      {"llama.cpp Metal", Runtime::kLlamaCpp, Interface::kMetal},
      {"llama.cpp CPU", Runtime::kLlamaCpp, Interface::kCpu},
      {"llama.cpp CUDA UVM", Runtime::kLlamaCpp, Interface::kCuda},
      {"ik_llama.cpp CPU", Runtime::kIkLlama, Interface::kCpu},
      {"ik_llama.cpp CUDA+CPU hybrid", Runtime::kIkLlama, Interface::kAutomatic},
      {"llamafile (LocalScore)", Runtime::kLlamafile, Interface::kAutomatic},
      {"ollama/llama.cpp", Runtime::kOllama, Interface::kAutomatic},
      {"MLX (rapid-mlx)", Runtime::kMlx, Interface::kMetal},
      {"exllamav3 1.0", Runtime::kExllama, Interface::kCuda},
      {"ktransformers hybrid", Runtime::kKtransformers, Interface::kAutomatic},
      {"something else", Runtime::kLlamaCpp, Interface::kAutomatic},
  };
  for (const Named& named : kNamed) {
    EXPECT_EQ(backend_of(named.text).runtime, named.runtime) << named.text;
    EXPECT_EQ(backend_of(named.text).interface, named.interface) << named.text;
  }
}

TEST(TimeModel, ClassesOfWeightsByName) {
  struct Named {
    std::string_view text;
    WeightClass weights;
  };
  constexpr Named kNamed[] = {
      {"F16", WeightClass::kFloat16},
      {"BF16", WeightClass::kBfloat16},
      {"Q8_K_XL", WeightClass::kQ8},
      {"Q4_K_M", WeightClass::kK},
      {"UD-Q2_K_XL", WeightClass::kK},
      {"Q4_0", WeightClass::kBlock4},
      {"IQ4_NL - 4.5 bpw", WeightClass::kBlock4},
      {"4bit", WeightClass::kBlock4},
      {"8bit", WeightClass::kQ8},
      {"IQ2_XXS - 2.0625 bpw", WeightClass::kTable},
      {"IQ2_K_R4", WeightClass::kIk},
      {"IQ6_K", WeightClass::kIk},
      {"IQ2_XS_R4", WeightClass::kIk},
      {"MXFP4", WeightClass::kMxfp4},
      {"?", WeightClass::kBlock4},
  };
  for (const Named& named : kNamed) EXPECT_EQ(weight_class_of(named.text), named.weights) << named.text;
}

}  // namespace
}  // namespace cistern::plan
