// How fast many clients are served: in this process by an engine::Service (--model FILE), or over HTTP by a
// `cistern serve` that is running (--port N); the difference is what the server costs. Every client sends one
// request after the other, greedy, past end tokens, and reads its stream. Prints one JSON object.
//   serving --model A.gguf --clients 16 --requests 64 --prompt 128 --tokens 100
//   serving --port 8080 ... --idle 5000     with so many connections beside that do nothing
//   serving ... --shared 2000               every prompt begins with the same tokens, so many
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "base/rng.h"
#include "engine/service.h"
#include "sys/clock.h"

namespace cistern {
namespace {

namespace json = boost::json;
using Ids = std::vector<text::TokenId>;

struct Options {
  std::string model;  // of a service in this process
  std::uint16_t port = 0;
  std::uint32_t clients = 16, requests = 64, prompt = 128, tokens = 100, shared = 0, idle = 0, parallel = 0;
  std::uint32_t vocabulary = 30000;  // ids of prompts are below it
};

struct Outcome {
  double sent_s = 0, first_s = 0, end_s = 0;
  std::uint32_t tokens = 0;
  std::string error;
};

Ids prompt_of(const Options& options, std::uint32_t request) {
  Ids ids;
  Rng shared(1);
  for (std::uint32_t i = 0; i < options.shared; ++i)
    ids.push_back(static_cast<text::TokenId>(shared.next() % options.vocabulary));
  Rng own(100 + request);
  for (std::uint32_t i = 0; i < options.prompt; ++i)
    ids.push_back(static_cast<text::TokenId>(own.next() % options.vocabulary));
  return ids;
}

// Ends of requests, told by the service's thread.
struct Ends {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint32_t n = 0;
};

class Timed final : public engine::Listener {
 public:
  Timed(Outcome& outcome, Ends& ends) : outcome_(outcome), ends_(ends) {}
  void on_prompt(std::uint32_t, std::uint32_t) override {}
  void on_token(const engine::ServedToken&) override {
    if (outcome_.tokens++ == 0) outcome_.first_s = sys::steady_seconds();
  }
  void on_end(const engine::ServedEnd&) override { finish(); }
  void on_error(const Error& error) override {
    outcome_.error = describe(error);
    finish();
  }

 private:
  void finish() {
    outcome_.end_s = sys::steady_seconds();
    {
      const std::lock_guard lock(ends_.mutex);
      ++ends_.n;
    }
    ends_.changed.notify_one();
  }
  Outcome& outcome_;
  Ends& ends_;
};

json::object counts_of(const engine::ServiceState& state) {
  return {{"prompt_tokens", state.prompt_tokens},
          {"reused_tokens", state.reused_tokens},
          {"generated_tokens", state.generated_tokens},
          {"steps", state.steps},
          {"busy_s", state.busy_s},
          {"pages_used", state.pages_used},
          {"pages_cached", state.pages_cached}};
}

Result<json::object> run_here(const Options& options, std::vector<Outcome>& outcomes) {
  CISTERN_TRY(engine::OpenModel model, engine::open_model({.model = options.model}));
  engine::LoadOptions load;
  load.context_tokens = options.shared + options.prompt + options.tokens + 64;
  const std::uint32_t running = options.parallel > 0 ? options.parallel : options.clients;
  CISTERN_TRY(const auto service,
              engine::Service::start(std::move(model), load, {.max_running = running, .max_queued = 1000}));
  Ends ends;
  std::uint32_t next = 0;
  const auto send = [&]() -> Result<void> {
    Outcome& outcome = outcomes[next];
    engine::Request request{.prompt = prompt_of(options, next++), .max_tokens = options.tokens};
    request.sampling.temperature = 0;
    request.ignore_end = true;
    outcome.sent_s = sys::steady_seconds();
    CISTERN_TRY_VOID(
        service->submit({.request = std::move(request)}, std::make_shared<Timed>(outcome, ends)));
    return {};
  };
  while (next < std::min(options.clients, options.requests)) CISTERN_TRY_VOID(send());
  for (std::uint32_t seen = 0; seen < options.requests;) {
    std::uint32_t now = 0;
    {
      std::unique_lock lock(ends.mutex);
      ends.changed.wait(lock, [&] { return ends.n > seen; });
      now = ends.n;
    }
    for (; seen < now; ++seen) {
      if (next < options.requests) CISTERN_TRY_VOID(send());
    }
  }
  return counts_of(service->state());
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

// One client: its connection, and how far its answer has come.
struct Client {
  int fd = -1;
  Outcome* outcome = nullptr;
  std::string received;  // the part of the stream that is not looked through yet
};

void send_request(const Options& options, std::uint32_t index, Client& client, Outcome& outcome) {
  json::array prompt;
  for (const text::TokenId id : prompt_of(options, index)) prompt.push_back(id);
  const std::string body = json::serialize(json::object{{"prompt", std::move(prompt)},
                                                        {"max_tokens", options.tokens},
                                                        {"stream", true},
                                                        {"temperature", 0},
                                                        {"ignore_eos", true}});
  const std::string request = fmt::format(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n{}",
      body.size(), body);
  client.outcome = &outcome;
  outcome.sent_s = sys::steady_seconds();
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t n = ::send(client.fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) std::exit((std::perror("send"), 1));
    sent += static_cast<std::size_t>(n);
  }
}

// Whether the answer has ended.
bool read_answer(const Options& options, Client& client) {
  char buffer[65536];
  const ssize_t n = ::recv(client.fd, buffer, sizeof buffer, 0);
  if (n <= 0) {
    client.outcome->error = "the server closed the connection: " + client.received;
    return true;
  }
  client.received.append(buffer, static_cast<std::size_t>(n));
  if (client.outcome->first_s == 0 && client.received.find("data: {") != std::string::npos)
    client.outcome->first_s = sys::steady_seconds();
  const bool done = client.received.find("data: [DONE]") != std::string::npos;
  if (!done && client.received.find("\"error\"") != std::string::npos) {
    client.outcome->error = client.received;
    return true;
  }
  if (done) {
    client.outcome->tokens = options.tokens;
    client.outcome->end_s = sys::steady_seconds();
    client.received.clear();
  } else if (client.received.size() > 4096) {
    client.received.erase(0, client.received.size() - 64);
  }
  return done;
}

void run_there(const Options& options, std::vector<Outcome>& outcomes) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<int> idle;
  for (std::uint32_t i = 0; i < options.idle; ++i) idle.push_back(connect_to(options.port));
  std::vector<Client> clients(std::min(options.clients, options.requests));
  std::uint32_t next = 0;
  for (Client& client : clients) {
    client.fd = connect_to(options.port);
    send_request(options, next, client, outcomes[next]);
    ++next;
  }
  for (std::uint32_t ended = 0; ended < options.requests;) {
    std::vector<pollfd> fds;
    for (const Client& client : clients)
      fds.push_back({.fd = client.outcome != nullptr ? client.fd : -1, .events = POLLIN, .revents = 0});
    ::poll(fds.data(), fds.size(), 1000);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || !read_answer(options, clients[i])) continue;
      ++ended;
      if (!clients[i].outcome->error.empty()) {
        ::close(clients[i].fd);
        clients[i] = {.fd = connect_to(options.port)};
      }
      clients[i].outcome = nullptr;
      if (next < options.requests) {
        send_request(options, next, clients[i], outcomes[next]);
        ++next;
      }
    }
  }
  for (const Client& client : clients) ::close(client.fd);
  for (const int fd : idle) ::close(fd);
}

