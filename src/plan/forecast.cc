#include "plan/forecast.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cistern::plan {
namespace {

// How much of two times that overlap is hidden: (a^n + b^n)^(1/n). 1: nothing is, infinity: all of the
// lesser.
constexpr double kMemoryNorm = 3.0;  // reading weights and unpacking them, in the same loop
constexpr double kDiskNorm = 1.5;    // the disk and computing, which both want processors
// Of the peak of bfloat16 products: what attention over many keys reaches, with its softmax.
constexpr double kAttentionShare = 0.45;
// Of the bandwidth that the best loop over one block of memory gets: what products get, which read
// activations, write results and change from tensor to tensor.
constexpr double kReadShare = 0.87;
// And what reading keys and values for one token gets.
constexpr double kCacheShare = 0.65;
// Operations that wait for all threads, per tensor that is multiplied with, and what they take beyond that:
// norms, rotations, activations on one thread.
constexpr double kDispatchesPerTensor = 1.5;
constexpr double kSecondsPerValue = 0.35e-9;  // of the residual stream, per tensor multiplied with
// Loading: what is in the page cache is mapped, page by page.
constexpr double kMapBytesPerSecond = 45e9;
// Memory that some program has usually given back a moment ago, and that is handed out at once.
constexpr double kFreedBytes = 192.0 * (1U << 20U);
// Of the disk's speed at many requests: what reading a mapped file through the page cache gets.
constexpr double kMappedDiskShare = 0.85;
constexpr double kLoadSeconds = 0.002;
// The tokenizer's tables, per token of the vocabulary; what they cost beyond that as they outgrow the caches.
constexpr double kSecondsPerToken = 0.15e-6;
constexpr double kSecondsPerTokenSquared = 1.5e-12;

// Half widths of intervals of nine in ten, as logarithms, on a machine that is left alone.
constexpr double kDecodeWidth = 0.20;
constexpr double kPrefillWidth = 0.20;
constexpr double kLoadWidth = 0.60;
constexpr double kPeakWidth = 0.04;
constexpr double kNineOfTen = 1.645;  // standard deviations

// What takes so long is no forecast.
constexpr double kUnknown = std::numeric_limits<double>::infinity();

double joined(double a, double b, double norm) {
  return std::pow(std::pow(a, norm) + std::pow(b, norm), 1 / norm);
}

double seconds_for(double amount, double per_second) {
  return amount <= 0 || per_second <= 0 ? 0 : amount / per_second;
}

Interval around(double mid, double width) {
  return {.low = mid * std::exp(-width), .mid = mid, .high = mid * std::exp(width)};
}

class Forecaster {
 public:
  Forecaster(const spec::ModelSpec& model, const file::Inventory& inventory, const MemoryPlan& plan,
             std::uint32_t sequences, const MachineSpeed& speed)
      : model_(model), inventory_(inventory), plan_(plan), sequences_(sequences), speed_(speed) {}

  // Tokens per second of all sequences together.
  double decode_rate(std::uint32_t depth) const {
    const StepShape step{.depth = depth, .sequences = sequences_};
    return sequences_ / with_disk(computing_seconds(step), disk_bytes(sequences_));
  }

  double prompt_seconds(const ForecastQuestion& question) const {
    double sum = 0;
    const std::uint32_t chunk = std::max(1U, plan_.compute.chunk_tokens);
    for (std::uint32_t done = 0; done < question.prompt_tokens;) {
      const std::uint32_t tokens = std::min(chunk, question.prompt_tokens - done);
      const StepShape step{.depth = question.depth + done, .tokens = tokens};
      sum += with_disk(computing_seconds(step), disk_bytes(tokens));
      done += tokens;
    }
    return sum;
  }

  // The least that a decoding step needs of each resource.
  double limit_seconds(std::uint32_t depth, Limit& limit) const {
    const StepShape step{.depth = depth, .sequences = sequences_};
    double bytes = 0, macs_s = 0;
    for (const WeightWork& w : weight_work_of(model_, inventory_, step)) {
      bytes += w.bytes;
      macs_s += seconds_for(w.macs, products_of(w.dtype).prefill_macs_per_s);
    }
    bytes += static_cast<double>(cache_work_of(model_, plan_.cache, step).bytes);
    const double memory_s = seconds_for(bytes, speed_.read_bytes_per_s);
    const double disk_s = seconds_for(disk_bytes(sequences_), speed_.disk_bytes_per_s);
    limit = disk_s > std::max(memory_s, macs_s) ? Limit::kDisk
            : macs_s > memory_s                 ? Limit::kArithmetic
                                                : Limit::kMemory;
    return std::max({memory_s, macs_s, disk_s});
  }

