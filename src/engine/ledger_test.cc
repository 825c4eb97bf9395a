// Records through a file and back, what a ledger never holds, and ledgers that are none: all of them are left
// as they are, and none stops a run.
#include "engine/ledger.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

#include "base/rng.h"
#include "engine/ledger_line.h"
#include "file/inventory.h"
#include "quant/format.h"
#include "spec/registry.h"
#include "support/gguf_writer.h"
#include "support/temp_dir.h"

namespace cistern::engine {
namespace {

namespace fs = std::filesystem;
using testing::TempDir;

std::optional<LedgerFigure>& figure_of(LedgerRecord& record, plan::Metric metric) {
  return record.figures[static_cast<std::size_t>(metric)];
}

LedgerRecord some_record() {
  LedgerRecord record{.time_s = 1'700'000'000,
                      .program = {.major = 0, .minor = 12, .patch = 3},
                      .forecaster = 2,
                      .kind = LedgerKind::kServe,
                      .machine = 0xfedcba9876543210,
                      .model = {.key = 7, .architecture = 1, .type = DType::kQ4_K, .bytes = 123456789012},
                      .workload = {.context_tokens = 4096,
                                   .prompt_tokens = 12,
                                   .generated_tokens = 34,
                                   .depth_tokens = 56,
                                   .threads = 2,
                                   .sequences = 3,
                                   .kv_type = DType::kQ8_0,
                                   .streaming = true}};
  figure_of(record, plan::Metric::kDecode) = {.predicted = {.low = 8.5, .mid = 10.25, .high = 12.125},
                                              .uncorrected = {.low = 7, .mid = 9, .high = 11},
                                              .actual = 0.3125};
  figure_of(record, plan::Metric::kPeakMemory) = {.predicted = {.low = 1e9, .mid = 2e9, .high = 3e9},
                                                  .uncorrected = {.low = 1e9, .mid = 2e9, .high = 3e9},
                                                  .actual = 2'147'483'648};
  return record;
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Ledger, GivesBackWhatItWasGiven) {
  const TempDir dir;
  const std::string path = (dir.path() / "new" / "folder" / "ledger.jsonl").string();
  EXPECT_TRUE(read_ledger(path).records.empty());
  EXPECT_TRUE(read_ledger(path).warnings.empty());
  LedgerRecord second = some_record();
  second.kind = LedgerKind::kBench;
  second.model.architecture.reset();
  second.model.type.reset();
  second.workload.streaming = false;
  ASSERT_TRUE(append_ledger(path, some_record()));
  ASSERT_TRUE(append_ledger(path, second));
  const LedgerContents contents = read_ledger(path);
  EXPECT_TRUE(contents.warnings.empty());
  ASSERT_EQ(contents.records.size(), 2U);
  EXPECT_EQ(contents.records[0], some_record());
  EXPECT_EQ(contents.records[1], second);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U) << "for nobody else to read";
}

TEST(Ledger, TakesTheClockAndSkipsWhatSaysNothing) {
  const TempDir dir;
  const std::string path = (dir.path() / "ledger.jsonl").string();
  LedgerRecord record = some_record();
  record.time_s = 0;
  const std::int64_t before = std::time(nullptr);
  ASSERT_TRUE(append_ledger(path, record));
  figure_of(record, plan::Metric::kDecode)->actual = 0;  // nothing was generated
  ASSERT_TRUE(append_ledger(path, record));
  figure_of(record, plan::Metric::kPeakMemory).reset();
  ASSERT_TRUE(append_ledger(path, record));
  ASSERT_TRUE(append_ledger("", some_record()));
  EXPECT_TRUE(read_ledger("").records.empty());
  auto records = read_ledger(path).records;
  ASSERT_EQ(records.size(), 2U);
  EXPECT_GE(records[0].time_s, before);
  EXPECT_FALSE(figure_of(records[1], plan::Metric::kDecode));
  EXPECT_TRUE(figure_of(records[1], plan::Metric::kPeakMemory));
}

TEST(Ledger, LinesAreJsonOfNumbersAndClosedLists) {
  // Every string of a line is a key in hexadecimal or a word of a table: there is no way for a text to get
  // in.
  std::set<std::string> words = {"run", "chat", "serve", "bench", "0.12.3"};
  for (const quant::Format& format : quant::all_formats()) words.emplace(format.name);
  for (const spec::Architecture& architecture : spec::architectures()) words.emplace(architecture.name);
  LedgerRecord record = some_record();
  const auto check = [&] {
    const std::string line = ledger_line(record);
    EXPECT_TRUE(line.starts_with(kLedgerMark));
    const boost::json::value document = boost::json::parse(line);
    for (const auto& [name, value] : document.as_object()) {
      if (name == "figures") continue;
      ASSERT_FALSE(value.is_structured()) << name;
      if (!value.is_string()) continue;
      const std::string text(value.get_string());
      const bool is_key =
          text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
      EXPECT_TRUE(is_key || words.contains(text)) << text;
    }
    for (const auto& [name, figure] : document.at("figures").as_object()) {
      EXPECT_TRUE(plan::find_metric({name.data(), name.size()})) << name;
      for (const auto& [part, value] : figure.as_object()) {
        EXPECT_TRUE(part == "predicted" || part == "uncorrected" || part == "actual") << part;
        if (!value.is_array()) {
          EXPECT_TRUE(value.is_number()) << part;
          continue;
        }
        for (const auto& number : value.get_array()) EXPECT_TRUE(number.is_number()) << part;
      }
    }
  };
  check();
  record.model.architecture = 65535;  // of no table
  check();
}

TEST(Ledger, TheLongestLineIsShortEnough) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  constexpr std::uint32_t kMost32 = std::numeric_limits<std::uint32_t>::max();
  LedgerRecord record{.time_s = 1LL << 40U,
                      .program = {.major = 65535, .minor = 65535, .patch = 65535},
                      .forecaster = kMost32,
                      .machine = kMost,
                      .model = {.key = kMost, .architecture = 40, .type = DType::kIQ2_XXS, .bytes = kMost},
                      .workload = {.context_tokens = kMost32,
                                   .prompt_tokens = kMost32,
                                   .generated_tokens = kMost32,
                                   .depth_tokens = kMost32,
                                   .threads = kMost32,
                                   .sequences = kMost32}};
  for (auto& figure : record.figures) {
    figure = {.predicted = {1.0 / 3e11, 2.0 / 3e11, 4.0 / 3e11},
              .uncorrected = {1.0 / 7e11, 2.0 / 7e11, 4.0 / 7e11},
              .actual = 1.0 / 9e11};
  }
  const std::string line = ledger_line(record);
  EXPECT_LT(line.size(), kMostLineBytes / 2);
  const auto read = parse_ledger_line(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->machine, kMost);
  EXPECT_EQ(read->workload, record.workload);
  EXPECT_EQ(read->model.bytes, 1ULL << 60U);
  // Boost.JSON may be off by the last bit of a number.
  for (const auto& figure : read->figures) EXPECT_DOUBLE_EQ(figure.value().actual, 1.0 / 9e11);
}

TEST(Ledger, OldNewAndForeignLinesArePassedOverAndStay) {
  const std::string good = ledger_line(some_record());
  struct Case {
    std::string line;
    std::size_t records;
    std::string warning;
  };
  const std::vector<Case> cases = {
      {"", 0, ""},
      {good, 1, ""},
      {"{\"cistern_ledger\":1,\"more\":{\"x\":[1]}," + good.substr(good.find("\"time\"")), 1, ""},
      {"{\"cistern_ledger\":2,\"anything\":[[[{}]]]}", 0, "of a later version"},
      {"{\"cistern_ledger\":0}", 0, "damaged"},
      {"{\"cistern_ledger\":\"1\"}", 0, "damaged"},
      {"{\"cistern_ledger\":1}", 0, "damaged"},
      {"{\"cistern_ledger\":-1}", 0, "damaged"},
      {"{\"cistern_ledger\":" + std::string(3000, '['), 0, "damaged"},
      {good.substr(0, good.size() / 2), 0, "damaged"},
      {good + good, 0, "damaged"},
      {good.substr(0, 40) + std::string(100'000, ' ') + good.substr(40), 0, "damaged"},
      {std::string("{\"cistern_ledger\":1\0}", 21), 0, "damaged"},
      {"{\"other\":1}", 0, "not of a ledger"},
      {"hello", 0, "not of a ledger"},
      {std::string(3'000'000, 'x'), 0, "not of a ledger"},
      {std::string(1000, '\0'), 0, "not of a ledger"},
      {"\xff\xfe\x80", 0, "not of a ledger"},
  };
  for (const Case& each : cases) {
    const TempDir dir;
    const std::string before = fmt::format("{0}\n{1}\n{0}\n", good, each.line);
    const std::string path = dir.write("ledger.jsonl", before).string();
    const LedgerContents contents = read_ledger(path);
    EXPECT_EQ(contents.records.size(), 2 + each.records) << each.line.substr(0, 60);
    ASSERT_EQ(contents.warnings.size(), each.warning.empty() ? 0U : 1U) << each.line.substr(0, 60);
    if (!each.warning.empty()) {
      EXPECT_NE(contents.warnings[0].find(each.warning), std::string::npos) << contents.warnings[0];
    }
    ASSERT_TRUE(append_ledger(path, some_record()));
    EXPECT_EQ(text_of(path), before + good + "\n");
  }
}

TEST(Ledger, DamagedMembersAreNoRecord) {
  const boost::json::object good = boost::json::parse(ledger_line(some_record())).as_object();
  for (const auto& [name, value] : good) {
    const bool optional = name == "arch" || name == "type";
    for (const auto& bad : std::vector<boost::json::value>{nullptr, -1, 1e300, "x", boost::json::array{1},
                                                           boost::json::object{{"x", 1}}}) {
      boost::json::object damaged = good;
      damaged[name] = bad;
      const auto record = parse_ledger_line(boost::json::serialize(damaged));
      const bool is_another_word =
          (bad.is_string() && (optional || name == "program")) || (name == "figures" && bad.is_object());
      EXPECT_EQ(record.has_value(), is_another_word) << name << " " << boost::json::serialize(bad);
    }
    boost::json::object without = good;
    without.erase(name);
    // Boost.JSON fills the gap with the last member.
    if (name == "cistern_ledger") continue;
    EXPECT_EQ(parse_ledger_line(boost::json::serialize(boost::json::object(without))).has_value(), optional)
        << name;
  }
}

TEST(Ledger, FiguresThatSayNothingAreLeftOut) {
  const std::string good = ledger_line(some_record());
  const std::size_t begin = good.find("{\"predicted\"");
  const std::size_t end = good.find('}', begin) + 1;
  const auto with = [&](const std::string& figure) {
    return parse_ledger_line(good.substr(0, begin) + figure + good.substr(end));
  };
  for (const char* figure :
       {"1", "{}", "[]", "null", R"({"predicted":[1,2,3]})", R"({"predicted":[1,2],"actual":1})",
        R"({"predicted":[3,2,1],"actual":1})", R"({"predicted":[1,2,3],"actual":-1})",
        R"({"predicted":[1,2,3],"actual":1e300})", R"({"predicted":[1,2,3],"actual":"1"})",
        R"({"predicted":[1,"x",3],"actual":1})", R"({"predicted":{"low":1},"actual":1})",
        R"({"predicted":[1,2,3],"uncorrected":5,"actual":1})"}) {
    auto record = with(figure);
    ASSERT_TRUE(record) << figure;
    EXPECT_FALSE(figure_of(*record, plan::Metric::kDecode)) << figure;
    EXPECT_TRUE(figure_of(*record, plan::Metric::kPeakMemory)) << figure;
  }
  // Beyond the range of a double: the library may refuse the number, and with it the line.
  auto record = with(R"({"predicted":[1,2,3],"actual":1e999})");
  EXPECT_FALSE(record && figure_of(*record, plan::Metric::kDecode));
}

TEST(Ledger, ChangedBytesNeverCrash) {
  const std::string good = ledger_line(some_record());
  Rng rng(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string line = good;
    for (std::uint64_t i = rng.next() % 4 + 1; i-- > 0;)
      line[rng.next() % line.size()] = static_cast<char>(rng.next() % 256);
    if (const auto record = parse_ledger_line(line)) {
      for (const auto& figure : record->figures) EXPECT_TRUE(!figure || is_usable(*figure));
      EXPECT_TRUE(parse_ledger_line(ledger_line(*record)));
    }
  }
}

TEST(Ledger, ATornLastLineIsSkippedAndStays) {
  const std::string good = ledger_line(some_record());
  for (std::size_t length = 0; length < good.size(); length += 5) {
    const TempDir dir;
    const std::string torn = fmt::format("{}\n{}", good, good.substr(0, length));
    const std::string path = dir.write("ledger.jsonl", torn).string();
    EXPECT_EQ(read_ledger(path).records.size(), 1U);
    EXPECT_TRUE(read_ledger(path).warnings.empty());
    ASSERT_TRUE(append_ledger(path, some_record()));
    EXPECT_EQ(text_of(path), fmt::format("{}{}{}\n", torn, length > 0 ? "\n" : "", good));
    EXPECT_EQ(read_ledger(path).records.size(), 2U);
  }
  // The very first line too.
  for (std::size_t length = 1; length < good.size(); length += 5) {
    const TempDir dir;
    const std::string path = dir.write("ledger.jsonl", good.substr(0, length)).string();
    ASSERT_TRUE(append_ledger(path, some_record())) << length;
    EXPECT_EQ(read_ledger(path).records.size(), 1U);
  }
}

TEST(Ledger, AFileThatIsNoneIsNotTouched) {
  for (const std::string& text : {std::string("my diary\nwithout numbers\n"), std::string("{}"),
                                  std::string(200'000, 'x'), std::string("\0\0\0\0", 4), std::string("\n")}) {
    const TempDir dir;
    const std::string path = dir.write("ledger.jsonl", text).string();
    const auto appended = append_ledger(path, some_record());
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code, ErrorCode::kFormat);
    EXPECT_EQ(appended.error().where, path);
    EXPECT_EQ(text_of(path), text);
    EXPECT_TRUE(read_ledger(path).records.empty());
    EXPECT_EQ(read_ledger(path).warnings.size(), text == "\n" ? 0U : 1U);
  }
}

TEST(Ledger, WhatCannotBeReadOrWrittenIsAWarning) {
  const TempDir dir;
  const auto expect_refused = [](const std::string& path) {
    const auto appended = append_ledger(path, some_record());
    ASSERT_FALSE(appended) << path;
    EXPECT_EQ(appended.error().code, ErrorCode::kIo) << path;
    EXPECT_EQ(read_ledger(path).warnings.size(), 1U) << path;
    EXPECT_TRUE(read_ledger(path).records.empty()) << path;
  };
  const std::string folder = (dir.path() / "folder").string();
  fs::create_directories(folder);
  expect_refused(folder);
  const std::string pipe = (dir.path() / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_refused(pipe);
  expect_refused("/dev/null");
  fs::create_symlink("loop", dir.path() / "loop");
  expect_refused((dir.path() / "loop").string());
  if (::geteuid() != 0) {
    const std::string closed = dir.write("closed.jsonl", "").string();
    fs::permissions(closed, fs::perms::none);
    expect_refused(closed);
  }
  const std::string below_a_file = dir.write("file", "x").string() + "/ledger.jsonl";
  EXPECT_FALSE(append_ledger(below_a_file, some_record()));
  EXPECT_TRUE(read_ledger(below_a_file).records.empty());
}

TEST(Ledger, TheEndIsReadFromTheBeginningOfALineOn) {
  const TempDir dir;
  const std::string path = (dir.path() / "ledger.jsonl").string();
  LedgerRecord record = some_record();
  for (int i = 0; i < 10; ++i) {
    record.forecaster = static_cast<std::uint32_t>(i);
    ASSERT_TRUE(append_ledger(path, record));
  }
  const std::size_t line_bytes = ledger_line(record).size() + 1;
  for (const std::size_t bytes : {3 * line_bytes, 3 * line_bytes + 1, 4 * line_bytes - 1}) {
    const LedgerContents contents = read_ledger(path, bytes);
    ASSERT_EQ(contents.records.size(), 3U);
    EXPECT_EQ(contents.records[0].forecaster, 7U);
    EXPECT_TRUE(contents.warnings.empty());
  }
  EXPECT_TRUE(read_ledger(path, line_bytes - 1).records.empty());
  EXPECT_TRUE(read_ledger(path, 0).records.empty());
  EXPECT_EQ(read_ledger(path).records.size(), 10U);
}

TEST(Ledger, OutcomesAreOfPlacesModelsAndForecasters) {
  LedgerRecord record = some_record();
  std::vector<plan::Outcome> outcomes = outcomes_of({record});
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(outcomes[0].metric, plan::Metric::kDecode);
  EXPECT_EQ(outcomes[0].model, 7U);
  EXPECT_EQ(outcomes[0].place, place_key(record.machine, true));
  EXPECT_NE(outcomes[0].place, place_key(record.machine, false));
  EXPECT_NE(outcomes[0].place, place_key(record.machine + 1, true));
  EXPECT_EQ(outcomes[0].predicted.mid, 10.25);
  EXPECT_EQ(outcomes[0].uncorrected.mid, 9);
  EXPECT_TRUE(outcomes_of({record}, 1).empty());
  EXPECT_EQ(outcomes_of({record}, 2).size(), 2U);
}

TEST(Ledger, VersionsAreThreeNumbers) {
  EXPECT_EQ(parse_program_version("1.20.300"), (ProgramVersion{.major = 1, .minor = 20, .patch = 300}));
  for (const char* bad :
       {"", "1", "1.2", "1.2.", "1.2.3.4", "1.2.x", "-1.2.3", "1..3", "1.2.99999", "v1.2.3"})
    EXPECT_EQ(parse_program_version(bad), ProgramVersion()) << bad;
}

TEST(LedgerPath, FollowsTheEnvironment) {
  const auto set = [](const char* name, const char* value) { ASSERT_EQ(setenv(name, value, 1), 0); };
  set("HOME", "/home/me");
  set("XDG_STATE_HOME", "");
  EXPECT_EQ(default_ledger_path(), "/home/me/.local/state/cistern/ledger.jsonl");
  set("XDG_STATE_HOME", "/state");
  EXPECT_EQ(default_ledger_path(), "/state/cistern/ledger.jsonl");
  set("XDG_STATE_HOME", "relative");
  EXPECT_EQ(default_ledger_path(), "/home/me/.local/state/cistern/ledger.jsonl");
  set("HOME", "");
  EXPECT_EQ(default_ledger_path(), "");
}

TEST(LedgerKeys, TellMachinesApart) {
  const MachineTraits here{
      .processor = "Some Processor", .cores = 2, .memory_bytes = 4ULL << 30U, .backend = "avx512"};
  std::set<std::uint64_t> keys = {machine_key(here)};
  MachineTraits other = here;
  other.memory_bytes -= 100U << 20U;  // what a new kernel keeps for itself
  EXPECT_EQ(machine_key(other), machine_key(here));
  other.memory_bytes = 8ULL << 30U;
  EXPECT_TRUE(keys.insert(machine_key(other)).second);
  other = here;
  other.cores = 4;
  EXPECT_TRUE(keys.insert(machine_key(other)).second);
  other = here;
  other.backend = "avx2";
  EXPECT_TRUE(keys.insert(machine_key(other)).second);
  other = here;
  other.processor = "Some Processor 2";
  EXPECT_TRUE(keys.insert(machine_key(other)).second);
}

struct FileOf {
  std::string architecture = "qwen3";
  std::string name = "a name";
  std::string tensor = "token_embd.weight";
  std::uint64_t rows = 4;
};

LedgerModel model_of(const FileOf& what) {
  testing::GgufWriter writer;
  writer.add("general.architecture", what.architecture).add("general.name", what.name);
  writer.tensor(what.tensor, {8, what.rows}, std::vector<float>(8 * what.rows, 0.5F));
  const std::vector<std::byte> bytes = writer.build();
  const auto files = file::open_model(bytes, "test");
  if (!files) {
    ADD_FAILURE() << describe(files.error());
    return {};
  }
  return ledger_model(files->inventory);
}

TEST(LedgerKeys, TellModelsApartByWhatDecidesTheirSpeed) {
  const LedgerModel model = model_of({});
  ASSERT_TRUE(model.architecture);
  EXPECT_EQ(spec::architectures()[*model.architecture].name, "qwen3");
  EXPECT_EQ(model.type, DType::kF32);
  EXPECT_EQ(model.bytes, 4 * 8 * 4U);
  EXPECT_EQ(model_of({.name = "another name"}), model);
  EXPECT_EQ(model_of({.tensor = "anything"}), model);
  EXPECT_NE(model_of({.rows = 5}).key, model.key);
  EXPECT_NE(model_of({.architecture = "qwen2"}).key, model.key);
  EXPECT_FALSE(model_of({.architecture = "no such thing"}).architecture);
}

}  // namespace
}  // namespace cistern::engine
