#include "support/hostile.h"

#include <gtest/gtest.h>

#include <charconv>
#include <sstream>
#include <string_view>

#include "support/fixtures.h"

namespace cistern::testing {
namespace {

std::vector<std::byte> parse_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 2 <= hex.size(); i += 2) {
    unsigned value = 0;
    const auto result = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    EXPECT_EQ(result.ptr, hex.data() + i + 2) << hex;
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

void append(std::vector<std::byte>& out, const std::vector<std::byte>& piece) {
  out.insert(out.end(), piece.begin(), piece.end());
}

// One line behind a `case` line.
void apply(const std::string& line, const std::vector<std::byte>& base, std::vector<std::byte>& out) {
  std::istringstream in(line);
  std::string what;
  std::string hex;
  std::size_t offset = 0;
  std::size_t count = 0;
  in >> what;
  if (what == "copy" && in >> offset >> count && offset <= base.size() && count <= base.size() - offset) {
    const auto begin = base.begin() + static_cast<std::ptrdiff_t>(offset);
    out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
  } else if (what == "hex" && in >> hex) {
    append(out, parse_hex(hex));
  } else if (what == "repeat" && in >> count >> hex) {
    const auto piece = parse_hex(hex);
    for (std::size_t i = 0; i < count; ++i) append(out, piece);
  } else {
    ADD_FAILURE() << "hostile/cases.txt: cannot read the line: " << line;
  }
}

HostileCase parse_case(const std::string& line) {
  std::istringstream in(line);
  std::string keyword;
  HostileCase result;
  in >> keyword >> result.name >> result.expect >> std::ws;
  std::getline(in, result.about);
  return result;
}

}  // namespace

std::vector<HostileCase> load_hostile_cases() {
  const auto base = read_bytes(data_dir() / "hostile" / "ok.gguf");
  std::vector<HostileCase> cases;
  for (const std::string& line : read_lines(data_dir() / "hostile" / "cases.txt")) {
    if (line.starts_with('#')) continue;
    if (line.starts_with("case ")) {
      cases.push_back(parse_case(line));
    } else if (cases.empty()) {
      ADD_FAILURE() << "hostile/cases.txt: an edit before the first case";
    } else {
      apply(line, base, cases.back().bytes);
    }
  }
  return cases;
}

}  // namespace cistern::testing
