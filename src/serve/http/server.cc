#include "serve/http/server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <thread>

#include "serve/http/connection.h"
#include "serve/http/error_body.h"

// NOLINTBEGIN(bugprone-unused-return-value): Asio's functions return the error that they also store.
namespace cistern::serve::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Strand>;

// When the process has no file descriptors left, a moment passes before the next attempt.
constexpr std::chrono::milliseconds kAcceptPause{50};
constexpr std::string_view kFullAnswer =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";

Result<std::vector<asio::ip::address>> addresses_of(const std::string& host) {
  using asio::ip::address;
  if (host == "localhost")
    return std::vector<address>{asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
  boost::system::error_code error;
  const address parsed = asio::ip::make_address(host, error);
  if (error) {
    return fail(ErrorCode::kUsage,
                fmt::format("\"{}\" is not an address to listen on: give an IP address or localhost", host));
  }
  return std::vector<address>{parsed};
}

std::string url_of(const tcp::endpoint& endpoint, bool is_tls) {
  const std::string address = endpoint.address().to_string();
  const bool is_v6 = endpoint.address().is_v6();
  return fmt::format("{}://{}{}{}:{}", is_tls ? "https" : "http", is_v6 ? "[" : "", address, is_v6 ? "]" : "",
                     endpoint.port());
}

// The least of the times that a limit can end after, in a few parts: how often deadlines are looked at.
std::chrono::milliseconds sweep_interval(const Limits& limits) {
  const auto least = std::min({limits.head_time, limits.body_stall, limits.idle_time, limits.write_stall,
                               limits.linger, limits.sse_silence});
  return std::clamp(least / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(1000));
}

// Signals are for the threads of the program that uses the server. Those that this one starts inherit its
// mask.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

struct Server::Impl {
  Impl(ServerOptions given, Handler handler)
      : options(std::move(given)),
        site{.limits = options.limits,
             .access = options.access,
             .error_body = options.error_body ? options.error_body : ErrorBody(error_body),
             .access_log = options.access_log,
             .handler = std::move(handler),
             .bodies = std::make_shared<BodyBudget>(options.limits.all_bodies_bytes)} {}

  Result<void> listen();
  Result<void> listen_on(const asio::ip::address& address, std::uint16_t port);
  Result<void> load_tls();
  void accept(Acceptor& acceptor);
  void accepted(Socket socket);
  template <class Stream>
  void open(Stream stream);
  void sweep();
  void run();
  void stop(std::chrono::milliseconds grace);

  const ServerOptions options;
  const Site site;
  ConnectionTable table;
  std::optional<asio::ssl::context> tls;
  // From here on what pending operations refer to must be above.
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::vector<tcp::endpoint> endpoints;
  asio::steady_timer sweep_timer{io};
  std::vector<std::thread> threads;
};

Result<void> Server::Impl::listen() {
  CISTERN_TRY(const auto addresses, addresses_of(options.host));
  std::uint16_t port = options.port;
  for (const asio::ip::address& address : addresses) {
    const auto listening = listen_on(address, port);
    // Of the two loopback addresses the second may not exist on this machine.
    if (!listening && endpoints.empty()) return listening;
    if (!endpoints.empty()) port = endpoints.front().port();
  }
  return {};
}

Result<void> Server::Impl::listen_on(const asio::ip::address& address, std::uint16_t port) {
  const tcp::endpoint wanted(address, port);
  auto acceptor = std::make_unique<Acceptor>(asio::make_strand(io));
  boost::system::error_code error;
  acceptor->open(wanted.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && address.is_v6()) acceptor->set_option(asio::ip::v6_only(!address.is_unspecified()), error);
  if (!error) acceptor->bind(wanted, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return fail(ErrorCode::kUsage,
                fmt::format("port {} of {} is taken by another program: choose another with --port", port,
                            address.to_string()));
  }
  if (error) {
    return fail(ErrorCode::kIo,
                fmt::format("cannot listen on {} port {}: {}", address.to_string(), port, error.message()));
  }
  endpoints.push_back(acceptor->local_endpoint());
  acceptors.push_back(std::move(acceptor));
  return {};
}

Result<void> Server::Impl::load_tls() {
  if (options.tls.certificate.empty() && options.tls.key.empty()) return {};
  if (options.tls.certificate.empty() || options.tls.key.empty())
    return fail(ErrorCode::kUsage, "TLS needs both a certificate and its key");
  tls.emplace(asio::ssl::context::tls_server);
  boost::system::error_code error;
  tls->set_options(
      asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
      error);
  tls->use_certificate_chain_file(options.tls.certificate, error);
  if (error)
    return fail(ErrorCode::kUsage, "cannot use the TLS certificate: " + error.message(),
                options.tls.certificate);
  tls->use_private_key_file(options.tls.key, asio::ssl::context::pem, error);
  if (error) return fail(ErrorCode::kUsage, "cannot use the TLS key: " + error.message(), options.tls.key);
  return {};
}

void Server::Impl::accept(Acceptor& acceptor) {
  acceptor.async_accept(asio::make_strand(io), [this, &acceptor](const auto& error, Socket socket) {
    if (!acceptor.is_open()) return;
    if (!error) {
      accepted(std::move(socket));
      return accept(acceptor);
    }
    if (error == asio::error::no_descriptors || error == boost::system::errc::too_many_files_open_in_system)
      table.close_longest_idle();
    auto pause = std::make_shared<asio::steady_timer>(acceptor.get_executor(), kAcceptPause);
    pause->async_wait([this, &acceptor, pause](const auto&) {
      if (acceptor.is_open()) accept(acceptor);
    });
  });
}

void Server::Impl::accepted(Socket socket) {
  boost::system::error_code ignored;
  if (table.size() >= options.limits.connections && !table.close_longest_idle()) {
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kFullAnswer), ignored);
    return;
  }
  socket.set_option(tcp::no_delay(true), ignored);
  if (tls) {
    open(TlsStream(std::move(socket), *tls));
  } else {
    open(std::move(socket));
  }
}

