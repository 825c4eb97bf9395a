// Arbitrary bytes as a GGUF file: opening must give a model or a one-line error, and everything that an
// opened model hands out must be readable; so must what spec/ and the tokenizers make of it.
#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "base/error.h"
#include "file/inventory.h"
#include "spec/model_spec.h"
#include "spec/vocab.h"
#include "text/tokenizer.h"

namespace cistern {
namespace {

// Reads every byte so that the sanitizers see each view.
std::uint64_t touch(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  for (const std::byte byte : bytes) sum += static_cast<std::uint64_t>(byte);
  return sum;
}

std::uint64_t touch(std::string_view text) {
  return touch(std::as_bytes(std::span(text)));
}

std::uint64_t touch(const Error& error) {
  const std::string message = describe(error);
  CISTERN_CHECK(!message.empty() && message.find('\n') == std::string::npos);
  return message.size();
}

template <class T>
std::uint64_t touch_result(const Result<T>& result) {
  return result ? 1 : touch(result.error());
}

std::uint64_t touch_key(const file::Metadata& metadata, std::string_view key) {
  const file::Value& value = *metadata.find(key);
  std::uint64_t sum = touch(key) + touch(value.data) + value.count;
  for (const std::string_view text : value.strings) sum += touch(text);
  sum += touch_result(metadata.string(key)) + touch_result(metadata.uint(key)) +
         touch_result(metadata.number(key));
  sum += touch_result(metadata.boolean(key)) + touch_result(metadata.uints(key)) +
         touch_result(metadata.booleans(key));
  sum += touch_result(metadata.floats(key)) + touch_result(metadata.strings(key)) +
         touch_result(metadata.bytes(key));
  return sum + touch_result(metadata.find_uint(key)) + touch_result(metadata.find_string(key));
}

std::uint64_t touch(const file::ModelFiles& model) {
  std::uint64_t sum = model.inventory.version + model.inventory.tensor_bytes();
  for (const std::string_view key : model.inventory.metadata.keys())
    sum += touch_key(model.inventory.metadata, key);
  for (const file::TensorInfo& info : model.inventory.tensors()) {
    CISTERN_CHECK(model.inventory.find(info.name) == &info);
    CISTERN_CHECK(info.shape.elements() > 0 && !info.bytes.empty());
    sum += touch(info.name) + touch(info.bytes);
  }
  return sum + touch_result(model.check_intact());
}

std::uint64_t touch_meaning(const file::Inventory& inventory) {
  std::uint64_t sum = touch_result(spec::read_model_spec(inventory)) +
                      touch_result(spec::read_chat_template(inventory.metadata));
  Result<text::Vocab> vocab = spec::read_vocab(inventory.metadata);
  sum += touch_result(vocab);
  if (!vocab) return sum;
  const auto tokenizer = text::Tokenizer::create(*std::move(vocab));
  return sum + touch_result(tokenizer) +
         (tokenizer ? touch_result((*tokenizer)->encode("Hello, world", true)) : 0);
}

}  // namespace
}  // namespace cistern

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = cistern::file::open_model(std::as_bytes(std::span(data, size)), "fuzz.gguf");
  volatile std::uint64_t sum = model ? cistern::touch(*model) + cistern::touch_meaning(model->inventory)
                                     : cistern::touch(model.error());
  static_cast<void>(sum);
  return 0;
}
