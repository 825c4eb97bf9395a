// A record of the ledger as one line of JSON, and back. Written by this program and read by versions to come,
// but also by whoever edits the file: every number is checked. Internal to engine/. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "engine/ledger.h"

namespace cistern::engine {

// The beginning of every line of every version; what follows is the number of the format.
inline constexpr std::string_view kLedgerMark = "{\"cistern_ledger\":";
// No line of a record is longer.
inline constexpr std::size_t kMostLineBytes = 4096;

enum class LineFault {
  kForeign,  // no line of a ledger
  kNewer,    // of a format, or with a word, of a later version
  kDamaged,  // begins like one of ours
};

// Without a newline. Figures that are not usable are left out. REQUIRES: enumerators that exist.
std::string ledger_line(const LedgerRecord& record);

// Members that are not known are passed over.
std::expected<LedgerRecord, LineFault> parse_ledger_line(std::string_view line);

// Whether a record of this figure says anything.
bool is_usable(const LedgerFigure& figure);

}  // namespace cistern::engine
