#include "text/jinja/tojson.h"

#include <cmath>
#include <optional>

#include "text/jinja/failure.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/sorting.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

struct JsonStyle {
  bool ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // one level of it
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

class JsonWriter {
 public:
  JsonWriter(Runtime& rt, const JsonStyle& style) : rt_(rt), style_(style) {}

  std::string take() { return std::move(out_); }

  void write(const Value& value, std::size_t level) {
    const Runtime::Depth depth(rt_);
    rt_.step();
    rt_.reserve(out_.size());
    switch (value.type()) {
      case Type::kNone:
        out_ += "null";
        break;
      case Type::kBool:
        out_ += *value.as_bool() ? "true" : "false";
        break;
      case Type::kInt:
        out_ += value.as_int()->to_string();
        break;
      case Type::kFloat:
        write_float(*value.as_float());
        break;
      case Type::kString:
        write_string(value.as_string()->text);
        break;
      case Type::kList:
      case Type::kTuple:
        write_items(*value.items(), level);
        break;
      case Type::kDict:
        write_dict(*value.as_dict(), level);
        break;
      default:
        raise("Object of type {} is not JSON serializable", type_name(value));
    }
  }

 private:
  void write_float(double value) {
    if (std::isnan(value)) {
      out_ += "NaN";
    } else if (std::isinf(value)) {
      out_ += value > 0 ? "Infinity" : "-Infinity";
    } else {
      out_ += float_repr(value);
    }
  }

  void write_unicode_escape(uint32_t unit) { fmt::format_to(std::back_inserter(out_), "\\u{:04x}", unit); }

  void write_string(std::string_view text) {
    rt_.work(text.size() * 8);
    rt_.reserve(out_.size() + text.size() * 6);
    out_ += '"';
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t start = i;
      const char32_t c = next_code_point(text, i);
      switch (c) {
        case '"':
          out_ += "\\\"";
          break;
        case '\\':
          out_ += "\\\\";
          break;
        case '\n':
          out_ += "\\n";
          break;
        case '\r':
          out_ += "\\r";
          break;
        case '\t':
          out_ += "\\t";
          break;
        case '\f':
          out_ += "\\f";
          break;
        case '\b':
          out_ += "\\b";
          break;
        default:
          if (c < 0x20 || (style_.ascii && c >= 0x7F && c < 0x10000)) {
            write_unicode_escape(c);
          } else if (style_.ascii && c >= 0x10000) {
            write_unicode_escape(0xD800 + ((c - 0x10000) >> 10));
            write_unicode_escape(0xDC00 + ((c - 0x10000) & 0x3FF));
          } else {
            out_ += text.substr(start, i - start);
          }
      }
    }
    out_ += '"';
  }

  void new_line(std::size_t level) {
    if (!style_.indent) return;
    rt_.reserve(out_.size() + rt_.reserve_many(level, style_.indent->size()));
    rt_.work(level * style_.indent->size());
    out_ += '\n';
    for (std::size_t i = 0; i < level; ++i) out_ += *style_.indent;
  }

  void write_items(const std::vector<Value>& items, std::size_t level) {
    if (items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i != 0) out_ += style_.item_separator;
      new_line(level + 1);
      write(items[i], level + 1);
    }
    new_line(level);
    out_ += ']';
  }

  void write_dict(const Dict& dict, std::size_t level) {
    if (dict.size() == 0) {
      out_ += "{}";
      return;
    }
    std::vector<Dict::Entry> entries = dict.entries();
    if (style_.sort_keys) {
      std::vector<Value> keys;
      for (const auto& [key, value] : entries) keys.push_back(key);
      const std::vector<std::size_t> order = sorted_order(rt_, keys, false);
      for (std::size_t i = 0; i < order.size(); ++i) entries[i] = dict.entries()[order[i]];
    }
    out_ += '{';
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i != 0) out_ += style_.item_separator;
      new_line(level + 1);
      write_key(entries[i].first);
      out_ += style_.key_separator;
      write(entries[i].second, level + 1);
    }
    new_line(level);
    out_ += '}';
  }

  void write_key(const Value& key) {
    if (const String* text = key.as_string()) return write_string(text->text);
    if (key.as_tuple()) raise("keys must be str, int, float, bool or None, not tuple");
    out_ += '"';
    write(key, 0);
    out_ += '"';
  }

  Runtime& rt_;
  const JsonStyle& style_;
  std::string out_;
};

JsonStyle style_of(Runtime& rt, const Arguments& args) {
  JsonStyle style;
  style.ascii = args.truth(rt, 1, false);
  style.sort_keys = args.truth(rt, 4, false);
  if (args.has(2) && !args[2].is_none()) {
    if (const String* indent = args[2].as_string()) {
      style.indent = indent->text;
    } else {
      const int64_t width = std::max<int64_t>(args.integer(2), 0);
      style.indent = std::string(rt.reserve_many(static_cast<uint64_t>(width), 1), ' ');
    }
    style.item_separator = ",";
  }
  if (args.has(3) && !args[3].is_none()) {
    const std::vector<Value>* pair = args[3].items();
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) {
      raise("tojson: separators must be a pair of strings");
    }
    style.item_separator = (*pair)[0].as_string()->text;
    style.key_separator = (*pair)[1].as_string()->text;
  }
  return style;
}

}  // namespace

Value filter_tojson(Runtime& rt, const Arguments& args) {
  const JsonStyle style = style_of(rt, args);
  JsonWriter writer(rt, style);
  writer.write(args[0], 0);
  return rt.string(writer.take());
}

}  // namespace cistern::text::jinja
