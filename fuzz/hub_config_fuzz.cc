// Arbitrary text as a published configuration (config.json) if it begins like one, else as the name of a
// known model, with the name of a quant behind the first line break where the text has one: a model on paper,
// whose every tensor has a size, or a one-line error.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "spec/hub/paper_model.h"

namespace cistern::spec::hub {
namespace {

void touch(const Error& error) {
  const std::string message = describe(error);
  CISTERN_CHECK(!message.empty() && message.find('\n') == std::string::npos);
}

void touch(const PaperModel& paper) {
  CISTERN_CHECK(!paper.spec.layers.empty() && paper.n_parameters() > 0);
  for (const file::TensorInfo& tensor : paper.inventory.tensors()) {
    CISTERN_CHECK(paper.inventory.find(tensor.name) == &tensor);
    CISTERN_CHECK(tensor.size_bytes > 0 && tensor.bytes.empty());
  }
}

void touch(const Result<PaperModel>& paper) {
  if (paper) {
    touch(*paper);
  } else {
    touch(paper.error());
  }
}

}  // namespace
}  // namespace cistern::spec::hub

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace hub = cistern::spec::hub;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  const std::string_view config = text.substr(0, line);
  const std::string_view quant = line == std::string_view::npos ? "" : text.substr(line + 1);
  if (config.starts_with('{')) {
    hub::touch(hub::paper_model_of_config(config, "config.json", quant));
  } else {
    hub::touch(hub::paper_model_of_name(config, quant));
  }
  return 0;
}
