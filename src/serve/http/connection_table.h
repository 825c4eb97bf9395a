// The connections of a server that are open: to count them, to find the one that has been idle longest, to
// end them all. Connections add and remove themselves. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace cistern::serve::http {

// What others than its own strand may ask of a connection: all of it happens there, later.
class OpenConnection {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~OpenConnection() = default;
  virtual void post_stop() = 0;     // when its exchange is complete
  virtual void post_close() = 0;    // at once
  virtual void post_expired() = 0;  // looks whether its deadline has passed

  Clock::time_point deadline() const { return Clock::time_point(Clock::duration(deadline_.load())); }
  // max(): not idle.
  Clock::time_point idle_since() const { return Clock::time_point(Clock::duration(idle_since_.load())); }

 protected:
  void set_deadline(Clock::time_point time) { deadline_ = time.time_since_epoch().count(); }
  void set_idle_since(Clock::time_point time) { idle_since_ = time.time_since_epoch().count(); }

 private:
  std::atomic<Clock::rep> deadline_ = Clock::time_point::max().time_since_epoch().count();
  std::atomic<Clock::rep> idle_since_ = Clock::time_point::max().time_since_epoch().count();
};

class ConnectionTable {
 public:
  // False after refuse_new().
  bool add(const std::shared_ptr<OpenConnection>& connection);
  void remove(const OpenConnection* connection);
  void refuse_new();

  std::size_t size() const;
  void stop_all() const;
  void close_all() const;
  void expire(OpenConnection::Clock::time_point now) const;  // those whose deadline has passed
  bool close_longest_idle() const;                           // false if none is idle
  bool wait_until_empty(std::chrono::milliseconds at_most) const;

 private:
  using Chosen = std::vector<std::shared_ptr<OpenConnection>>;
  Chosen choose(const std::function<bool(const OpenConnection&)>& wanted) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable emptied_;
  std::unordered_map<const OpenConnection*, std::weak_ptr<OpenConnection>> connections_;
  bool refuses_new_ = false;
};

}  // namespace cistern::serve::http
