// Filters over whole sequences: counting, ordering, joining, cutting into pieces.
#include <algorithm>
#include <set>

#include "text/jinja/access.h"
#include "text/jinja/attribute_path.h"
#include "text/jinja/failure.h"
#include "text/jinja/filters.h"
#include "text/jinja/iteration.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/sorting.h"

namespace cistern::text::jinja {
namespace {

Value length(Runtime& rt, const Arguments& args) {
  return Value(length_of(rt, args[0]));
}

Value list(Runtime& rt, const Arguments& args) {
  return rt.list(collect(rt, args[0]));
}

Value first(Runtime& rt, const Arguments& args) {
  Value item;
  return iterate(rt, args[0])->next(rt, item) ? item : Value::undefined("No first item, sequence was empty.");
}

Value last(Runtime& rt, const Arguments& args) {
  if (const std::vector<Value>* items = args[0].items(); items && !items->empty()) return items->back();
  if (const String* text = args[0].as_string(); text && !text->text.empty())
    return get_item(rt, args[0], Value(-1));
  Value item;
  if (!args[0].is_undefined()) {
    const std::shared_ptr<Iterator> iterator = iterate_reversed(rt, args[0]);
    if (!iterator) raise("'{}' object is not reversible", type_name(args[0]));
    if (iterator->next(rt, item)) return item;
  }
  return Value::undefined("No last item, sequence was empty.");
}

Value random(Runtime&, const Arguments&) {
  raise("the filter 'random' is not supported: its result is random");
}

Value reverse(Runtime& rt, const Arguments& args) {
  if (args[0].is_string()) return get_slice(rt, args[0], Value::none(), Value::none(), Value(-1));
  if (auto iterator = iterate_reversed(rt, args[0])) return iterator;
  if (!is_iterable(args[0])) raise("argument must be iterable");
  std::vector<Value> items = collect(rt, args[0]);
  std::reverse(items.begin(), items.end());
  return args[0].is_undefined() ? Value(iterate(rt, args[0])) : rt.list(std::move(items));
}

Value join(Runtime& rt, const Arguments& args) {
  const AttributePath path(rt, args.get(2));
  std::vector<Value> items = collect(rt, args[0]);
  for (Value& item : items) item = path.get(rt, item);
  Value separator = args.has(1) ? args[1] : rt.string("");
  if (rt.autoescape) {
    // Markup anywhere makes the whole result markup, and everything else is escaped.
    const auto is_markup = [](const Value& value) { return value.is_string() && value.as_string()->markup; };
    if (is_markup(separator) || std::any_of(items.begin(), items.end(), is_markup))
      separator = escape(rt, separator);
  }
  const String* glue = separator.as_string();
  const bool markup = rt.autoescape && glue && glue->markup;
  const std::string between = to_text(rt, separator);
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += between;
    out += to_text(rt, markup ? escape(rt, items[i]) : items[i]);
    rt.work(between.size());
    rt.reserve(out.size() + between.size());
  }
  return rt.string(std::move(out), markup);
}

Value sum(Runtime& rt, const Arguments& args) {
  const AttributePath path(rt, args.get(1));
  Value total = args.has(2) ? args[2] : Value(0);
  if (total.is_string()) raise("sum() can't sum strings [use ''.join(seq) instead]");
  const std::shared_ptr<Iterator> iterator = iterate(rt, args[0]);
  for (Value item; iterator->next(rt, item);)
    total = apply(rt, BinaryOperator::kAdd, total, path.get(rt, item));
  return total;
}

Value sort(Runtime& rt, const Arguments& args) {
  const bool reversed = args.truth(rt, 1, false);
  const bool case_sensitive = args.truth(rt, 2, false);
  const std::vector<AttributePath> paths = AttributePath::list(rt, args.get(3));
  const std::vector<Value> items = collect(rt, args[0]);
  std::vector<Value> keys;
  for (const Value& item : items) {
    std::vector<Value> key;
    for (const AttributePath& path : paths) {
      const Value part = path.get(rt, item);
      key.push_back(case_sensitive ? part : ignore_case(rt, part));
    }
    keys.push_back(rt.list(std::move(key)));
  }
  std::vector<Value> sorted;
  for (const std::size_t index : sorted_order(rt, keys, reversed)) sorted.push_back(items[index]);
  return rt.list(std::move(sorted));
}

Value dictsort(Runtime& rt, const Arguments& args) {
  const Dict* dict = args[0].as_dict();
  if (!dict) raise("dictsort needs a dict, not '{}'", type_name(args[0]));
  const bool case_sensitive = args.truth(rt, 1, false);
  const std::string by = args.has(2) ? args.string(2).text : "key";
  if (by != "key" && by != "value") raise("You can only sort by either \"key\" or \"value\"");
  std::vector<Value> keys;
  for (const auto& [key, value] : dict->entries()) {
    const Value& chosen = by == "key" ? key : value;
    keys.push_back(case_sensitive ? chosen : ignore_case(rt, chosen));
  }
  std::vector<Value> pairs;
  for (const std::size_t index : sorted_order(rt, keys, args.truth(rt, 3, false))) {
    pairs.push_back(rt.tuple({dict->entries()[index].first, dict->entries()[index].second}));
  }
  return rt.list(std::move(pairs));
}

template <Comparison kBetter>
Value best(Runtime& rt, const Arguments& args) {
  const bool case_sensitive = args.truth(rt, 1, false);
  const AttributePath path(rt, args.get(2));
  const auto key_of = [&](const Value& item) {
    const Value key = path.get(rt, item);
    return case_sensitive ? key : ignore_case(rt, key);
  };
  const std::shared_ptr<Iterator> iterator = iterate(rt, args[0]);
  Value found;
  if (!iterator->next(rt, found)) return Value::undefined("No aggregated item, sequence was empty.");
  Value found_key = key_of(found);
  for (Value item; iterator->next(rt, item);) {
    Value key = key_of(item);
    if (compare(rt, kBetter, key, found_key)) {
      found = item;
      found_key = std::move(key);
    }
  }
  return found;
}

Value unique(Runtime& rt, const Arguments& args) {
  struct State {
    AttributePath path;
    bool case_sensitive;
    Value source;
    std::shared_ptr<Iterator> iterator;
    std::set<Value, KeyLess> seen;
  };
  auto state = std::make_shared<State>();
  state->path = AttributePath(rt, args.get(2));
  state->case_sensitive = args.truth(rt, 1, false);
  state->source = args[0];
  return make_generator(rt, args[0], [state](Runtime& runtime, Value& out) {
    if (!state->iterator) state->iterator = iterate(runtime, state->source);
    while (state->iterator->next(runtime, out)) {
      Value key = state->path.get(runtime, out);
      if (!state->case_sensitive) key = ignore_case(runtime, key);
      if (!is_hashable(key)) raise("unhashable type: '{}'", type_name(key));
      if (key.as_object()) raise("unique() of values of type '{}' is not supported", type_name(key));
      if (const String* text = key.as_string()) runtime.work(text->text.size() * 16);
      runtime.step(4);
      if (state->seen.insert(key).second) return true;
    }
    return false;
  });
}

Value groupby(Runtime& rt, const Arguments& args) {
  const AttributePath path(rt, args[1]);
  const Value otherwise = args.get(2);
  const bool case_sensitive = args.truth(rt, 3, false);
  const std::vector<Value> items = collect(rt, args[0]);
  std::vector<Value> keys;
  for (const Value& item : items) {
    const Value key = path.get(rt, item, otherwise);
    keys.push_back(case_sensitive ? key : ignore_case(rt, key));
  }
  const std::vector<std::size_t> order = sorted_order(rt, keys, false);
  std::vector<Value> groups;
  for (std::size_t i = 0; i < order.size();) {
    const Value& key = keys[order[i]];
    const Value grouper = path.get(rt, items[order[i]], otherwise);
    std::vector<Value> members;
    for (; i < order.size() && equals(rt, keys[order[i]], key); ++i) members.push_back(items[order[i]]);
    if (members.empty()) raise("groupby: the key of a group does not equal itself");
    groups.push_back(rt.tuple({grouper, rt.list(std::move(members))}, true));
  }
  return rt.list(std::move(groups));
}

// A generator that makes all its items when the first is asked for.
Value make_late_list(Runtime& rt, const Value& source, std::function<std::vector<Value>(Runtime&)> make) {
  struct State {
    std::function<std::vector<Value>(Runtime&)> make;
    std::optional<Value> items;
    std::size_t next = 0;
  };
  auto state = std::make_shared<State>();
  state->make = std::move(make);
  return make_generator(rt, source, [state](Runtime& runtime, Value& out) {
    if (!state->items) state->items = runtime.list(state->make(runtime));
    const std::vector<Value>& items = *state->items->items();
    if (state->next == items.size()) return false;
    out = items[state->next++];
    return true;
  });
}

Value batch(Runtime& rt, const Arguments& args) {
  const Value source = args[0];
  const int64_t count = args.integer(1);
  const Value fill = args.has(2) ? args[2] : Value::none();
  return make_late_list(rt, source, [source, count, fill](Runtime& runtime) {
    std::vector<Value> rows;
    std::vector<Value> row;
    for (const Value& item : collect(runtime, source)) {
      if (static_cast<int64_t>(row.size()) == count) rows.push_back(runtime.list(std::exchange(row, {})));
      row.push_back(item);
    }
    if (!row.empty()) {
      if (!fill.is_none() && static_cast<int64_t>(row.size()) < count) {
        runtime.reserve_many(static_cast<uint64_t>(count), sizeof(Value));
        row.resize(static_cast<std::size_t>(count), fill);
      }
      rows.push_back(runtime.list(std::move(row)));
    }
    return rows;
  });
}

Value slice(Runtime& rt, const Arguments& args) {
  const Value source = args[0];
  const int64_t count = args.integer(1);
  const Value fill = args.has(2) ? args[2] : Value::none();
  return make_late_list(rt, source, [source, count, fill](Runtime& runtime) {
    const std::vector<Value> items = collect(runtime, source);
    if (count == 0) raise("integer division or modulo by zero");
    std::vector<Value> columns;
    if (count < 0) return columns;
    runtime.reserve_many(static_cast<uint64_t>(count), 4 * sizeof(Value));
    const auto slices = static_cast<std::size_t>(count);
    const std::size_t longer = items.size() % slices;
    std::size_t position = 0;
    for (std::size_t i = 0; i < slices; ++i) {
      const std::size_t size = items.size() / slices + (i < longer ? 1 : 0);
      const auto start = items.begin() + static_cast<std::ptrdiff_t>(position);
      std::vector<Value> column(start, start + static_cast<std::ptrdiff_t>(size));
      if (!fill.is_none() && i >= longer) column.push_back(fill);
      columns.push_back(runtime.list(std::move(column)));
      position += size;
    }
    return columns;
  });
}

Value items(Runtime& rt, const Arguments& args) {
  const Value source = args[0];
  return make_late_list(rt, source, [source](Runtime& runtime) {
    std::vector<Value> pairs;
    if (source.is_undefined()) return pairs;
    if (!source.as_dict()) raise("Can only get item pairs from a mapping, not from '{}'.", type_name(source));
    runtime.reserve_many(source.as_dict()->size(), 4 * sizeof(Value));
    for (const auto& [key, value] : source.as_dict()->entries()) pairs.push_back(runtime.tuple({key, value}));
    return pairs;
  });
}

constexpr Builtin kFilters[] = {
    {"length", "obj /", length},
    {"count", "obj /", length},
    {"list", "value", list},
    {"first", "seq", first},
    {"last", "seq", last},
    {"random", "seq", random},
    {"reverse", "value", reverse},
    {"join", "value d? attribute?", join},
    {"sum", "iterable attribute? start?", sum},
    {"sort", "value reverse? case_sensitive? attribute?", sort},
    {"dictsort", "value case_sensitive? by? reverse?", dictsort},
    {"min", "value case_sensitive? attribute?", best<Comparison::kLess>},
    {"max", "value case_sensitive? attribute?", best<Comparison::kGreater>},
    {"unique", "value case_sensitive? attribute?", unique},
    {"groupby", "value attribute default? case_sensitive?", groupby},
    {"batch", "value linecount fill_with?", batch},
    {"slice", "value slices fill_with?", slice},
    {"items", "value", items},
};

}  // namespace

const Builtin* find_sequence_filter(std::string_view name) {
  return find_builtin(kFilters, name);
}

}  // namespace cistern::text::jinja
