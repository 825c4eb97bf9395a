#include "engine/ledger_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <limits>

#include "base/check.h"
#include "quant/format.h"
#include "spec/registry.h"

namespace cistern::engine {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kFormat = 1;
constexpr std::array<std::string_view, 4> kKinds = {"run", "chat", "serve", "bench"};  // by LedgerKind
constexpr std::uint64_t kMostTime = 1ULL << 40U;
constexpr std::uint64_t kMostBytes = 1ULL << 60U;
constexpr std::uint64_t kMostU32 = std::numeric_limits<std::uint32_t>::max();

std::string interval_text(const plan::Interval& interval) {
  return fmt::format("[{},{},{}]", interval.low, interval.mid, interval.high);
}

std::string figure_text(const LedgerFigure& figure) {
  std::string text = fmt::format("{{\"predicted\":{}", interval_text(figure.predicted));
  if (figure.uncorrected != figure.predicted) {
    text += fmt::format(",\"uncorrected\":{}", interval_text(figure.uncorrected));
  }
  return text + fmt::format(",\"actual\":{}}}", figure.actual);
}

template <class T>
std::optional<T> number_in(const json::value& value) {
  json::error_code error;
  const T number = value.to_number<T>(error);
  return error ? std::nullopt : std::optional<T>(number);
}

// Reads members of an object, and remembers the worst that was found.
class Reader {
 public:
  explicit Reader(const json::object& object) : object_(object) {}

  // Absent or out of range: damage, and 0.
  std::uint64_t whole(std::string_view name, std::uint64_t most) {
    const json::value* value = find(name);
    if (value == nullptr) return 0;
    const auto number = number_in<std::uint64_t>(*value);
    if (!number || *number > most) return spoil();
    return *number;
  }
  std::uint32_t u32(std::string_view name) { return static_cast<std::uint32_t>(whole(name, kMostU32)); }

  bool boolean(std::string_view name) {
    const json::value* value = find(name);
    if (value != nullptr && value->is_bool()) return value->get_bool();
    spoil();
    return false;
  }

  std::string_view text(std::string_view name) {
    const json::value* value = find(name);
    if (value != nullptr && value->is_string())
      return {value->get_string().data(), value->get_string().size()};
    spoil();
    return {};
  }

  // JSON has no whole numbers of 64 bits that every reader keeps, so keys are written in hexadecimal.
  std::uint64_t key(std::string_view name) {
    const std::string_view digits = text(name);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return spoil();
    return value;
  }

  bool has(std::string_view name) const { return object_.contains({name.data(), name.size()}); }
  bool is_damaged() const { return damaged_; }

 private:
  const json::value* find(std::string_view name) {
    const json::value* value = object_.if_contains({name.data(), name.size()});
    if (value == nullptr) spoil();
    return value;
  }
  std::uint64_t spoil() {
    damaged_ = true;
    return 0;
  }

  const json::object& object_;
  bool damaged_ = false;
};

std::optional<DType> find_type(std::string_view name) {
  const quant::Format* format = quant::find_by_name(name);
  if (format == nullptr) return std::nullopt;
  return format->dtype;
}

std::optional<plan::Interval> read_interval(const json::value* value) {
  const json::array* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr || array->size() != 3) return std::nullopt;
  std::array<double, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = number_in<double>((*array)[i]);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  return plan::Interval{.low = numbers[0], .mid = numbers[1], .high = numbers[2]};
}

// Nothing: not a figure that says anything.
std::optional<LedgerFigure> read_figure(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto predicted = read_interval(object->if_contains("predicted"));
  const json::value* first = object->if_contains("uncorrected");
  const auto uncorrected = first == nullptr ? predicted : read_interval(first);
  const json::value* actual = object->if_contains("actual");
  if (!predicted || !uncorrected || actual == nullptr) return std::nullopt;
  const auto number = number_in<double>(*actual);
  if (!number) return std::nullopt;
  const LedgerFigure figure{.predicted = *predicted, .uncorrected = *uncorrected, .actual = *number};
  return is_usable(figure) ? std::optional(figure) : std::nullopt;
}

LedgerModel read_model(Reader& reader) {
  LedgerModel model{.key = reader.key("model"), .bytes = reader.whole("model_bytes", kMostBytes)};
  if (reader.has("arch")) {
    // An architecture that only a later version knows is none here; the key tells models apart.
    const std::string_view name = reader.text("arch");
    const auto rows = spec::architectures();
    const auto row = std::ranges::find(rows, name, &spec::Architecture::name);
    if (row != rows.end()) model.architecture = static_cast<std::uint16_t>(row - rows.begin());
  }
  if (reader.has("type")) model.type = find_type(reader.text("type"));
  return model;
}

