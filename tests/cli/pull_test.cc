// `cistern pull` against a hub on this machine. What a download does when the connection misbehaves is tested
// in src/fetch/download_test.cc.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <filesystem>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/http_server.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

// Of tests/data/models/llama/model.gguf, by sha256sum.
constexpr const char* kLlamaDigest = "9e01d604d0410520b53f0e1576ac0e80706a5c54fa4ddc0968740e8cd781231f";

struct HubFile {
  std::string path;
  std::string bytes;
  std::string sha256;
};

// A hub with one repository, "owner/name", and what `cistern pull` does with it.
class PullTest : public ::testing::Test {
 protected:
  PullTest() : model_(read_text(data_dir() / "models" / "llama" / "model.gguf")) {
    files_ = {{"m-Q8_0.gguf", "GGUF, another one", std::string(64, 'a')},
              {"m-Q4_K_M.gguf", model_, kLlamaDigest},
              {"README.md", "hello", ""}};
  }

  std::string listing() const {
    json::array entries;
    for (const HubFile& file : files_) {
      json::object entry = {{"type", "file"}, {"path", file.path}, {"size", file.bytes.size()}, {"oid", "0"}};
      if (!file.sha256.empty()) entry["lfs"] = {{"oid", file.sha256}, {"size", file.bytes.size()}};
      entries.push_back(std::move(entry));
    }
    return json::serialize(entries);
  }

  void answer(const ServerRequest& request, const ServerConnection& connection) {
    if (request.target == "/api/models/owner/name/tree/main?recursive=1") {
      connection.send(http_answer(200, listing_.empty() ? listing() : listing_));
      return;
    }
    for (const HubFile& file : files_) {
      if (request.target == "/owner/name/resolve/main/" + file.path) {
        const std::string whole = file_answer(request, file.bytes, "\"v1\"");
        const bool cut = cut_after_ > 0 && request.header("range").empty();
        connection.send(std::string_view(whole).substr(0, cut ? cut_after_.load() : whole.size()));
        if (cut) connection.hold();
        return;
      }
    }
    connection.send(http_answer(404, "no"));
  }

  Outcome pull(std::vector<std::string> args, const std::string& setup = {}) {
    args.insert(args.begin(), "pull");
    return run_program(RunInput{.args = std::move(args),
                                .stdin_text = {},
                                .env = {{"CISTERN_MODELS", models().string()},
                                        {"HF_ENDPOINT", server_.url()},
                                        {"HF_TOKEN", "hf_secret"},
                                        {"http_proxy", "http://192.0.2.1:9"}},  // is not for this machine
                                .setup = setup});
  }

  fs::path models() const { return dir_.path() / "models"; }
  std::size_t files_there() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(models()), fs::directory_iterator()));
  }

  const std::string model_;
  std::vector<HubFile> files_;
  std::string listing_;                     // instead of that of files_
  std::atomic<std::size_t> cut_after_ = 0;  // bytes of the first answer; 0: all
  TempDir dir_;
  HttpServer server_{[this](const auto& request, const auto& connection) { answer(request, connection); }};
};

