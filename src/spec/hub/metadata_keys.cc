#include "spec/hub/metadata_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "file/gguf_writer.h"

namespace cistern::spec::hub {
namespace {

struct Writer {
  file::GgufWriter& gguf;
  std::string key;

  void operator()(const std::vector<std::int32_t>& values) const {
    gguf.add(key, std::span<const std::int32_t>(values));
  }
  void operator()(const std::vector<float>& values) const { gguf.add(key, std::span<const float>(values)); }
  void operator()(const auto& value) const { gguf.add(key, value); }
};

}  // namespace

void MetadataKeys::set(std::string_view suffix, Value value) {
  const auto same = std::ranges::find(values_, suffix, [](const auto& entry) { return entry.first; });
  if (same != values_.end()) {
    same->second = std::move(value);
  } else {
    values_.emplace_back(suffix, std::move(value));
  }
}

std::vector<std::byte> MetadataKeys::header(std::string_view arch, std::string_view name) const {
  file::GgufWriter gguf;
  gguf.add("general.architecture", arch);
  gguf.add("general.name", name);
  gguf.add("tokenizer.ggml.model", "no_vocab");
  for (const auto& [suffix, value] : values_) {
    std::visit(Writer{.gguf = gguf, .key = fmt::format("{}.{}", arch, suffix)}, value);
  }
  return gguf.header();
}

}  // namespace cistern::spec::hub
