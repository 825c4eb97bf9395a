// What hardware can do, and what people mean when they name it. A Catalogue is a table of chips (built into
// the binary from catalogue/hardware.csv, or a user's own file in the same layout) and a resolver from text
// to a System: "2x RTX 4090", "4x RTX 4090 + EPYC 9004 12ch DDR5-4800", "M5 Max 128GB", "RTX 3090 + 64GB
// DDR5-6000". The text is untrusted. Pure; a Catalogue owns its rows and may be read from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cistern::plan {

struct NamedPart;  // plan/hardware_text.h

enum class HardwareKind {
  kGpu,  // memory of its own behind a link
  kSoc,  // GPU and CPU cores share one memory
  kCpu,
};

// "gpu", "soc", "cpu".
std::string_view name_of(HardwareKind kind);

// A row of the catalogue. Peaks are dense, of one device; 0 where nobody knows.
struct Hardware {
  std::string name;
  std::vector<std::string> aliases;  // a '#' in them stands for any digit
  std::string vendor;
  HardwareKind kind = HardwareKind::kGpu;
  std::string architecture;       // "ada", "rdna3", "zen4": what rows that behave alike have in common
  std::string memory_type;        // "gddr6x", "hbm3", "lpddr5x", "ddr5"
  std::vector<double> memory_gb;  // sizes it is sold with, the usual one first; of a CPU, the most it takes
  double bandwidth_gbps = 0;
  double fp32_tflops = 0;
  double fp16_tflops = 0;  // matrix units with 32-bit sums
  double int8_tops = 0;
  int channels = 0;  // of a CPU's memory, and their transfers
  double mt_s = 0;
  double cpu_bandwidth_gbps = 0;  // of a kSoc: what its CPU cores reach by themselves
  double cpu_fp32_tflops = 0;
  double cpu_int8_tops = 0;
  std::string link;  // to the host
  double link_gbps = 0;
  double tdp_w = 0;
  double price_usd = 0;  // at launch
  int year = 0;
  std::string source;        // where the figures come from
  std::string verification;  // how sure they are: "recalled", "arithmetic", "read-secondary", "unconfirmed"
  std::string notes;
};

// One or several of the same, as a text named them: sizes, channels and bandwidths that it states have
// replaced those of the row.
struct Part {
  Hardware hardware;
  int count = 1;  // devices or sockets
  std::uint64_t memory_bytes =
      0;                          // of each device; of a CPU, of all sockets, the most it takes if not stated
  double bandwidth_gbps = 0;      // of each
  bool memory_stated = false;     // by the text
  bool bandwidth_stated = false;  // by the text, in GB/s
};

// A machine.
struct System {
  std::string name;             // the text that it was resolved from
  std::vector<Part> devices;    // kGpu and kSoc
  std::optional<Part> host;     // kCpu
  bool cpu_cores_only = false;  // of a kSoc, the CPU cores compute ("M2 Max (CPU cores)")

  int device_count() const;
  std::uint64_t device_bytes() const;  // memory of all devices
  double price_usd() const;            // of what has one
  double power_w() const;
  bool unconfirmed() const;  // a figure of some part is only a claim
};

class Catalogue {
 public:
  // The rows that are built in.
  static Catalogue built_in();

  // `name` is what errors call the text. Columns in any order, unknown ones ignored; name, kind, memory_gb
  // and bandwidth_gbps are required. Errors: kFormat with file, line and column.
  static Result<Catalogue> parse(std::string_view text, std::string name);

  // Puts another catalogue's rows before the own ones: where both know a name, the other's row is meant.
  void prefer(Catalogue other);

  std::span<const Hardware> rows() const { return rows_; }

  // Errors: kUsage (no such thing: the nearest names; an empty or oversized text; a count of 0 or thousands).
  Result<System> resolve(std::string_view text) const;

  // As above, or every row of the catalogue for "all".
  Result<std::vector<System>> resolve_all(std::string_view text) const;

 private:
  // One way to name a row, as words.
  struct Name {
    std::size_t row = 0;
    std::vector<std::string> words;
  };

  void index_names();
  const Name* find(const NamedPart& part) const;
  Result<Part> resolve_part(std::string_view text) const;
  Error unknown(std::string_view text) const;

  std::vector<Hardware> rows_;
  std::vector<Name> names_;
  std::vector<std::string> vocabulary_;  // words that tell one row from another, sorted
};

}  // namespace cistern::plan