 private:
  const ops::ProductSpeed& products_of(DType dtype) const {
    return speed_.products[static_cast<std::size_t>(dtype)];
  }

  // A matrix of which `w.bytes` are read and multiplied with w.macs / w.values tokens each. Unpacking takes
  // the same for any number of tokens; what multiplying takes beyond it follows from the two measurements.
  double product_seconds(const WeightWork& w) const {
    const double reading = seconds_for(w.bytes, kReadShare * speed_.read_bytes_per_s);
    if (w.macs <= 0) return reading;
    const ops::ProductSpeed& products = products_of(w.dtype);
    const double unpacking = seconds_for(w.bytes, products.decode_bytes_per_s);
    const double unpacking_per_mac = unpacking / w.values / ops::kProbeTokens;
    const double per_mac = seconds_for(1, products.prefill_macs_per_s);
    const double multiplying = w.macs * std::max(per_mac - unpacking_per_mac, per_mac / 2);
    const double tokens = w.macs / w.values;
    return tokens <= 1 ? joined(reading, unpacking, kMemoryNorm)
                       : joined(reading, unpacking + multiplying * (1 - 1 / tokens), kMemoryNorm);
  }

  double computing_seconds(const StepShape& step) const {
    double seconds = 0, products = 0;
    for (const WeightWork& w : weight_work_of(model_, inventory_, step)) {
      seconds += product_seconds(w);
      products += w.macs > 0 ? 1 : 0;
    }
    const CacheWork cache = cache_work_of(model_, plan_.cache, step);
    const bool in_floats = plan_.cache.type == DType::kF32 || speed_.bf16_macs_per_s <= 0;
    const double peak = in_floats ? speed_.float_macs_per_s : speed_.bf16_macs_per_s;
    seconds += joined(
        seconds_for(static_cast<double>(cache.bytes), kCacheShare * speed_.read_bytes_per_s),
        seconds_for(static_cast<double>(cache.macs), kAttentionShare * peak) +
            seconds_for(static_cast<double>(cache.index_macs), kAttentionShare * speed_.float_macs_per_s),
        kMemoryNorm);
    const double tokens = static_cast<double>(step.tokens) * step.sequences;
    const double per_token = tokens / (tokens > 4 ? std::max(1, plan_.compute.threads) : 1);
    return seconds + products * (kDispatchesPerTensor * speed_.dispatch_s +
                                 kSecondsPerValue * static_cast<double>(model_.dim) * per_token);
  }

  // Read from disk by a step of so many tokens. Experts of a prompt go through the cache once, layer by
  // layer, and find nothing of the last step's.
  double disk_bytes(std::uint32_t tokens) const {
    if (!plan_.streaming) return 0;
    const auto per_token = static_cast<double>(plan_.streaming->token_bytes);
    if (tokens <= 1) return per_token;
    const file::Placement& placement = plan_.streaming->placement;
    double sum = 0;
    for (const auto& layer : placement.streamed)
      for (const std::size_t i : layer) sum += static_cast<double>(inventory_.tensors()[i].size_bytes);
    double experts = 0;
    for (const file::CachedStack& stack : placement.cached) {
      const double used = stack.used / static_cast<double>(file::slices_of(inventory_, stack));
      experts += static_cast<double>(inventory_.tensors()[stack.tensor].size_bytes) *
                 (1 - std::pow(1 - std::min(1.0, used), tokens));
    }
    return sum + std::min(experts, per_token * tokens);
  }

  double with_disk(double computing_s, double bytes) const {
    if (bytes > 0 && speed_.disk_bytes_per_s <= 0) return kUnknown;
    return joined(computing_s, seconds_for(bytes, speed_.disk_bytes_per_s), kDiskNorm);
  }

