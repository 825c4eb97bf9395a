// Metrics as Prometheus reads them: the text format 0.0.4, counters, gauges and histograms with labels. The
// text is made anew for every scrape. Histogram is thread-safe; MetricsText is for one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cistern::serve {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

// How many values were at most as large as each of some bounds.
class Histogram {
 public:
  // `bounds` ascend and live as long as this does: constants.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}

  void observe(double value);

  std::span<const double> bounds() const { return bounds_; }
  std::uint64_t count_in(std::size_t bucket) const {
    return counts_[bucket];
  }  // the last is beyond all bounds
  double sum() const { return sum_; }

  static constexpr std::size_t kMostBounds = 20;

 private:
  std::span<const double> bounds_;
  std::array<std::atomic<std::uint64_t>, kMostBounds + 1> counts_{};
  std::atomic<double> sum_ = 0;
};

class MetricsText {
 public:
  // What the samples that follow are of. `type`: "counter", "gauge" or "histogram".
  void family(std::string_view name, std::string_view type, std::string_view help);
  void sample(double value, const Labels& labels = {});
  void samples(const Histogram& histogram, const Labels& labels = {});

  const std::string& text() const { return text_; }

 private:
  void line(std::string_view suffix, const Labels& labels, double value);

  std::string name_;
  std::string text_;
};

}  // namespace cistern::serve
