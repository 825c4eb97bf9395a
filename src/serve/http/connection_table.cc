#include "serve/http/connection_table.h"

#include <utility>

namespace cistern::serve::http {

bool ConnectionTable::add(const std::shared_ptr<OpenConnection>& connection) {
  const std::scoped_lock lock(mutex_);
  if (refuses_new_) return false;
  connections_.emplace(connection.get(), connection);
  return true;
}

void ConnectionTable::remove(const OpenConnection* connection) {
  const std::scoped_lock lock(mutex_);
  connections_.erase(connection);
  if (connections_.empty()) emptied_.notify_all();
}

void ConnectionTable::refuse_new() {
  const std::scoped_lock lock(mutex_);
  refuses_new_ = true;
}

std::size_t ConnectionTable::size() const {
  const std::scoped_lock lock(mutex_);
  return connections_.size();
}

// Called without the lock: a connection that the choice was the last to hold removes itself, which takes it.
ConnectionTable::Chosen ConnectionTable::choose(
    const std::function<bool(const OpenConnection&)>& wanted) const {
  Chosen chosen;
  const std::scoped_lock lock(mutex_);
  for (const auto& [pointer, weak] : connections_) {
    if (!wanted(*pointer)) continue;
    if (auto connection = weak.lock()) chosen.push_back(std::move(connection));
  }
  return chosen;
}

void ConnectionTable::stop_all() const {
  for (const auto& connection : choose([](const OpenConnection&) { return true; })) connection->post_stop();
}

void ConnectionTable::close_all() const {
  for (const auto& connection : choose([](const OpenConnection&) { return true; })) connection->post_close();
}

void ConnectionTable::expire(OpenConnection::Clock::time_point now) const {
  const auto has_expired = [now](const OpenConnection& connection) { return connection.deadline() <= now; };
  for (const auto& connection : choose(has_expired)) connection->post_expired();
}

bool ConnectionTable::close_longest_idle() const {
  std::shared_ptr<OpenConnection> longest;
  {
    auto since = OpenConnection::Clock::time_point::max();
    const std::weak_ptr<OpenConnection>* found = nullptr;
    const std::scoped_lock lock(mutex_);
    for (const auto& [pointer, weak] : connections_) {
      if (pointer->idle_since() >= since) continue;
      since = pointer->idle_since();
      found = &weak;
    }
    if (found != nullptr) longest = found->lock();
  }
  if (!longest) return false;
  longest->post_close();
  return true;
}

bool ConnectionTable::wait_until_empty(std::chrono::milliseconds at_most) const {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, at_most, [this] { return connections_.empty(); });
}

}  // namespace cistern::serve::http
