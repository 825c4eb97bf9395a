// The words of a text that names hardware: "2x RTX 4090 24GB" is two of {rtx, 4090} with 24 GB each; "EPYC
// 9355 12ch DDR5-6000" is {epyc, 9355} with 12 channels of DDR5 at 6000 MT/s. Knows units and how people
// write, and no hardware. Internal to plan/; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cistern::plan {

// Numbers are 0 where the text states none.
struct NamedPart {
  int count = 0;  // "2x", "2 sockets"
  double memory_gb = 0;
  double bandwidth_gbps = 0;
  int channels = 0;
  double mt_s = 0;
  std::vector<std::string> words;     // lower case: the name
  std::vector<std::string> optional;  // may be part of a name, may be told besides: "24gb", "40c", "ddr5",
                                      // and what stands in parentheses
  bool cpu_cores = false;             // "(CPU cores)"

  bool has(std::string_view word) const;  // in either list
};

NamedPart read_part(std::string_view text);

// Cuts at each '+' that stands apart from the word before it, outside of parentheses: "RTX 3090 + 64GB DDR5",
// but not "Xeon 8480+" or "Ryzen AI Max+ 395". Parts are trimmed.
std::vector<std::string_view> split_parts(std::string_view text);

std::string lower_case(std::string_view text);

// Whether `word` is what `pattern` stands for: '#' for a digit; letters may follow where the pattern has a
// '#'
// ("9##5" for "9175f").
bool matches(std::string_view pattern, std::string_view word);

}  // namespace cistern::plan
