// The metadata of a model file that is not there: keys of one architecture, of which the last value given
// counts, and the header of a GGUF file that holds them and no tensors. Used by what turns configurations
// into metadata. Plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cistern::spec::hub {

class MetadataKeys {
 public:
  using Value = std::variant<std::uint32_t, float, bool, std::vector<std::int32_t>, std::vector<float>>;

  // The value of "<arch>.<suffix>".
  void set(std::string_view suffix, Value value);
  // One number per layer.
  void set_layers(std::string_view suffix, const std::vector<std::uint32_t>& values) {
    set(suffix, std::vector<std::int32_t>(values.begin(), values.end()));
  }

  std::vector<std::byte> header(std::string_view arch, std::string_view name) const;

 private:
  std::vector<std::pair<std::string, Value>> values_;
};

}  // namespace cistern::spec::hub
