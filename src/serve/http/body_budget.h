// How much memory the bodies of all requests may take together. A lease counts the bytes of one body and
// gives them back when it is destroyed, which may be after the server has gone. Thread-safe; a lease has one
// owner.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace cistern::serve::http {

class BodyBudget {
 public:
  explicit BodyBudget(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  std::size_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }

 private:
  friend class BodyLease;
  const std::size_t most_bytes_;
  std::atomic<std::size_t> used_bytes_ = 0;
};

class BodyLease {
 public:
  BodyLease() = default;
  explicit BodyLease(std::shared_ptr<BodyBudget> budget) : budget_(std::move(budget)) {}
  BodyLease(BodyLease&& other) noexcept
      : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  BodyLease& operator=(BodyLease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BodyLease() {
    if (budget_) budget_->used_bytes_.fetch_sub(bytes_, std::memory_order_relaxed);
  }

  // False, and nothing changes, if the budget has not so many left.
  bool grow(std::size_t bytes) {
    const std::size_t before = budget_->used_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes > budget_->most_bytes_) {
      budget_->used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
      return false;
    }
    bytes_ += bytes;
    return true;
  }

 private:
  std::shared_ptr<BodyBudget> budget_;
  std::size_t bytes_ = 0;
};

}  // namespace cistern::serve::http
