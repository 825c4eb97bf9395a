// Masks of one grammar by the place in it (Walker::key), shared by the answers that follow the grammar.
// Bounded: when it is full, it starts anew. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "sample/grammar_vocab.h"

namespace cistern::sample::grammar {

using Mask = std::shared_ptr<const TokenBits>;

class MaskCache {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20U;

  // Null: not there.
  Mask find(const std::string& key) const {
    const std::scoped_lock lock(mutex_);
    const auto found = masks_.find(key);
    return found == masks_.end() ? nullptr : found->second;
  }
  void add(const std::string& key, Mask mask) {
    const std::size_t bytes = key.size() + mask->size() * sizeof(std::uint64_t);
    const std::scoped_lock lock(mutex_);
    if (bytes_ + bytes > kMostBytes) {
      masks_.clear();
      bytes_ = 0;
    }
    if (masks_.emplace(key, std::move(mask)).second) bytes_ += bytes;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Mask> masks_;
  std::size_t bytes_ = 0;
};

}  // namespace cistern::sample::grammar
