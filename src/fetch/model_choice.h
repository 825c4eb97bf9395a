// Which files of a repository are one model: groups GGUF files into variants (one per quantization, with all
// parts of a split model) and finds the one that was asked for. Used by `cistern pull` to choose and to list.
// Pure functions over a listing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fetch/hub_listing.h"

namespace cistern::fetch {

struct Variant {
  std::string quant;                  // "Q4_K_M", "UD-IQ2_XXS", "BF16"; empty: the name does not say
  std::vector<RepositoryFile> files;  // in the order of the parts
  std::uint64_t size_bytes = 0;       // of all files

  // Under which file `index` is kept: its path without folders.
  std::string file_name(std::size_t index) const;
};

// Taken when nothing is asked for: the smallest that loses little, and the one that most repositories have.
inline constexpr std::string_view kDefaultQuant = "Q4_K_M";

// The quantization in a file's name, in capitals; empty: none is recognized.
std::string quant_of(std::string_view path);

// The models among `files`, sorted by size; projectors and importance matrices are no models. kNotFound:
// none, and what is there instead. kFormat: a split model with a part missing, or names that cannot be kept.
Result<std::vector<Variant>> variants_of(const std::vector<RepositoryFile>& files);

// By quantization (in any case), file name or path; with nothing `wanted`, the default or the only one.
// kNotFound, kUsage (several fit, or nothing wanted and no default): what there is.
Result<Variant> choose_variant(const std::vector<Variant>& variants, std::string_view wanted);

}  // namespace cistern::fetch
