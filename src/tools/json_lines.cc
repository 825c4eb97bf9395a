#include "tools/json_lines.h"

#include <fmt/format.h>

#include "tools/input.h"
#include "tools/json_out.h"
#include "tools/output.h"

namespace cistern::tools {
namespace json = boost::json;
namespace {

Result<json::object> answer_line(const JsonLineAnswer& answer, const LineReader::Line& line) {
  CISTERN_TRY(const json::value request, parse_json(line.text, "line"));
  const json::object* object = request.if_object();
  if (object == nullptr) return fail(ErrorCode::kFormat, "expected a JSON object", "line");
  return answer(*object);
}

// Unlike describe(): JSON can carry line breaks, and what a template raised is shown as it stands.
std::string whole_text(const Error& error) {
  return error.where.empty() ? error.message : error.where + ": " + error.message;
}

}  // namespace

Result<int> answer_json_lines(const JsonLineAnswer& answer) {
  LineReader reader;
  while (true) {
    CISTERN_TRY(const LineReader::Line line, reader.next());
    if (line.end != LineReader::End::kLine) return 0;
    if (line.text.find_first_not_of(" \t") == std::string::npos) continue;
    const auto answered = answer_line(answer, line);
    const json::object object = answered ? *answered : json::object{{"error", whole_text(answered.error())}};
    CISTERN_TRY_VOID(write_stdout(to_json(object, JsonForm::kTypedLine) + "\n"));
  }
}

}  // namespace cistern::tools
