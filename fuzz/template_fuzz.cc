// Feeds texts to the template interpreter: the bytes up to the first NUL are a template, what follows is read
// as a JSON object with further variables. Nothing may crash, leak or run long; errors and any text are fine.
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/chat_template.h"

namespace {

const boost::json::object& base_context() {
  static const boost::json::object context = boost::json::parse(R"({
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi \u00e9\u4e2d"},
                 {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
                  "function": {"name": "f", "arguments": {"x": 1, "y": [2.5, null, "z"]}}}]}],
    "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object",
               "properties": {"x": {"type": "integer"}}, "required": ["x"]}}}],
    "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>", "xs": [1, 2, 3], "d": {"a": 1, "b": "x"},
    "s": "Hello World", "n": null, "f": 1.5})")
                                                 .as_object();
  return context;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = input.find('\0');
  boost::json::object context = base_context();
  if (split != std::string_view::npos) {
    boost::json::error_code error;
    const boost::json::value extra = boost::json::parse(input.substr(split + 1), error);
    if (!error && extra.is_object()) {
      for (const auto& [key, value] : extra.get_object()) context[key] = value;
    }
  }
  const cistern::text::jinja::Limits limits{
      .max_steps = 200'000, .max_output_bytes = 1 << 20, .max_memory_bytes = 2 << 20};
  const auto parsed = cistern::text::jinja::Template::parse(input.substr(0, split), "fuzz", limits);
  if (!parsed) return 0;
  const cistern::text::jinja::LocalTime now{std::chrono::seconds(1'700'000'000)};
  static_cast<void>(cistern::text::render_context(*parsed, context, now));
  return 0;
}
