// Tables as text: comma-separated values with a line of column names, as RFC 4180 has them ("quoted, fields"
// with doubled quotes and line breaks inside, LF or CRLF). Used for the catalogue of hardware, tables of
// measurements and fitted parameters. The text is untrusted: whatever is wrong is an error with file, line
// and, where there is one, column. Pure; owns its strings.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cistern {

struct CsvRow {
  std::size_t line = 0;  // of its first byte; the header is on line 1
  std::vector<std::string> fields;
};

class CsvTable {
 public:
  // `name` is what errors call the text, a path for example. Lines that are empty are left out; every other
  // has as many fields as the header. Errors: kFormat.
  static Result<CsvTable> parse(std::string_view text, std::string name);

  const std::string& name() const { return name_; }
  std::span<const CsvRow> rows() const { return rows_; }
  std::span<const std::string> columns() const { return columns_; }

  std::optional<std::size_t> column(std::string_view name) const;

  // Errors: kFormat, with the nearest of the columns that are there.
  Result<std::size_t> required_column(std::string_view name) const;

  // The field as a finite number from `least` to `most`; `absent` when it is empty. Errors: kFormat.
  Result<double> number(const CsvRow& row, std::size_t column, double absent, double least,
                        double most) const;

  // "F.csv, line 3, column tdp_w"
  std::string where(const CsvRow& row, std::size_t column) const;

 private:
  std::string name_;
  std::vector<std::string> columns_;
  std::vector<CsvRow> rows_;
};

// The whole of `text` as a finite decimal number. Nothing: it is not one.
std::optional<double> parse_decimal(std::string_view text);

}  // namespace cistern
