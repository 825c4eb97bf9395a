// Downloads from a server on this machine that behaves and misbehaves.
#include "fetch/download.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "fetch/curl_client.h"
#include "fetch/sha256.h"
#include "support/fixtures.h"
#include "support/http_server.h"
#include "support/temp_dir.h"

namespace cistern::fetch {
namespace {

using testing::file_answer;
using testing::http_answer;
using testing::http_head;
using testing::HttpServer;
using testing::read_text;
using testing::ServerConnection;
using testing::ServerRequest;
using testing::TempDir;
namespace fs = std::filesystem;

// Like a model from outside: the magic, then bytes that differ everywhere.
std::string model_bytes(std::size_t size = 300'000) {
  std::string bytes = "GGUF";
  for (std::uint32_t x = 1; bytes.size() < size; x = x * 1664525U + 1013904223U)
    bytes += static_cast<char>(x >> 24U);
  return bytes;
}

std::string digest_of(std::string_view bytes) {
  const auto hash = Sha256::create();
  EXPECT_TRUE(hash);
  (*hash)->update(std::as_bytes(std::span(bytes)));
  return (*hash)->finish();
}

// A folder, a server and what a download of "/m.gguf" from it does.
class DownloadTest : public ::testing::Test {
 protected:
  Result<Downloaded> fetch(HttpServer& server) {
    download_.url = parse_url(server.url("/m.gguf")).value();
    download_.path = path();
    options_.sleep = [this](double seconds) { waits_.push_back(seconds); };
    options_.say = [this](const std::string& text) { said_ += text + "\n"; };
    auto client = make_curl_client({.user_agent = "test", .stall_s = 1, .cancelled = options_.cancelled});
    if (!client) return std::unexpected(client.error());
    return fetch_file(**client, download_, options_);
  }

  // The error of a download that must fail.
  Error error_of(HttpServer& server) {
    const auto got = fetch(server);
    EXPECT_FALSE(got);
    EXPECT_FALSE(fs::exists(path()));
    return got ? Error{} : got.error();
  }

  std::string path() const { return (dir_.path() / "m.gguf").string(); }
  bool part_is_there() const { return fs::exists(path() + ".part"); }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator()));
  }

  const std::string model_ = model_bytes();
  TempDir dir_;
  Download download_;
  DownloadOptions options_;
  std::vector<double> waits_;
  std::string said_;
};

// Sends the answer up to `share` of the model, then closes.
void send_cut(const ServerRequest& request, const ServerConnection& connection, const std::string& model,
              std::size_t bytes, const std::string& etag = "\"v1\"") {
  const std::string answer = file_answer(request, model, etag);
  connection.send(std::string_view(answer).substr(0, answer.find("\r\n\r\n") + 4 + bytes));
}

TEST_F(DownloadTest, AWholeFileArrivesUnderItsName) {
  HttpServer server([&](const auto& request, const auto& c) { c.send(file_answer(request, model_)); });
  const auto got = fetch(server);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(read_text(path()), model_);
  EXPECT_EQ(got->size_bytes, model_.size());
  EXPECT_EQ(got->received_bytes, model_.size());
  EXPECT_EQ(got->sha256, digest_of(model_));
  EXPECT_FALSE(got->verified);
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(server.requests().at(0).header("range"), "");
  EXPECT_EQ(server.requests().at(0).header("user-agent"), "test");
  EXPECT_EQ(server.requests().at(0).header("authorization"), "");
}

