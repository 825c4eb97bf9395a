#include "plan/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/csv.h"
#include "plan/catalogue/tables.h"

namespace cistern::plan {
namespace {

constexpr double kMost = 1e9;  // of any figure

struct KindName {
  std::string_view name;
  HardwareKind kind;
};
constexpr std::array<KindName, 3> kKinds = {{
    {"gpu", HardwareKind::kGpu},
    {"soc", HardwareKind::kSoc},
    {"cpu", HardwareKind::kCpu},
}};

struct NumberColumn {
  std::string_view name;
  double Hardware::* member;
};
constexpr std::array<NumberColumn, 11> kNumbers = {{
    {"bandwidth_gbps", &Hardware::bandwidth_gbps},
    {"fp32_tflops", &Hardware::fp32_tflops},
    {"fp16_tflops", &Hardware::fp16_tflops},
    {"int8_tops", &Hardware::int8_tops},
    {"mt_s", &Hardware::mt_s},
    {"cpu_bandwidth_gbps", &Hardware::cpu_bandwidth_gbps},
    {"cpu_fp32_tflops", &Hardware::cpu_fp32_tflops},
    {"cpu_int8_tops", &Hardware::cpu_int8_tops},
    {"link_gbps", &Hardware::link_gbps},
    {"tdp_w", &Hardware::tdp_w},
    {"price_usd", &Hardware::price_usd},
}};

struct IntegerColumn {
  std::string_view name;
  int Hardware::* member;
  double most;
};
constexpr std::array<IntegerColumn, 2> kIntegers = {{
    {"channels", &Hardware::channels, 1024},
    {"year", &Hardware::year, 9999},
}};

struct TextColumn {
  std::string_view name;
  std::string Hardware::* member;
};
constexpr std::array<TextColumn, 8> kTexts = {{
    {"name", &Hardware::name},
    {"vendor", &Hardware::vendor},
    {"arch", &Hardware::architecture},
    {"memory_type", &Hardware::memory_type},
    {"link", &Hardware::link},
    {"source", &Hardware::source},
    {"verification", &Hardware::verification},
    {"notes", &Hardware::notes},
}};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Result<std::vector<double>> memory_sizes(const CsvTable& table, const CsvRow& row, std::size_t column) {
  std::vector<double> sizes;
  for (const std::string& size : split(row.fields[column], '/')) {
    const std::optional<double> gb = parse_decimal(size);
    if (!gb || *gb <= 0 || *gb > kMost)
      return fail(ErrorCode::kFormat, fmt::format("'{}' is not a size in GB", size),
                  table.where(row, column));
    sizes.push_back(*gb);
  }
  if (sizes.empty()) return fail(ErrorCode::kFormat, "a size in GB is missing", table.where(row, column));
  return sizes;
}

Result<Hardware> read_row(const CsvTable& table, const CsvRow& row) {
  Hardware hardware;
  for (const TextColumn& text : kTexts) {
    if (const auto column = table.column(text.name)) hardware.*text.member = row.fields[*column];
  }
  for (const NumberColumn& number : kNumbers) {
    const auto column = table.column(number.name);
    if (!column) continue;
    CISTERN_TRY(hardware.*number.member, table.number(row, *column, 0, 0, kMost));
  }
  for (const IntegerColumn& integer : kIntegers) {
    const auto column = table.column(integer.name);
    if (!column) continue;
    CISTERN_TRY(const double value, table.number(row, *column, 0, 0, integer.most));
    hardware.*integer.member = static_cast<int>(value);
  }
  if (const auto column = table.column("aliases")) hardware.aliases = split(row.fields[*column], '|');
  CISTERN_TRY(hardware.memory_gb, memory_sizes(table, row, *table.column("memory_gb")));
  const std::size_t kind_column = *table.column("kind");
  const auto kind = std::ranges::find(kKinds, row.fields[kind_column], &KindName::name);
  if (kind == kKinds.end()) {
    return fail(ErrorCode::kFormat, fmt::format("'{}' is no kind: gpu, soc or cpu", row.fields[kind_column]),
                table.where(row, kind_column));
  }
  hardware.kind = kind->kind;
  if (hardware.name.empty())
    return fail(ErrorCode::kFormat, "a row needs a name", table.where(row, *table.column("name")));
  if (hardware.bandwidth_gbps <= 0) {
    return fail(ErrorCode::kFormat, "a row needs a bandwidth in GB/s",
                table.where(row, *table.column("bandwidth_gbps")));
  }
  return hardware;
}

template <class Value>
double sum_over(const System& system, Value value) {
  double sum = 0;
  for (const Part& part : system.devices) sum += value(part) * part.count;
  if (system.host) sum += value(*system.host) * system.host->count;
  return sum;
}

bool is_unconfirmed(const Part& part) {
  return part.hardware.verification.find("unconfirmed") != std::string::npos ||
         part.hardware.notes.find("unconfirmed") != std::string::npos;
}

}  // namespace

std::string_view name_of(HardwareKind kind) {
  return std::ranges::find(kKinds, kind, &KindName::kind)->name;
}

int System::device_count() const {
  int count = 0;
  for (const Part& part : devices) count += part.count;
  return count;
}

std::uint64_t System::device_bytes() const {
  std::uint64_t bytes = 0;
  for (const Part& part : devices) bytes += part.memory_bytes * static_cast<std::uint64_t>(part.count);
  return bytes;
}

double System::price_usd() const {
  return sum_over(*this, [](const Part& part) { return part.hardware.price_usd; });
}

double System::power_w() const {
  return sum_over(*this, [](const Part& part) { return part.hardware.tdp_w; });
}

bool System::unconfirmed() const {
  return std::ranges::any_of(devices, is_unconfirmed) || (host && is_unconfirmed(*host));
}

Result<Catalogue> Catalogue::parse(std::string_view text, std::string name) {
  CISTERN_TRY(const CsvTable table, CsvTable::parse(text, std::move(name)));
  for (const std::string_view required : {"name", "kind", "memory_gb", "bandwidth_gbps"}) {
    CISTERN_TRY([[maybe_unused]] const std::size_t column, table.required_column(required));
  }
  Catalogue catalogue;
  for (const CsvRow& row : table.rows()) {
    CISTERN_TRY(Hardware hardware, read_row(table, row));
    catalogue.rows_.push_back(std::move(hardware));
  }
  catalogue.index_names();
  return catalogue;
}

Catalogue Catalogue::built_in() {
  Result<Catalogue> catalogue = parse(hardware_table(), "hardware.csv");
  CISTERN_CHECK(catalogue.has_value());
  return *std::move(catalogue);
}

void Catalogue::prefer(Catalogue other) {
  other.rows_.insert(other.rows_.end(), std::make_move_iterator(rows_.begin()),
                     std::make_move_iterator(rows_.end()));
  rows_ = std::move(other.rows_);
  index_names();
}

}  // namespace cistern::plan
