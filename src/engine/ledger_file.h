// The file under the ledger: whole lines added by any number of processes at once, its older half moved to an
// archive when it grows too large, its end read. Knows lines, not what is in them, but for the mark that they
// begin with. Internal to engine/. Thread-safe: every call opens the file anew, and locks are the system's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cistern::engine {

struct LedgerLimits {
  std::uint64_t most_bytes = 8ULL << 20U;  // of the file; what is over it goes to the archive
  double lock_wait_s = 10;                 // for others to finish; each takes well under a millisecond
};

// Adds `line` and a newline at the end, in one write under an exclusive lock. An unfinished line that a crash
// left there stays, on a line of its own. Makes file and folder. kIo; kFormat: the file begins with no line
// of a ledger, and was not touched.
Result<void> append_ledger_line(const std::string& path, std::string_view line,
                                const LedgerLimits& limits = {});

// Where older lines go: "ledger.jsonl" -> "ledger.1.jsonl" in the same folder.
std::string ledger_archive_path(const std::string& path);

// The last `most_bytes` of the file, from the beginning of a line on. Nothing: there is no file.
Result<std::optional<std::string>> read_ledger_tail(const std::string& path, std::uint64_t most_bytes);

}  // namespace cistern::engine