template <class Stream>
void Server::Impl::open(Stream stream) {
  const auto executor = stream.get_executor();
  auto connection = std::make_shared<Connection<Stream>>(std::move(stream), site, table);
  if (table.add(connection)) asio::post(executor, [connection] { connection->start(); });
}

void Server::Impl::sweep() {
  sweep_timer.expires_after(sweep_interval(options.limits));
  sweep_timer.async_wait([this](const auto& error) {
    if (error) return;
    table.expire(OpenConnection::Clock::now());
    sweep();
  });
}

// An exception of a library (memory has run out) costs the connection that it happened on, not the server.
void Server::Impl::run() {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception&) {
      continue;
    }
  }
}

void Server::Impl::stop(std::chrono::milliseconds grace) {
  if (threads.empty()) return;
  table.refuse_new();
  for (const auto& acceptor : acceptors) {
    asio::post(acceptor->get_executor(), [&acceptor = *acceptor] {
      boost::system::error_code ignored;
      acceptor.close(ignored);
    });
  }
  table.stop_all();
  if (!table.wait_until_empty(grace)) {
    table.close_all();
    while (!table.wait_until_empty(std::chrono::seconds(1))) table.close_all();
  }
  io.stop();
  for (std::thread& thread : threads) thread.join();
  threads.clear();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// NOLINTNEXTLINE(bugprone-exception-escape): a thread that cannot be joined would be a bug.
Server::~Server() {
  stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
  CISTERN_TRY_VOID(impl->load_tls());
  CISTERN_TRY_VOID(impl->listen());
  for (const auto& acceptor : impl->acceptors) impl->accept(*acceptor);
  impl->sweep();
  const SignalsBlocked blocked;
  const unsigned threads = std::max(1U, impl->options.threads);
  for (unsigned i = 0; i < threads; ++i) impl->threads.emplace_back([state = impl.get()] { state->run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}

std::uint16_t Server::port() const {
  return impl_->endpoints.front().port();
}

std::vector<std::string> Server::urls() const {
  std::vector<std::string> urls;
  for (const tcp::endpoint& endpoint : impl_->endpoints)
    urls.push_back(url_of(endpoint, impl_->tls.has_value()));
  return urls;
}

std::size_t Server::connection_count() const {
  return impl_->table.size();
}

}  // namespace cistern::serve::http
// NOLINTEND(bugprone-unused-return-value)
