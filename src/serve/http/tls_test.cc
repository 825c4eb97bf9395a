// The server behind TLS: the same connections over another stream.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "serve/http/http_test.h"

namespace cistern::serve::http {
namespace {

namespace asio = boost::asio;
using ClientStream = asio::ssl::stream<asio::ip::tcp::socket>;

// A key and a certificate that it has signed itself, as files.
class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    std::filesystem::create_directories(folder_);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    std::FILE* file = std::fopen(files_.certificate.c_str(), "wb");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
    file = std::fopen(files_.key.c_str(), "wb");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("cistern_tls_" + std::to_string(getpid()));
  const TlsFiles files_{.certificate = folder_ / "certificate.pem", .key = folder_ / "key.pem"};
  asio::io_context io_;
  asio::ssl::context context_{asio::ssl::context::tls_client};
};

// All that comes until the server ends the connection.
std::string read_all(ClientStream& stream, boost::system::error_code& error) {
  std::string received;
  char bytes[16384];
  while (!error) received.append(bytes, stream.read_some(asio::buffer(bytes), error));
  return received;
}

TEST_F(TlsTest, AnswersLargeAndSmallRequestsAndSaysGoodbye) {
  const auto server = start_server(echo, {.tls = files_});
  EXPECT_TRUE(server->urls().front().starts_with("https://"));
  ClientStream stream(io_, context_);
  stream.lowest_layer().connect({asio::ip::address_v4::loopback(), server->port()});
  stream.handshake(ClientStream::client);
  const std::string body(3 << 20, 'x');
  asio::write(stream, asio::buffer(get("/a") + post("/b", body) + get("/c", "Connection: close\r\n")));
  boost::system::error_code error;
  const std::string received = read_all(stream, error);
  EXPECT_EQ(error, asio::error::eof) << error.message();  // not cut off
  const std::size_t first = received.find("GET /a? "), second = received.find("POST /b? " + body);
  EXPECT_LT(first, second);
  EXPECT_LT(second, received.find("GET /c? "));
}

TEST_F(TlsTest, PlainHttpAndSilenceDoNotHoldTheServer) {
  const auto server =
      start_server(echo, {.limits = {.head_time = std::chrono::milliseconds(50)}, .tls = files_});
  TestClient plain(server->port()), silent(server->port());
  plain.send(get("/"));
  EXPECT_FALSE(plain.read_until("200 OK"));
  EXPECT_TRUE(silent.is_at_end());
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
  const auto missing =
      Server::start({.port = 0, .tls = {.certificate = files_.certificate, .key = {}}}, echo);
  ASSERT_FALSE(missing);
  const auto swapped =
      Server::start({.port = 0, .tls = {.certificate = files_.key, .key = files_.key}}, echo);
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().where, files_.key);
}

}  // namespace
}  // namespace cistern::serve::http