std::expected<LedgerRecord, LineFault> read_record(const json::object& object) {
  Reader reader(object);
  const std::string_view kind = reader.text("kind");
  const std::string_view kv_type = reader.text("kv");
  LedgerRecord record{.time_s = static_cast<std::int64_t>(reader.whole("time", kMostTime)),
                      .program = parse_program_version(reader.text("program")),
                      .forecaster = reader.u32("forecaster"),
                      .machine = reader.key("machine"),
                      .model = read_model(reader),
                      .workload = {.context_tokens = reader.u32("context"),
                                   .prompt_tokens = reader.u32("prompt"),
                                   .generated_tokens = reader.u32("generated"),
                                   .depth_tokens = reader.u32("depth"),
                                   .threads = reader.u32("threads"),
                                   .sequences = reader.u32("sequences"),
                                   .streaming = reader.boolean("streaming")}};
  const json::value* figures = object.if_contains("figures");
  if (reader.is_damaged() || figures == nullptr || !figures->is_object())
    return std::unexpected(LineFault::kDamaged);
  const auto known_kind = std::ranges::find(kKinds, kind);
  const auto known_type = find_type(kv_type);
  if (known_kind == kKinds.end() || !known_type) return std::unexpected(LineFault::kNewer);
  record.kind = static_cast<LedgerKind>(known_kind - kKinds.begin());
  record.workload.kv_type = *known_type;
  for (const auto& [name, value] : figures->get_object()) {
    const auto metric = plan::find_metric({name.data(), name.size()});
    if (metric) record.figures[static_cast<std::size_t>(*metric)] = read_figure(value);
  }
  return record;
}

}  // namespace

bool is_usable(const LedgerFigure& figure) {
  return plan::is_usable(plan::Outcome{
      .predicted = figure.predicted, .uncorrected = figure.uncorrected, .actual = figure.actual});
}

// Numbers and names out of tables only, so nothing needs quoting.
std::string ledger_line(const LedgerRecord& record) {
  const LedgerWorkload& work = record.workload;
  std::string line = fmt::format(
      "{}{},\"time\":{},\"program\":\"{}.{}.{}\",\"forecaster\":{},\"kind\":\"{}\"", kLedgerMark, kFormat,
      std::max<std::int64_t>(0, record.time_s), record.program.major, record.program.minor,
      record.program.patch, record.forecaster, kKinds[static_cast<std::size_t>(record.kind)]);
  line += fmt::format(",\"machine\":\"{:016x}\",\"model\":\"{:016x}\"", record.machine, record.model.key);
  if (record.model.architecture && *record.model.architecture < spec::architectures().size())
    line += fmt::format(",\"arch\":\"{}\"", spec::architectures()[*record.model.architecture].name);
  if (record.model.type) line += fmt::format(",\"type\":\"{}\"", quant::format_of(*record.model.type).name);
  line += fmt::format(",\"model_bytes\":{},\"context\":{},\"prompt\":{},\"generated\":{},\"depth\":{}",
                      std::min(record.model.bytes, kMostBytes), work.context_tokens, work.prompt_tokens,
                      work.generated_tokens, work.depth_tokens);
  line += fmt::format(",\"threads\":{},\"kv\":\"{}\",\"sequences\":{},\"streaming\":{},\"figures\":{{",
                      work.threads, quant::format_of(work.kv_type).name, work.sequences, work.streaming);
  bool first = true;
  for (const plan::Metric metric : plan::kAllMetrics) {
    const auto& figure = record.figures[static_cast<std::size_t>(metric)];
    if (!figure || !is_usable(*figure)) continue;
    line += fmt::format("{}\"{}\":{}", first ? "" : ",", plan::name_of(metric), figure_text(*figure));
    first = false;
  }
  line += "}}";
  CISTERN_CHECK(line.size() <= kMostLineBytes);
  return line;
}

std::expected<LedgerRecord, LineFault> parse_ledger_line(std::string_view line) {
  if (!line.starts_with(kLedgerMark)) return std::unexpected(LineFault::kForeign);
  if (line.size() > kMostLineBytes) return std::unexpected(LineFault::kDamaged);
  json::error_code error;
  json::parse_options options;
  options.max_depth = 16;
  const json::value document = json::parse({line.data(), line.size()}, error, {}, options);
  if (error || !document.is_object()) return std::unexpected(LineFault::kDamaged);
  const json::object& object = document.get_object();
  const json::value* format = object.if_contains("cistern_ledger");
  const auto number = number_in<std::uint64_t>(*format);
  if (!number || *number == 0) return std::unexpected(LineFault::kDamaged);
  if (*number > kFormat) return std::unexpected(LineFault::kNewer);
  return read_record(object);
}

ProgramVersion parse_program_version(std::string_view text) {
  std::array<std::uint16_t, 3> parts{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [next, error] = std::from_chars(at, end, parts[i]);
    const bool last = i + 1 == parts.size();
    if (error != std::errc() || (last ? next != end : next == end || *next != '.')) return {};
    at = last ? next : next + 1;
  }
  return {.major = parts[0], .minor = parts[1], .patch = parts[2]};
}

}  // namespace cistern::engine