  const spec::ModelSpec& model_;
  const file::Inventory& inventory_;
  const MemoryPlan& plan_;
  std::uint32_t sequences_;
  const MachineSpeed& speed_;
};

double load_seconds(const spec::ModelSpec& model, const file::Inventory& inventory, const MemoryPlan& plan,
                    const MachineSpeed& speed, const ForecastQuestion& question) {
  const auto bytes =
      static_cast<double>(plan.streaming ? plan.streaming->resident_bytes : inventory.tensor_bytes());
  const double cached = plan.streaming ? 0 : std::clamp(question.cached_share, 0.0, 1.0);
  const double reserved = plan.reserved ? static_cast<double>(plan.kv_bytes + plan.buffer_bytes) : 0;
  const double tokens = model.n_vocab;
  return kLoadSeconds + kSecondsPerToken * tokens + kSecondsPerTokenSquared * tokens * tokens +
         bytes * cached / kMapBytesPerSecond +
         seconds_for(std::min(reserved, kFreedBytes), speed.commit_bytes_per_s) +
         seconds_for(std::max(0.0, reserved - kFreedBytes), speed.slow_commit_bytes_per_s) +
         seconds_for(bytes * (1 - cached), (plan.streaming ? 1 : kMappedDiskShare) * speed.disk_bytes_per_s);
}

}  // namespace

std::string_view name_of(Limit limit) {
  switch (limit) {
    case Limit::kMemory:
      return "memory";
    case Limit::kArithmetic:
      return "arithmetic";
    case Limit::kDisk:
      return "disk";
  }
  return "";
}

Forecast forecast(const spec::ModelSpec& model, const file::Inventory& inventory, const MemoryPlan& plan,
                  std::uint32_t sequences, const MachineSpeed& speed, const ForecastQuestion& question) {
  const Forecaster forecaster(model, inventory, plan, sequences, speed);
  const double spread = kNineOfTen * speed.read_spread;
  const double decode_width = std::hypot(kDecodeWidth, spread);
  const double prefill_width = std::hypot(kPrefillWidth, spread / 2);
  const std::uint32_t last = plan.cache.context_tokens > 0 ? plan.cache.context_tokens - 1 : 0;
  const double prompt_s = forecaster.prompt_seconds(question);
  const bool knows_disk = speed.disk_bytes_per_s > 0;
  Forecast f;
  if (knows_disk || (!plan.streaming && question.cached_share >= 1))
    f.load_s = around(load_seconds(model, inventory, plan, speed, question), kLoadWidth);
  // Unless all memory is taken while loading, that of the cache is as it fills: at the least by the prompt,
  // at the most by the whole context.
  const auto peak_at = [&](double tokens) {
    return static_cast<double>(plan.total_bytes()) -
           static_cast<double>(plan.kv_bytes) * (1 - std::min(1.0, tokens / (last + 1.0)));
  };
  if (plan.reserved) {
    f.peak_bytes = around(static_cast<double>(plan.total_bytes()), kPeakWidth);
  } else if (question.filled_tokens > 0) {
    f.peak_bytes = around(peak_at(question.filled_tokens), kPeakWidth);
  } else {
    const double least = std::min<double>(question.depth + question.prompt_tokens, last + 1.0);
    f.peak_bytes = {.low = peak_at(least) * std::exp(-kPeakWidth),
                    .mid = peak_at((least + last + 1.0) / 2),
                    .high = peak_at(last + 1.0) * std::exp(kPeakWidth)};
  }
  if (speed.read_bytes_per_s <= 0 || (plan.streaming && !knows_disk)) return f;
  if (prompt_s > 0) {
    f.first_token_s = around(prompt_s, prefill_width);
    f.prefill_tok_s = around(question.prompt_tokens / prompt_s, prefill_width);
  }
  if (!model.causal) return f;  // an encoder sees a text at once
  f.decode_tok_s = around(forecaster.decode_rate(std::min(question.decode_depth, last)), decode_width);
  f.decode_half_tok_s = around(forecaster.decode_rate(last / 2), decode_width);
  f.decode_full_tok_s = around(forecaster.decode_rate(last), decode_width);
  f.limit_tok_s = sequences / forecaster.limit_seconds(std::min(question.decode_depth, last), f.limited_by);
  return f;
}

}  // namespace cistern::plan
