// Filters for HTML and URLs, and `string`, `safe` and `pprint`.
#include <algorithm>

#include "text/jinja/failure.h"
#include "text/jinja/filters.h"
#include "text/jinja/iteration.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/sorting.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

Value escape_filter(Runtime& rt, const Arguments& args) {
  return escape(rt, args[0]);
}

Value force_escape(Runtime& rt, const Arguments& args) {
  return escape(rt, rt.string(to_text(rt, args[0])));
}

Value safe(Runtime& rt, const Arguments& args) {
  return rt.string(to_text(rt, args[0]), true);
}

Value string(Runtime& rt, const Arguments& args) {
  return to_string_value(rt, args[0]);
}

// markupsafe removes comments first, then tags, each time the first opening mark with the first closing mark
// behind it.
void remove_comments(Runtime& rt, std::string& text) {
  // Joined by a removal, texts may form another mark, so the search starts over (and is paid for) each time.
  while (true) {
    rt.work(text.size());
    const std::size_t start = text.find("<!--");
    const std::size_t end = start == std::string::npos ? start : text.find("-->", start);
    if (end == std::string::npos) return;
    text.erase(start, end + 3 - start);
  }
}

void remove_tags(std::string& text) {
  std::string out;
  std::size_t position = 0;
  while (true) {
    const std::size_t start = text.find('<', position);
    const std::size_t end = start == std::string::npos ? start : text.find('>', start);
    if (end == std::string::npos) break;
    out.append(text, position, start - position);
    position = end + 1;
  }
  text = out.append(text, position);
}

struct Entity {
  std::string_view name;
  std::string_view text;
};
constexpr Entity kEntities[] = {{"amp;", "&"},   {"lt;", "<"},   {"gt;", ">"},
                                {"quot;", "\""}, {"apos;", "'"}, {"nbsp;", "\u00A0"}};

// html.unescape for the references that matter; others are refused, not guessed.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '&' || i + 1 == text.size()) {
      out += text[i++];
      continue;
    }
    const std::string_view rest = text.substr(i + 1);
    const auto* entity =
        std::find_if(std::begin(kEntities), std::end(kEntities),
                     [&](const Entity& candidate) { return rest.starts_with(candidate.name); });
    if (entity != std::end(kEntities)) {
      out += entity->text;
      i += 1 + entity->name.size();
    } else if (rest.starts_with("#39;") || rest.starts_with("#34;")) {
      out += rest[2] == '9' ? '\'' : '"';
      i += 5;
    } else if (rest[0] == '#' || (rest[0] >= 'a' && rest[0] <= 'z') || (rest[0] >= 'A' && rest[0] <= 'Z')) {
      raise("striptags: the character reference '&{}' is not supported", rest.substr(0, 8));
    } else {
      out += text[i++];
    }
  }
  return out;
}

Value striptags(Runtime& rt, const Arguments& args) {
  std::string text = to_text(rt, args[0]);
  rt.reserve(text.size() * 2);
  rt.work(text.size() * 4);
  remove_comments(rt, text);
  remove_tags(text);
  std::string collapsed;
  for (std::string_view rest = strip(text, nullptr, true, true); !rest.empty();) {
    std::size_t end = 0;
    for (std::size_t next = 0; end < rest.size() && !is_space(next_code_point(rest, next));) end = next;
    if (!collapsed.empty()) collapsed += ' ';
    collapsed += rest.substr(0, end);
    rest = strip(rest.substr(end), nullptr, true, false);
  }
  return rt.string(unescape(collapsed));
}

