// One file from an address into a folder: goes on where an earlier attempt ended, tries again when the
// connection is cut or stalls, checks size and SHA-256, and lets the file appear under its name only when it
// is whole. Used by `cistern pull`. Prints nothing; single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "fetch/http.h"

namespace cistern::fetch {

struct Download {
  Url url;
  std::string path;                         // where the file shall be; its folder exists
  std::optional<std::uint64_t> size_bytes;  // nothing: as the server says
  std::string sha256;                       // empty: nobody promised one
  std::uint64_t more_bytes = 0;             // that will be wanted on this disk besides
  bool force = false;                       // replace a file that is there
};

// What a download may do besides, and how patient it is. Functions may be empty.
struct DownloadOptions {
  Credentials credentials;
  int retries = 5;            // in a row without a new byte
  double first_wait_s = 0.5;  // doubled for each
  std::function<void(std::uint64_t done_bytes, std::uint64_t all_bytes)> progress;
  std::function<void(const std::string&)> say;  // why it takes longer
  std::function<bool()> cancelled;
  std::function<void(double seconds)> sleep;                           // empty: sleeps
  std::function<std::uint64_t(const std::string& folder)> free_bytes;  // empty: asks the system
};

struct Downloaded {
  std::uint64_t size_bytes = 0;
  std::uint64_t received_bytes = 0;  // in this run; 0 when the file was there
  std::string sha256;                // empty: the file was there, and there was nothing to compare it with
  bool verified = false;             // the SHA-256 is the promised one
  bool was_there = false;
};

// What is at `download.path` already; nothing: no file, or it shall be replaced. Connects to nobody. kUsage:
// a file that is another one than promised.
Result<std::optional<Downloaded>> find_present(const Download& download, const DownloadOptions& options);

// Errors: those of HTTP and the disk; kCancelled. What has arrived stays for the next run but where it is
// wrong.
Result<Downloaded> fetch_file(HttpClient& client, const Download& download, const DownloadOptions& options);

}  // namespace cistern::fetch
