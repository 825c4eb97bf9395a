#include "text/template_request.h"

#include <fmt/format.h>

#include "text/chat_template.h"

namespace cistern::text {
namespace {

using boost::json::object;
using boost::json::value;

Result<bool> read_bool(const object& request, std::string_view field) {
  const value* found = request.if_contains(field);
  if (!found || found->is_null()) return false;
  if (!found->is_bool())
    return fail(ErrorCode::kUsage, fmt::format("\"{}\" must be true or false", field), "template request");
  return found->get_bool();
}

// Absent: the default; null: nothing.
Result<std::optional<std::string>> read_token(const object& request, std::string_view field,
                                              const std::optional<std::string>& otherwise) {
  const value* found = request.if_contains(field);
  if (!found) return otherwise;
  if (found->is_null()) return std::optional<std::string>();
  if (!found->is_string())
    return fail(ErrorCode::kUsage, fmt::format("\"{}\" must be a string", field), "template request");
  return std::optional<std::string>(std::string(found->get_string()));
}

std::optional<value> read_optional(const object& request, std::string_view field, bool omit_none) {
  const value* found = request.if_contains(field);
  if (found && !found->is_null()) return *found;
  return omit_none ? std::nullopt : std::optional<value>(value(nullptr));
}

Result<ChatInput> read_chat(const object& request, const TemplateRequestDefaults& defaults) {
  ChatInput input;
  const value* messages = request.if_contains("messages");
  if (!messages || !messages->is_array()) {
    return fail(ErrorCode::kUsage, "the request needs \"context\" (an object) or \"messages\" (an array)",
                "template request");
  }
  input.messages = messages->get_array();
  CISTERN_TRY(const bool omit_none, read_bool(request, "omit_none"));
  input.tools = read_optional(request, "tools", omit_none);
  input.documents = read_optional(request, "documents", omit_none);
  CISTERN_TRY(input.add_generation_prompt, read_bool(request, "add_generation_prompt"));
  CISTERN_TRY(input.bos_token, read_token(request, "bos_token", defaults.bos_token));
  CISTERN_TRY(input.eos_token, read_token(request, "eos_token", defaults.eos_token));
  if (const value* extra = request.if_contains("extra"); extra && !extra->is_null()) {
    if (!extra->is_object())
      return fail(ErrorCode::kUsage, "\"extra\" must be an object", "template request");
    input.extra = extra->get_object();
  }
  input.now = defaults.now;
  return input;
}

Result<std::string> render_with(const jinja::Template& chat_template, const object& request,
                                const TemplateRequestDefaults& defaults) {
  if (const value* context = request.if_contains("context"); context && !context->is_null()) {
    if (!context->is_object())
      return fail(ErrorCode::kUsage, "\"context\" must be an object", "template request");
    return render_context(chat_template, context->get_object(), defaults.now);
  }
  CISTERN_TRY(const ChatInput input, read_chat(request, defaults));
  return render_chat(chat_template, input);
}

}  // namespace

Result<std::string> render_request(const object& request, const TemplateRequestDefaults& defaults) {
  std::optional<std::string_view> source = defaults.template_file_source;
  if (const value* given = request.if_contains("template"); given && !given->is_null()) {
    if (!given->is_string())
      return fail(ErrorCode::kUsage, "\"template\" must be a string", "template request");
    source = std::string_view(given->get_string());
  }
  if (source) {
    CISTERN_TRY(const jinja::Template own, jinja::Template::parse(*source, "template"));
    return render_with(own, request, defaults);
  }
  if (!defaults.model_template) {
    return fail(ErrorCode::kUsage, "no template: give \"template\", \"template_file\" or a model",
                "template request");
  }
  return render_with(*defaults.model_template, request, defaults);
}

}  // namespace cistern::text