double at_share(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

json::object summary(const Options& options, const std::vector<Outcome>& outcomes) {
  double begin = outcomes[0].sent_s, end = 0;
  std::uint64_t tokens = 0;
  std::uint32_t failed = 0;
  std::vector<double> first, later;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& o = outcomes[i];
    begin = std::min(begin, o.sent_s);
    end = std::max(end, o.end_s);
    tokens += o.tokens;
    if (!o.error.empty()) {
      if (failed++ == 0) std::fprintf(stderr, "%s\n", o.error.c_str());
      continue;
    }
    first.push_back(o.first_s - o.sent_s);
    // Once all clients are at work.
    if (i >= options.clients) later.push_back(o.first_s - o.sent_s);
  }
  return {{"requests", outcomes.size()},
          {"failed", failed},
          {"seconds", end - begin},
          {"tok_s", static_cast<double>(tokens) / (end - begin)},
          {"first_token_s", {{"median", at_share(first, 0.5)}, {"p90", at_share(first, 0.9)}}},
          {"first_token_under_load_s", {{"median", at_share(later, 0.5)}, {"p90", at_share(later, 0.9)}}}};
}

Options parse(int argc, char** argv) {
  Options options;
  const std::vector<std::pair<std::string_view, std::uint32_t*>> numbers = {
      {"--clients", &options.clients},       {"--requests", &options.requests}, {"--prompt", &options.prompt},
      {"--tokens", &options.tokens},         {"--shared", &options.shared},     {"--idle", &options.idle},
      {"--vocabulary", &options.vocabulary}, {"--parallel", &options.parallel}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--model") options.model = argv[i + 1];
    if (name == "--port") options.port = static_cast<std::uint16_t>(std::stoul(argv[i + 1]));
    for (const auto& [flag, value] : numbers)
      if (name == flag) *value = static_cast<std::uint32_t>(std::stoul(argv[i + 1]));
  }
  return options;
}

int main_of(int argc, char** argv) {
  const Options options = parse(argc, argv);
  if (options.requests == 0 || options.model.empty() == (options.port == 0)) {
    std::fprintf(
        stderr,
        "usage: serving --model FILE | --port N [--clients N] [--requests N] [--prompt N] [--tokens N] "
        "[--shared N] [--idle N] [--parallel N] [--vocabulary N]\n");
    return 2;
  }
  std::vector<Outcome> outcomes(options.requests);
  json::object counts;
  if (options.port == 0) {
    auto ran = run_here(options, outcomes);
    if (!ran) {
      std::fprintf(stderr, "%s\n", describe(ran.error()).c_str());
      return 1;
    }
    counts = *std::move(ran);
  } else {
    run_there(options, outcomes);
  }
  json::object result = summary(options, outcomes);
  if (!counts.empty()) result["service"] = std::move(counts);
  std::printf("%s\n", json::serialize(result).c_str());
  return result.at("failed").to_number<int>() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cistern

int main(int argc, char** argv) {
  return cistern::main_of(argc, argv);
}