std::string quote_url(Runtime& rt, const Value& value, bool for_query) {
  static constexpr std::string_view kSafe = "_.-~";
  const std::string text = to_text(rt, value);
  rt.reserve(text.size() * 3);
  rt.work(text.size() * 32);
  std::string out;
  for (const char c : text) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alnum || kSafe.find(c) != std::string_view::npos || (c == '/' && !for_query)) {
      out += c;
    } else if (c == ' ' && for_query) {
      out += '+';
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Value urlencode(Runtime& rt, const Arguments& args) {
  if (args[0].is_string() || !is_iterable(args[0])) return rt.string(quote_url(rt, args[0], false));
  std::vector<Value> pairs;
  if (const Dict* dict = args[0].as_dict()) {
    for (const auto& [key, value] : dict->entries()) pairs.push_back(rt.tuple({key, value}));
  } else {
    pairs = collect(rt, args[0]);
  }
  std::string out;
  for (const Value& item : pairs) {
    const std::vector<Value> pair = collect(rt, item);
    if (pair.size() != 2) raise("urlencode: pairs of a key and a value are needed");
    if (!out.empty()) out += '&';
    out += quote_url(rt, pair[0], true) + "=" + quote_url(rt, pair[1], true);
    rt.reserve(out.size());
  }
  return rt.string(std::move(out));
}

Value xmlattr(Runtime& rt, const Arguments& args) {
  const Dict* dict = args[0].as_dict();
  if (!dict) raise("xmlattr needs a dict, not '{}'", type_name(args[0]));
  const bool autospace = args.truth(rt, 1, true);
  std::string out;
  for (const auto& [key, value] : dict->entries()) {
    if (value.is_none() || value.is_undefined()) continue;
    const String& name = to_string_argument(key);
    if (name.text.find_first_of(" \t\n\r\f\v/>=") != std::string::npos) {
      raise("Invalid character in attribute name: {}", repr(rt, key));
    }
    if (!out.empty() || autospace) out += ' ';
    out += escape(rt, key).as_string()->text + "=\"" + escape(rt, value).as_string()->text + '"';
    rt.reserve(out.size());
  }
  return rt.string(std::move(out), rt.autoescape);
}

// Makes links of addresses. Text without anything that could be one is only escaped; the rest is refused.
Value urlize(Runtime& rt, const Arguments& args) {
  const Value text = to_string_value(rt, args[0]);
  if (text.as_string()->text.find_first_of("@:.") != std::string::npos) {
    raise("the filter 'urlize' is not supported for text that may hold links");
  }
  return rt.string(escape(rt, text).as_string()->text, rt.autoescape);
}

// As pprint, which writes one line of up to 80 characters like repr, with the keys of dicts sorted.
void append_pretty(Runtime& rt, std::string& out, const Value& value) {
  const Runtime::Depth depth(rt);
  const auto append_items = [&](const std::vector<Value>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i != 0) out += ", ";
      append_pretty(rt, out, items[i]);
      rt.reserve(out.size());
    }
  };
  if (value.as_list()) {
    out += '[';
    append_items(*value.items());
    out += ']';
  } else if (value.as_tuple()) {
    out += '(';
    append_items(*value.items());
    out += value.items()->size() == 1 ? ",)" : ")";
  } else if (const Dict* dict = value.as_dict()) {
    std::vector<Value> keys;
    for (const auto& [key, held] : dict->entries()) keys.push_back(key);
    out += '{';
    bool first = true;
    for (const std::size_t index : sorted_order(rt, keys, false)) {
      if (!first) out += ", ";
      first = false;
      append_repr(rt, out, keys[index]);
      out += ": ";
      append_pretty(rt, out, dict->entries()[index].second);
      rt.reserve(out.size());
    }
    out += '}';
  } else {
    append_repr(rt, out, value);
  }
}

Value pprint(Runtime& rt, const Arguments& args) {
  std::string out;
  append_pretty(rt, out, args[0]);
  if (count_code_points(out) > 80)
    raise("the filter 'pprint' is not supported for values wider than 80 characters");
  return rt.string(std::move(out));
}

constexpr Builtin kFilters[] = {
    {"e", "s /", escape_filter},
    {"escape", "s /", escape_filter},
    {"forceescape", "value", force_escape},
    {"safe", "value", safe},
    {"string", "s /", string},
    {"striptags", "value", striptags},
    {"urlencode", "value", urlencode},
    {"xmlattr", "d autospace?", xmlattr},
    {"urlize", "value trim_url_limit? nofollow? target? rel? extra_schemes?", urlize},
    {"pprint", "value", pprint},
};

}  // namespace

const Builtin* find_html_filter(std::string_view name) {
  return find_builtin(kFilters, name);
}

}  // namespace cistern::text::jinja