TEST_F(PullTest, TheDefaultArrivesAndRuns) {
  const Outcome run = pull({"hf:owner/name"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_NE(run.out.find("SHA-256 verified"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("cistern run m-Q4_K_M -p"), std::string::npos) << run.out;
  EXPECT_EQ(read_text(models() / "m-Q4_K_M.gguf"), model_);
  EXPECT_EQ(files_there(), 1U);
  for (const ServerRequest& request : server_.requests()) {
    EXPECT_EQ(request.header("authorization"), "Bearer hf_secret");
    EXPECT_TRUE(request.header("user-agent").starts_with("cistern/"));
  }
}

TEST_F(PullTest, ASecondPullComparesAndFetchesNothing) {
  ASSERT_EQ(pull({"hf:owner/name"}).exit_code, 0);
  const std::size_t requests = server_.requests().size();
  const Outcome again = pull({"hf:owner/name", "--json"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(server_.requests().size(), requests + 1);  // the listing
  const json::value report = json::parse(again.out);
  EXPECT_EQ(report.at("model"), json::value((models() / "m-Q4_K_M.gguf").string()));
  const json::value& file = report.at("files").at(0);
  EXPECT_EQ(file.at("was_there"), json::value(true));
  EXPECT_EQ(file.at("verified"), json::value(true));
  EXPECT_EQ(file.at("received_bytes").to_number<int>(), 0);
  EXPECT_EQ(file.at("sha256"), json::value(kLlamaDigest));
  dir_.write("models/m-Q4_K_M.gguf", std::string(model_.size(), 'x'));
  EXPECT_EQ(not_one_clear_error(pull({"hf:owner/name"}), 2), "");
  EXPECT_EQ(pull({"hf:owner/name", "--force"}).exit_code, 0);
  EXPECT_EQ(read_text(models() / "m-Q4_K_M.gguf"), model_);
}

TEST_F(PullTest, CtrlCLeavesWhatTheNextPullGoesOnWith) {
  cut_after_ = 100'000;
  const std::string part = (models() / "m-Q4_K_M.gguf.part").string();
  const Outcome stopped =
      pull({"hf:owner/name"}, "(i=0; while [ $i -lt 3000 ] && ! [ -s '" + part +
                                  "' ]; do i=$((i+1)); sleep 0.01; done; kill -INT $$) & true");
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_EQ(stopped.signal, 0);
  EXPECT_NE(stopped.err.find("interrupted"), std::string::npos) << stopped.err;
  ASSERT_TRUE(fs::exists(part));
  const auto arrived = fs::file_size(part);
  EXPECT_GT(arrived, 0U);
  const Outcome again = pull({"hf:owner/name", "--json"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(json::parse(again.out).at("files").at(0).at("received_bytes").to_number<std::uint64_t>(),
            model_.size() - arrived);
  EXPECT_EQ(read_text(models() / "m-Q4_K_M.gguf"), model_);
  EXPECT_EQ(files_there(), 1U);
}

TEST_F(PullTest, AllPartsOfASplitModelArrive) {
  files_ = {{"Q8_0/s-Q8_0-00002-of-00002.gguf", "GGUF2", ""},
            {"Q8_0/s-Q8_0-00001-of-00002.gguf", "GGUF1", ""}};
  const Outcome run = pull({"hf:owner/name:q8_0"});
  // What these parts hold is no model: that is said after both have arrived.
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("the file is there, but"), std::string::npos) << run.err;
  EXPECT_EQ(read_text(models() / "s-Q8_0-00001-of-00002.gguf"), "GGUF1");
  EXPECT_EQ(read_text(models() / "s-Q8_0-00002-of-00002.gguf"), "GGUF2");
  EXPECT_EQ(files_there(), 2U);
}

TEST_F(PullTest, ListsWhatThereIs) {
  const Outcome run = pull({"hf:owner/name", "--list", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const json::value report = json::parse(run.out);
  const json::array& rows = report.at("models").as_array();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].at("quant"), json::value("Q4_K_M"));
  EXPECT_EQ(rows[1].at("bytes").to_number<std::size_t>(), model_.size());
  EXPECT_EQ(rows[1].at("default"), json::value(true));
  EXPECT_NE(pull({"hf:owner/name", "--list"}).out.find("m-Q8_0.gguf"), std::string::npos);
  EXPECT_FALSE(fs::exists(models()));
}

TEST_F(PullTest, AnAddressGoesToAFolder) {
  const std::string folder = (dir_.path() / "else where").string();
  const std::string address = server_.url("/owner/name/resolve/main/m-Q4_K_M.gguf");
  const Outcome run = pull({address, "--to", folder, "--sha256", kLlamaDigest});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(read_text(folder + "/m-Q4_K_M.gguf"), model_);
  EXPECT_NE(run.out.find("cistern run '" + folder + "/m-Q4_K_M.gguf' -p"), std::string::npos) << run.out;
  EXPECT_NE(pull({address, "--to", folder}).out.find("is there already"), std::string::npos);
}

TEST_F(PullTest, AWrongDigestLeavesNothing) {
  const Outcome run =
      pull({server_.url("/owner/name/resolve/main/m-Q4_K_M.gguf"), "--sha256", std::string(64, '0')});
  EXPECT_EQ(not_one_clear_error({.exit_code = run.exit_code, .err = run.err}, 1), "");
  EXPECT_NE(run.err.find(kLlamaDigest), std::string::npos) << run.err;
  EXPECT_EQ(files_there(), 0U);
}

TEST_F(PullTest, WhatNoDiskHoldsIsRefusedBeforehand) {
  listing_ = R"([{"type": "file", "path": "m-Q4_K_M.gguf", "size": 999999999999999}])";
  HttpServer huge([this](const auto& request, const auto& c) {
    if (request.target.starts_with("/api/")) return static_cast<void>(c.send(http_answer(200, listing_)));
    c.send(http_head(200, {"Content-Length: 999999999999999"}) + "GGUF");
  });
  const Outcome run = run_program(RunInput{.args = {"pull", "hf:owner/name", "--to", models().string()},
                                           .stdin_text = {},
                                           .env = {{"HF_ENDPOINT", huge.url()}}});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("free on this disk"), std::string::npos) << run.err;
  EXPECT_EQ(files_there(), 0U);
}

TEST_F(PullTest, HostileListingsAreRefused) {
  for (const char* path : {"../../x-Q4_K_M.gguf", "/tmp/x-Q4_K_M.gguf", "a\\u0000-Q4_K_M.gguf",
                           "-Q4_K_M.gguf", ".Q4_K_M.gguf"}) {
    listing_ = std::string(R"([{"type": "file", "path": ")") + path + R"(", "size": 5}])";
    EXPECT_EQ(not_one_clear_error(pull({"hf:owner/name"}), 1), "") << path;
  }
  for (const char* text : {"", "null", "<html>", "[", "[{\"type\": \"file\"}]"}) {
    listing_ = text[0] == '\0' ? " " : text;
    const Outcome run = pull({"hf:owner/name"});
    EXPECT_EQ(not_one_clear_error(run, 1), "") << text;
  }
  EXPECT_FALSE(fs::exists(models()) && files_there() > 0);
}

TEST_F(PullTest, ImpossibleWishesAreNamed) {
  struct Case {
    std::vector<std::string> args;
    int exit_code;
    const char* mentions;
  };
  for (const Case& c :
       {Case{{}, 2, "SOURCE"}, Case{{"name"}, 2, "hf:OWNER/NAME"}, Case{{"hf:owner"}, 2, "OWNER"},
        Case{{"hf:owner/none"}, 1, "404"}, Case{{"hf:owner/name:Q9_X"}, 1, "Q8_0"},
        Case{{"http://example.org/m.gguf"}, 2, "https"}, Case{{"https://example.org/"}, 2, ".gguf"},
        Case{{"hf:owner/name", "--sha256", "00"}, 2, "--sha256"},
        Case{{server_.url("/x.gguf"), "--sha256", "00"}, 2, "64"},
        Case{{server_.url("/x.gguf"), "--list"}, 2, "--list"},
        Case{{"hf:owner/name", "--retries", "-1"}, 2, "--retries"},
        Case{{"hf:owner/name", "--to", "/dev/null/x"}, 1, "/dev/null/x"}}) {
    const Outcome run = pull(c.args);
    EXPECT_EQ(not_one_clear_error(run, c.exit_code), "");
    EXPECT_NE(run.err.find(c.mentions), std::string::npos) << run.err;
  }
  const Outcome bad_token =
      run_program(RunInput{.args = {"pull", "hf:owner/name"},
                           .stdin_text = {},
                           .env = {{"HF_TOKEN", "a\r\nb"}, {"HF_ENDPOINT", server_.url()}}});
  EXPECT_EQ(not_one_clear_error(bad_token, 2), "");
  EXPECT_EQ(bad_token.err.find("a\\r"), std::string::npos);
}

}  // namespace
}  // namespace cistern::testing
