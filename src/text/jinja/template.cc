#include "text/jinja/template.h"

#include <fmt/format.h>

#include <exception>

#include "text/jinja/ast.h"
#include "text/jinja/failure.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/parser.h"
#include "text/jinja/resolver.h"
#include "text/jinja/strftime.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

std::unexpected<Error> template_error(const std::string& name, int line, std::string message) {
  return fail(ErrorCode::kTemplate, std::move(message), line > 0 ? fmt::format("{}:{}", name, line) : name);
}

}  // namespace

Result<Template> Template::parse(std::string_view source, std::string name, const Limits& limits) {
  if (source.size() > limits.max_source_bytes) {
    return template_error(
        name, 0,
        fmt::format("template too long ({} bytes; at most {})", source.size(), limits.max_source_bytes));
  }
  if (const std::size_t offset = find_invalid_utf8(source); offset != std::string_view::npos) {
    return template_error(name, 0, fmt::format("template is not valid UTF-8 at byte {}", offset));
  }
  try {
    auto program = std::make_shared<Program>(Parser(tokenize(source), limits).parse());
    resolve(*program);
    return Template(std::move(program), std::move(name), limits);
  } catch (const Failure& failure) {
    return template_error(name, failure.line, failure.message);
  } catch (const std::exception& error) {  // out of memory
    return template_error(name, 0, error.what());
  }
}

Result<std::string> Template::render(const Value& variables, const RenderOptions& options) const {
  const Dict* context = variables.as_dict();
  if (!context) return template_error(name_, 0, "the variables of a template must be a dict");
  Runtime rt(limits_, options.now ? *options.now : local_time_now());
  try {
    return Interpreter(rt, *program_, *context).run();
  } catch (const Failure& failure) {
    return template_error(name_, failure.line > 0 ? failure.line : rt.line, failure.message);
  } catch (const std::exception& error) {
    return template_error(name_, rt.line, error.what());
  }
}

}  // namespace cistern::text::jinja
