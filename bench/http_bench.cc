// What the HTTP server costs by itself: requests and streams per second of trivial handlers, without and
// beside thousands of idle connections, and the memory of an idle connection. Clients are a process of their
// own, so that the memory is the server's.
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/server.h"
#include "serve/http/sse.h"
#include "sys/memory_limits.h"
#include "sys/open_files.h"

namespace {

using namespace cistern::serve::http;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kStreamRequest = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kOpenRequest = "GET /open HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr int kStreamEvents = 100;

// Streams that never end: idle, for a client that waits for a slow model.
std::vector<std::shared_ptr<Exchange>>& open_streams() {
  static std::vector<std::shared_ptr<Exchange>> streams;
  return streams;
}

void answer(const std::shared_ptr<Exchange>& exchange) {
  const std::string& path = exchange->request().path;
  if (path == "/open") {
    exchange->begin_stream(sse_head());
    open_streams().push_back(exchange);
  } else if (path == "/stream") {
    exchange->begin_stream(sse_head());
    for (int i = 0; i < kStreamEvents; ++i) exchange->write(sse_event("a token of the answer"));
    exchange->end_stream();
  } else {
    exchange->respond({.body = R"({"status":"ok"})"});
  }
}

std::unique_ptr<Server> start_server() {
  ServerOptions options{.port = 0, .threads = 1};
  options.limits.idle_time = options.limits.sse_silence = std::chrono::hours(1);
  auto server = Server::start(std::move(options), answer);
  return server ? std::move(*server) : nullptr;
}

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
  return socket;
}

// Reads until `end` has come.
bool read_until(int socket, std::string_view end) {
  std::string received;
  char bytes[65536];
  while (!received.ends_with(end)) {
    const ssize_t count = read(socket, bytes, sizeof bytes);
    if (count <= 0) return false;
    received.append(bytes, static_cast<std::size_t>(count));
  }
  return true;
}

bool ask(int socket, std::string_view request, std::string_view end) {
  return write(socket, request.data(), request.size()) == static_cast<ssize_t>(request.size()) &&
         read_until(socket, end);
}

// Connections of another process that have had one answer each and now say nothing.
class IdleClients {
 public:
  IdleClients(std::uint16_t port, std::int64_t count, bool streams) {
    int ready[2];
    if (pipe(ready) != 0) return;
    process_ = fork();
    if (process_ == 0) {
      for (std::int64_t i = 0; i < count; ++i) {
        const int socket = connect_to(port);
        if (socket < 0 || !(streams ? ask(socket, kOpenRequest, "\r\n\r\n") : ask(socket, kRequest, "}")))
          _exit(1);
      }
      if (write(ready[1], "x", 1) != 1) _exit(1);
      for (;;) pause();
    }
    close(ready[1]);
    char byte = 0;
    complete_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
  }
  ~IdleClients() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  IdleClients(const IdleClients&) = delete;
  IdleClients& operator=(const IdleClients&) = delete;
  bool complete() const { return complete_; }

 private:
  pid_t process_ = -1;
  bool complete_ = false;
};

// First, and one at a time (--benchmark_filter): memory that was free before does not count.
void memory_of_idle_connections(benchmark::State& state) {
  cistern::sys::raise_open_files_limit();
  for (auto _ : state) {
    const auto server = start_server();
    const std::uint64_t before = cistern::sys::current_rss_bytes();
    const IdleClients idle(server->port(), state.range(0), state.range(1) != 0);
    if (!idle.complete()) return state.SkipWithError("the idle connections could not be made");
    const std::uint64_t grown = cistern::sys::current_rss_bytes() - before;
    state.counters["all_mb"] = static_cast<double>(grown) / 1e6;
    state.counters["each_bytes"] = static_cast<double>(grown) / static_cast<double>(state.range(0));
    open_streams().clear();
  }
}
BENCHMARK(memory_of_idle_connections)
    ->ArgNames({"idle", "streams"})
    ->Args({5000, 0})
    ->Args({5000, 1})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void requests(benchmark::State& state) {
  cistern::sys::raise_open_files_limit();
  const auto server = start_server();
  const IdleClients idle(server->port(), state.range(0), state.range(1) != 0);
  if (!idle.complete()) return state.SkipWithError("the idle connections could not be made");
  const int socket = connect_to(server->port());
  for (auto _ : state) {
    if (!ask(socket, kRequest, "}")) return state.SkipWithError("no answer");
  }
  state.SetItemsProcessed(state.iterations());
  close(socket);
  open_streams().clear();
}
BENCHMARK(requests)
    ->ArgNames({"idle", "streams"})
    ->Args({0, 0})
    ->Args({5000, 0})
    ->Args({5000, 1})
    ->UseRealTime();

void streams_of_100_events(benchmark::State& state) {
  const auto server = start_server();
  const int socket = connect_to(server->port());
  for (auto _ : state) {
    if (!ask(socket, kStreamRequest, "\r\n0\r\n\r\n")) return state.SkipWithError("no answer");
  }
  state.SetItemsProcessed(state.iterations() * kStreamEvents);
  close(socket);
}
BENCHMARK(streams_of_100_events)->UseRealTime();

}  // namespace
