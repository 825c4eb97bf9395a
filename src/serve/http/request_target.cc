#include "serve/http/request_target.h"

#include <algorithm>
#include <optional>

#include "text/utf8.h"

namespace cistern::serve::http {
namespace {

std::unexpected<Refusal> bad_target(std::string_view why) {
  return std::unexpected(Refusal{400, "bad request target: " + std::string(why)});
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return false;
}

}  // namespace

std::expected<Target, Refusal> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return bad_target("a path that begins with '/' is expected");
  const auto is_printable = [](char c) { return c > ' ' && c < 0x7f && c != '#'; };
  if (!std::ranges::all_of(target, is_printable)) return bad_target("a byte that has to be percent-encoded");

  const std::size_t question = target.find('?');
  std::optional<std::string> path = percent_decode(target.substr(0, question));
  if (!path) return bad_target("'%' without two hexadecimal digits");
  if (std::ranges::any_of(*path, is_control)) return bad_target("a control character in the path");
  if (path->find('\\') != std::string::npos) return bad_target("a backslash in the path");
  if (has_dot_segment(*path)) return bad_target("a '.' or '..' segment in the path");
  if (!text::is_valid_utf8(*path)) return bad_target("the path is not UTF-8");

  Target parsed{.path = std::move(*path), .query = {}};
  if (question != std::string_view::npos) parsed.query = target.substr(question + 1);
  return parsed;
}

}  // namespace cistern::serve::http
