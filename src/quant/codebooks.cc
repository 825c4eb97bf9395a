#include "quant/codebooks.h"

#include <cstddef>

#include "quant/codebook_codes.h"

namespace cistern::quant {
namespace {

// Value j of an entry is levels[code j], where the codes fill the 16 bits evenly.
template <std::size_t kLength, class T, std::size_t kEntries, std::size_t kLevels>
constexpr std::array<std::array<T, kLength>, kEntries> expand(const std::uint16_t (&codes)[kEntries],
                                                              const T (&levels)[kLevels]) {
  constexpr std::size_t kStride = 16 / kLength;
  constexpr std::size_t kMask = std::bit_ceil(kLevels) - 1;
  std::array<std::array<T, kLength>, kEntries> book{};
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    for (std::size_t j = 0; j < kLength; ++j) book[entry][j] = levels[codes[entry] >> (kStride * j) & kMask];
  }
  return book;
}

constexpr std::int8_t kTernaryLevels[] = {-1, 0, 1};
constexpr std::uint8_t kIQ2Levels[] = {8, 25, 43};
constexpr std::uint8_t kIQ3XXSLevels[] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr std::uint8_t kIQ3SLevels[] = {1, 3, 5, 7, 9, 11, 13, 15};

}  // namespace

constinit const std::array<TernaryVector, 2048> kIQ1Codebook = expand<8>(kIQ1Codes, kTernaryLevels);
constinit const std::array<Magnitudes8, 256> kIQ2XXSCodebook = expand<8>(kIQ2XXSCodes, kIQ2Levels);
constinit const std::array<Magnitudes8, 512> kIQ2XSCodebook = expand<8>(kIQ2XSCodes, kIQ2Levels);
constinit const std::array<Magnitudes8, 1024> kIQ2SCodebook = expand<8>(kIQ2SCodes, kIQ2Levels);
constinit const std::array<Magnitudes4, 256> kIQ3XXSCodebook = expand<4>(kIQ3XXSCodes, kIQ3XXSLevels);
constinit const std::array<Magnitudes4, 512> kIQ3SCodebook = expand<4>(kIQ3SCodes, kIQ3SLevels);

}  // namespace cistern::quant