TEST_F(DownloadTest, Sha256IsThatOfTheStandard) {
  EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(DownloadTest, CutsAreContinuedWhereTheyHappened) {
  std::atomic<int> turn = 0;
  HttpServer server([&](const auto& request, const auto& c) {
    if (++turn <= 3) {
      send_cut(request, c, model_, 50'000);
    } else {
      c.send(file_answer(request, model_, "\"v1\""));
    }
  });
  download_.sha256 = digest_of(model_);
  const auto got = fetch(server);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(read_text(path()), model_);
  EXPECT_EQ(got->received_bytes, model_.size());  // none twice
  EXPECT_TRUE(got->verified);
  ASSERT_EQ(server.requests().size(), 4U);
  EXPECT_EQ(server.requests()[3].header("range"), "bytes=150000-");
  EXPECT_EQ(waits_, (std::vector<double>{0.5, 0.5, 0.5}));  // each brought something
}

TEST_F(DownloadTest, AnotherRunGoesOn) {
  std::atomic<bool> well = false;
  HttpServer server([&](const auto& request, const auto& c) {
    well ? static_cast<void>(c.send(file_answer(request, model_, "\"v1\"")))
         : send_cut(request, c, model_, 100'000);
  });
  options_.retries = 0;
  const Error error = error_of(server);
  EXPECT_NE(error.message.find("have arrived and stay"), std::string::npos) << error.message;
  EXPECT_TRUE(part_is_there());
  well = true;
  const auto got = fetch(server);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(read_text(path()), model_);
  EXPECT_EQ(got->received_bytes, model_.size() - 100'000);
  EXPECT_EQ(got->sha256, digest_of(model_));
  EXPECT_EQ(server.requests().at(1).header("if-range"), "\"v1\"");
  EXPECT_EQ(files(), 1U);
}

TEST_F(DownloadTest, AChangedFileBeginsAnew) {
  std::atomic<bool> changed = false;
  const std::string other = model_bytes(200'000) + "other";
  HttpServer server([&](const auto& request, const auto& c) {
    changed ? static_cast<void>(c.send(file_answer(request, other, "\"v2\"")))
            : send_cut(request, c, model_, 100'000);
  });
  options_.retries = 0;
  error_of(server);
  changed = true;
  const auto got = fetch(server);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(read_text(path()), other);
  EXPECT_EQ(got->sha256, digest_of(other));
}

TEST_F(DownloadTest, AServerWithoutRangesBeginsAnew) {
  std::atomic<int> turn = 0;
  HttpServer server([&](const auto& request, const auto& c) {
    const ServerRequest whole{.target = request.target, .headers = {}};
    ++turn == 1 ? send_cut(whole, c, model_, 100'000)
                : static_cast<void>(c.send(file_answer(whole, model_, "\"v1\"")));
  });
  const auto got = fetch(server);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(read_text(path()), model_);
  EXPECT_EQ(got->received_bytes, model_.size() + 100'000);
  EXPECT_NE(said_.find("anew"), std::string::npos);
}

TEST_F(DownloadTest, AServerWithoutRangesThatAlwaysCutsIsLeft) {
  HttpServer server([&](const auto&, const auto& c) { send_cut(ServerRequest{}, c, model_, 100'000); });
  options_.retries = 3;
  EXPECT_EQ(error_of(server).code, ErrorCode::kIo);
  EXPECT_EQ(server.requests().size(), 4U);
  EXPECT_EQ(waits_, (std::vector<double>{0.5, 1, 2}));
}

TEST_F(DownloadTest, APartWithoutTagOrDigestIsNotTrusted) {
  std::atomic<int> turn = 0;
  HttpServer server([&](const auto& request, const auto& c) {
    ++turn == 1 ? send_cut(request, c, model_, 100'000, "")
                : static_cast<void>(c.send(file_answer(request, model_)));
  });
  options_.retries = 0;
  error_of(server);
  ASSERT_TRUE(fetch(server));
  EXPECT_EQ(server.requests().at(1).header("range"), "");
  EXPECT_EQ(read_text(path()), model_);
}

TEST_F(DownloadTest, AForeignOrDamagedPartIsDropped) {
  HttpServer server(
      [&](const auto& request, const auto& c) { c.send(file_answer(request, model_, "\"v1\"")); });
  const std::string note = R"({"url": "URL", "etag": "\"v1\"", "size": 300000, "sha256": ""})";
  for (const std::string text :
       {"", "{", "[]", "{}", R"({"url": "x", "size": -1})", R"({"url": 1, "size": "2"})", note.c_str()}) {
    dir_.write("m.gguf.part", "GGUF and something else");
    dir_.write("m.gguf.part.json", text);
    const auto got = fetch(server);
    ASSERT_TRUE(got) << text << describe(got.error());
    EXPECT_EQ(read_text(path()), model_) << text;
    fs::remove(path());
  }
}

TEST_F(DownloadTest, ThePartOfAnEarlierVersionFailsItsDigestAndGoes) {
  std::atomic<int> turn = 0;
  const std::string other = model_bytes(300'000 - 1) + "!";
  HttpServer server([&](const auto& request, const auto& c) {
    ++turn == 1 ? send_cut(request, c, other, 100'000)
                : static_cast<void>(c.send(file_answer(request, other)));
  });
  download_.sha256 = digest_of(model_);
  download_.size_bytes = model_.size();
  const Error error = error_of(server);
  EXPECT_EQ(error.code, ErrorCode::kFormat);
  EXPECT_NE(error.message.find(digest_of(other)), std::string::npos) << error.message;
  EXPECT_EQ(files(), 0U);
}

TEST_F(DownloadTest, AShorterBodyThanAnnouncedIsACut) {
  HttpServer server([&](const auto&, const auto& c) {
    c.send(http_head(200, {"Content-Length: " + std::to_string(model_.size() + 1000)}) + model_);
  });
  options_.retries = 1;
  EXPECT_EQ(error_of(server).code, ErrorCode::kIo);
  EXPECT_TRUE(part_is_there());
}

TEST_F(DownloadTest, AnnouncedSizesMustBeThePromisedOne) {
  for (const std::size_t announced : {model_.size() - 1, model_.size() + 1}) {
    HttpServer server([&](const auto&, const auto& c) {
      c.send(http_head(200, {"Content-Length: " + std::to_string(announced)}) + model_);
    });
    download_.size_bytes = model_.size();
    const Error error = error_of(server);
    EXPECT_NE(error.message.find(std::to_string(announced)), std::string::npos) << error.message;
    EXPECT_EQ(files(), 0U);
  }
}

TEST_F(DownloadTest, ABodyWithoutEndIsCutOff) {
  HttpServer server([&](const auto&, const auto& c) {
    if (!c.send(http_head(200, {}) + model_)) return;
    while (c.send(model_)) {
    }
  });
  download_.size_bytes = model_.size() * 2 + 10;
  const Error error = error_of(server);
  EXPECT_NE(error.message.find("more than"), std::string::npos) << error.message;
}

TEST_F(DownloadTest, AnUnknownSizeIsRefused) {
  HttpServer server([&](const auto&, const auto& c) { c.send(http_head(200, {}) + model_); });
  EXPECT_EQ(error_of(server).code, ErrorCode::kUnsupported);
  download_.size_bytes = model_.size();
  EXPECT_TRUE(fetch(server));
}

TEST_F(DownloadTest, RangesThatLieAreRefused) {
  for (const char* range :
       {"bytes 0-299999/300000", "bytes 100001-299999/300000", "bytes 100000-299999/300001", "bytes */5",
        "bytes 100000-99999/300000", "bytes 100000-400000/300000", "", "100000-299999/300000"}) {
    const TempDir fresh;
    std::atomic<int> turn = 0;
    HttpServer server([&](const auto& request, const auto& c) {
      if (++turn == 1) {
        send_cut(request, c, model_, 100'000);
      } else {
        c.send(http_head(206, {std::string("Content-Range: ") + range, "Content-Length: 200000"}) +
               model_.substr(100'000));
      }
    });
    const Error error = error_of(server);
    EXPECT_EQ(error.code, ErrorCode::kIo) << range << describe(error);
    EXPECT_EQ(turn, 2) << range;
    fs::remove(path() + ".part");
  }
}

TEST_F(DownloadTest, APartBeyondTheEndBeginsAnew) {
  std::atomic<int> turn = 0;
  HttpServer server([&](const auto& request, const auto& c) {
    ++turn;
    if (turn == 1) send_cut(request, c, model_, 100'000);
    if (turn == 2) c.send(http_answer(416, ""));
    if (turn == 3) c.send(file_answer(request, model_, "\"v1\""));
  });
  ASSERT_TRUE(fetch(server));
  EXPECT_EQ(server.requests().at(2).header("range"), "");
  EXPECT_EQ(read_text(path()), model_);
}

TEST_F(DownloadTest, AStallIsGivenUp) {
  HttpServer server([&](const auto& request, const auto& c) {
    send_cut(request, c, model_, 100'000);
    c.hold();
  });
  options_.retries = 0;
  const Error error = error_of(server);
  EXPECT_EQ(error.code, ErrorCode::kTimeout);
  EXPECT_NE(error.message.find("nothing arrived for 1 s"), std::string::npos) << error.message;
  EXPECT_TRUE(part_is_there());
}

TEST_F(DownloadTest, AServerThatNeverAnswersIsGivenUp) {
  HttpServer server([](const auto&, const auto& c) { c.hold(); });
  options_.retries = 0;
  EXPECT_EQ(error_of(server).code, ErrorCode::kTimeout);
  EXPECT_EQ(files(), 0U);
}

TEST_F(DownloadTest, StatusesAreExplained) {
  struct Case {
    int status;
    ErrorCode code;
    const char* says;
    std::size_t requests;
  };
  for (const Case& c :
       {Case{401, ErrorCode::kUsage, "HF_TOKEN", 1}, Case{403, ErrorCode::kUsage, "HF_TOKEN", 1},
        Case{404, ErrorCode::kNotFound, "no such", 1}, Case{410, ErrorCode::kNotFound, "removed", 1},
        Case{429, ErrorCode::kBusy, "too many", 3}, Case{500, ErrorCode::kIo, "failed", 3},
        Case{503, ErrorCode::kBusy, "not available", 3}, Case{599, ErrorCode::kIo, "599", 3},
        Case{418, ErrorCode::kIo, "418", 1}, Case{204, ErrorCode::kIo, "204", 1},
        Case{304, ErrorCode::kIo, "304", 1}}) {
    HttpServer server(
        [&](const auto&, const auto& connection) { connection.send(http_answer(c.status, "")); });
    options_.retries = 2;
    const Error error = error_of(server);
    EXPECT_EQ(error.code, c.code) << c.status;
    EXPECT_NE(error.message.find(c.says), std::string::npos) << error.message;
    EXPECT_EQ(server.requests().size(), c.requests) << c.status;
    EXPECT_EQ(files(), 0U) << c.status;
  }
}

TEST_F(DownloadTest, TheServerSaysHowLongToWait) {
  std::atomic<int> turn = 0;
  HttpServer server([&](const auto& request, const auto& c) {
    c.send(++turn == 1 ? http_answer(429, "", {"Retry-After: 7"}) : file_answer(request, model_));
  });
  ASSERT_TRUE(fetch(server));
  EXPECT_EQ(waits_, std::vector<double>{7});
}

TEST_F(DownloadTest, AnHourIsNotWaited) {
  HttpServer server([](const auto&, const auto& c) { c.send(http_answer(429, "", {"Retry-After: 3600"})); });
  EXPECT_NE(error_of(server).message.find("3600 s"), std::string::npos);
  EXPECT_TRUE(waits_.empty());
}

TEST_F(DownloadTest, RedirectsAreFollowedAndTheTokenStays) {
  HttpServer storage([&](const auto& request, const auto& c) { c.send(file_answer(request, model_)); });
  HttpServer hub([&](const auto&, const auto& c) {
    c.send(http_answer(302, "moved", {"Location: " + storage.url("/blob?sig=1")}));
  });
  options_.credentials = {.token = "hf_secret", .origin = hub.url()};
  const auto got = fetch(hub);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(hub.requests().at(0).header("authorization"), "Bearer hf_secret");
  EXPECT_EQ(storage.requests().at(0).header("authorization"), "");
  EXPECT_EQ(storage.requests().at(0).target, "/blob?sig=1");
  EXPECT_EQ(read_text(path()), model_);
}

TEST_F(DownloadTest, ARelativeRedirectStaysAtTheServer) {
  HttpServer server([&](const auto& request, const auto& c) {
    c.send(request.target == "/m.gguf" ? http_answer(307, "", {"Location: ../x/y"})
                                       : file_answer(request, model_));
  });
  ASSERT_TRUE(fetch(server));
  EXPECT_EQ(server.requests().at(1).target, "/x/y");
}

TEST_F(DownloadTest, RedirectsToElsewhereAreRefused) {
  for (const char* location :
       {"file:///etc/passwd", "http://example.org/m.gguf", "ftp://127.0.0.1/m.gguf", "gopher://x/",
        "//example.org/m.gguf", "https://user:password@example.org/m.gguf", "x:y"}) {
    HttpServer server([&](const auto&, const auto& c) {
      c.send(http_answer(302, "", {std::string("Location: ") + location}));
    });
    EXPECT_EQ(error_of(server).code, ErrorCode::kIo) << location;
    EXPECT_EQ(server.requests().size(), 1U) << location;
  }
  HttpServer nowhere([](const auto&, const auto& c) { c.send(http_answer(302, "")); });
  EXPECT_EQ(error_of(nowhere).code, ErrorCode::kIo);
}

TEST_F(DownloadTest, RedirectsInACircleEnd) {
  HttpServer server([](const auto& request, const auto& c) {
    c.send(http_answer(302, "", {"Location: " + request.target + "x"}));
  });
  EXPECT_NE(error_of(server).message.find("redirects more than"), std::string::npos);
  EXPECT_EQ(server.requests().size(), 9U);
}

TEST_F(DownloadTest, ErrorPagesWithoutEndAreCutOff) {
  for (const int status : {302, 404}) {
    HttpServer server([&](const auto&, const auto& c) {
      c.send(http_head(status, {"Location: /x"}));
      while (c.send(model_)) {
      }
    });
    EXPECT_NE(error_of(server).code, ErrorCode::kCancelled) << status;
    EXPECT_EQ(server.requests().size(), 1U);
  }
}

TEST_F(DownloadTest, AWebPageIsNoModel) {
  HttpServer server([](const auto&, const auto& c) { c.send(http_answer(200, "<!doctype html><html>")); });
  const Error error = error_of(server);
  EXPECT_EQ(error.code, ErrorCode::kFormat);
  EXPECT_NE(error.message.find("/resolve/"), std::string::npos) << error.message;
  EXPECT_EQ(files(), 0U);
}

TEST_F(DownloadTest, EncodedAndEmptyFilesAreRefused) {
  HttpServer encoded(
      [&](const auto&, const auto& c) { c.send(http_answer(200, model_, {"Content-Encoding: gzip"})); });
  EXPECT_EQ(error_of(encoded).code, ErrorCode::kUnsupported);
  HttpServer empty([&](const auto&, const auto& c) { c.send(http_answer(200, "")); });
  EXPECT_EQ(error_of(empty).code, ErrorCode::kIo);
  HttpServer garbage([&](const auto&, const auto& c) { c.send("SSH-2.0-OpenSSH\r\n\r\n"); });
  EXPECT_EQ(error_of(garbage).code, ErrorCode::kIo);
}

TEST_F(DownloadTest, AFullDiskIsRefusedBeforehandWithNumbers) {
  HttpServer server([&](const auto& request, const auto& c) { c.send(file_answer(request, model_)); });
  options_.free_bytes = [this](const std::string& folder) -> std::uint64_t {
    EXPECT_EQ(folder, dir_.path().string());
    return 100U << 10U;
  };
  const Error error = error_of(server);
  EXPECT_NE(error.message.find("needs 293.0 KiB more, but only 100.0 KiB are free"), std::string::npos)
      << error.message;
  EXPECT_EQ(files(), 0U);
  options_.free_bytes = [this](const std::string&) -> std::uint64_t { return model_.size() + 99; };
  download_.more_bytes = 100;
  error_of(server);
  download_.more_bytes = 99;
  EXPECT_TRUE(fetch(server));
}

TEST_F(DownloadTest, TwoDownloadsOfOneFileDoNotMeet) {
  HttpServer server([&](const auto& request, const auto& c) { c.send(file_answer(request, model_)); });
  const std::string part = dir_.write("m.gguf.part", "GGUF").string();
  const int other = ::open(part.c_str(), O_RDWR);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  EXPECT_EQ(error_of(server).code, ErrorCode::kBusy);
  EXPECT_EQ(read_text(part), "GGUF");
  EXPECT_TRUE(server.requests().empty());
  ::close(other);
  EXPECT_TRUE(fetch(server));
}

TEST_F(DownloadTest, ALinkInPlaceOfThePartIsNotFollowed) {
  HttpServer server([&](const auto& request, const auto& c) { c.send(file_answer(request, model_)); });
  const fs::path precious = dir_.write("precious", "precious");
  fs::create_symlink(precious, path() + ".part");
  EXPECT_EQ(error_of(server).code, ErrorCode::kIo);
  EXPECT_EQ(read_text(precious), "precious");
}

TEST_F(DownloadTest, AnInterruptionLeavesThePart) {
  std::atomic<bool> interrupted = false;
  HttpServer server(
      [&](const auto& request, const auto& c) { c.send(file_answer(request, model_, "\"v1\"")); });
  options_.cancelled = [&] { return interrupted.load(); };
  options_.progress = [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_EQ(all, model_.size());
    interrupted = interrupted || done > 0;
  };
  download_.size_bytes = model_.size();
  const Error error = error_of(server);
  EXPECT_EQ(error.code, ErrorCode::kCancelled);
  EXPECT_TRUE(part_is_there());
  const auto arrived = fs::file_size(path() + ".part");
  interrupted = false;
  options_.progress = {};
  const auto got = fetch(server);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(got->received_bytes, model_.size() - arrived);
  EXPECT_EQ(read_text(path()), model_);
}

TEST_F(DownloadTest, NobodyThereIsSaidAtOnce) {
  std::string gone;
  {
    const HttpServer server([](const auto&, const auto&) {});
    gone = server.url("/m.gguf");
  }
  download_ = {.url = parse_url(gone).value(), .path = path()};
  const auto client = make_curl_client({.user_agent = "test"});
  ASSERT_TRUE(client);
  options_.sleep = [](double) { ADD_FAILURE() << "waited"; };
  const auto got = fetch_file(**client, download_, options_);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kIo);
  EXPECT_EQ(files(), 0U);
}

TEST_F(DownloadTest, WhatIsThereIsCompared) {
  download_ = {.path = dir_.write("m.gguf", model_).string(), .size_bytes = model_.size()};
  auto present = find_present(download_, options_);
  ASSERT_TRUE(present && *present);
  EXPECT_FALSE((*present)->verified);
  download_.sha256 = digest_of(model_);
  present = find_present(download_, options_);
  ASSERT_TRUE(present && *present);
  EXPECT_TRUE((*present)->verified);
  download_.sha256 = digest_of("another");
  EXPECT_EQ(find_present(download_, options_).error().code, ErrorCode::kUsage);
  download_.size_bytes = 5;
  EXPECT_EQ(find_present(download_, options_).error().code, ErrorCode::kUsage);
  download_.force = true;
  EXPECT_FALSE(*find_present(download_, options_));
  download_ = {.path = dir_.path().string()};
  EXPECT_EQ(find_present(download_, options_).error().code, ErrorCode::kUsage);
  download_ = {.path = path() + "x"};
  EXPECT_FALSE(*find_present(download_, options_));
}

}  // namespace
}  // namespace cistern::fetch
