#include "base/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/nearest.h"

namespace cistern {
namespace {

constexpr std::size_t kMostFields = 256;  // of a line
constexpr std::size_t kMostRows = 1'000'000;
constexpr std::size_t kMostNumberBytes = 64;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Walks over the text one record at a time.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  bool at_end() const { return at_ >= text_.size(); }

  Result<CsvRow> next() {
    CsvRow row{.line = line_, .fields = {}};
    for (;;) {
      CISTERN_TRY(std::string field, at_quote() ? quoted() : Result<std::string>(plain()));
      row.fields.push_back(std::move(field));
      if (row.fields.size() > kMostFields) return failure(fmt::format("more than {} fields", kMostFields));
      if (at_end()) return row;
      const char c = text_[at_++];
      if (c == ',') continue;
      if (c == '\r' && !at_end() && text_[at_] == '\n') ++at_;
      ++line_;
      return row;
    }
  }

 private:
  bool at_quote() const { return !at_end() && text_[at_] == '"'; }

  std::unexpected<Error> failure(std::string message) const {
    return fail(ErrorCode::kFormat, std::move(message), fmt::format("{}, line {}", name_, line_));
  }

  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    const std::string_view field = text_.substr(at_, end - at_);
    at_ = end;
    return std::string(trimmed(field));
  }

  Result<std::string> quoted() {
    std::string field;
    ++at_;
    for (; !at_end(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c != '"') {
        field.push_back(c);
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field.push_back('"');
        ++at_;
      } else {
        ++at_;
        if (!at_end() && std::string_view(",\r\n").find(text_[at_]) == std::string_view::npos)
          return failure("text behind a closing quote");
        return field;
      }
    }
    return failure("a quote is not closed");
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<CsvTable> CsvTable::parse(std::string_view text, std::string name) {
  CsvTable table;
  table.name_ = std::move(name);
  Reader reader(text, table.name_);
  if (reader.at_end())
    return fail(ErrorCode::kFormat, "the table is empty; its first line names the columns", table.name_);
  CISTERN_TRY(CsvRow header, reader.next());
  table.columns_ = std::move(header.fields);
  while (!reader.at_end()) {
    CISTERN_TRY(CsvRow row, reader.next());
    if (row.fields.size() == 1 && row.fields[0].empty()) continue;
    if (row.fields.size() != table.columns_.size()) {
      return fail(
          ErrorCode::kFormat,
          fmt::format("{} fields, but the first line names {}", row.fields.size(), table.columns_.size()),
          fmt::format("{}, line {}", table.name_, row.line));
    }
    if (table.rows_.size() == kMostRows)
      return fail(ErrorCode::kFormat, fmt::format("more than {} rows", kMostRows), table.name_);
    table.rows_.push_back(std::move(row));
  }
  return table;
}

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  const auto found = std::ranges::find(columns_, name);
  if (found == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns_.begin());
}

Result<std::size_t> CsvTable::required_column(std::string_view name) const {
  if (const auto found = column(name)) return *found;
  const std::string near = nearest(name, columns_);
  return fail(ErrorCode::kFormat,
              fmt::format("there is no column '{}'{}", name,
                          near.empty() ? std::string() : fmt::format("; the nearest is '{}'", near)),
              fmt::format("{}, line 1", name_));
}

Result<double> CsvTable::number(const CsvRow& row, std::size_t column, double absent, double least,
                                double most) const {
  const std::string& field = row.fields[column];
  if (field.empty()) return absent;
  const std::optional<double> value = parse_decimal(field);
  if (!value) return fail(ErrorCode::kFormat, fmt::format("'{}' is not a number", field), where(row, column));
  if (*value < least || *value > most) {
    return fail(ErrorCode::kFormat, fmt::format("{} is not from {} to {}", field, least, most),
                where(row, column));
  }
  return *value;
}

std::string CsvTable::where(const CsvRow& row, std::size_t column) const {
  return fmt::format("{}, line {}, column {}", name_, row.line, columns_[column]);
}

std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.size() > kMostNumberBytes) return std::nullopt;
  // strtod knows more than decimals: blanks, hexadecimals, names of infinities.
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return std::nullopt;
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace cistern
