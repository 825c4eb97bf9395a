// Filters that apply another filter, a test or an attribute to every item (all lazy, as in Jinja), and
// `default`, `attr`.
#include "text/jinja/access.h"
#include "text/jinja/attribute_path.h"
#include "text/jinja/failure.h"
#include "text/jinja/filters.h"
#include "text/jinja/iteration.h"
#include "text/jinja/operators.h"
#include "text/jinja/tests_table.h"

namespace cistern::text::jinja {
namespace {

Value default_filter(Runtime& rt, const Arguments& args) {
  const bool use_other = args[0].is_undefined() || (args.truth(rt, 2, false) && !is_true(rt, args[0]));
  if (!use_other) return args[0];
  return args.has(1) ? args[1] : rt.string("");
}

Value attr(Runtime& rt, const Arguments& args) {
  const String& name = args.string(1);
  Value found = get_attribute_only(rt, args[0], name.text);
  if (!found.is_missing()) return found;
  return Value::undefined(fmt::format("'{} object' has no attribute '{}'", type_name(args[0]), name.text));
}

// The items of a call to map, select, ... kept until the generator runs.
struct Selection {
  Value source;
  CallArgs call;  // behind the source
  std::shared_ptr<Iterator> iterator;
  bool started = false;

  // False when there is nothing to do: these filters look at the truth of their input first.
  bool start(Runtime& rt) {
    started = true;
    if (!is_true(rt, source)) return false;
    iterator = iterate(rt, source);
    return true;
  }
};

Value make_selection_generator(Runtime& rt, const Selection& selection, Generator::Step step) {
  std::vector<Value> held = selection.call.positional;
  for (const auto& [name, value] : selection.call.named) held.push_back(value);
  held.push_back(selection.source);
  return make_generator(rt, rt.tuple(std::move(held)), std::move(step));
}

template <class State>
std::shared_ptr<State> take_call(const Arguments& args) {
  const CallArgs& call = args.call();
  if (call.positional.empty()) raise("{}() misses the argument 'value'", args.function_name());
  auto state = std::make_shared<State>();
  state->source = call.positional[0];
  state->call.positional.assign(call.positional.begin() + 1, call.positional.end());
  state->call.named = call.named;
  return state;
}

// A filter or test with fixed further arguments.
struct Application {
  const Builtin* builtin = nullptr;
  CallArgs call;  // positional[0] is the item

  Application() = default;
  Application(const Builtin* (*find)(std::string_view), std::string_view kind, const CallArgs& given,
              std::size_t name_index) {
    const Value& name = given.positional[name_index];
    if (name.is_undefined()) raise("{} (used as the name of a {})", name.undefined_message(), kind);
    if (const String* text = name.as_string()) builtin = find(text->text);
    if (!builtin)
      raise("No {} named '{}'.", kind,
            name.is_string() ? name.as_string()->text : std::string(type_name(name)));
    call.positional.emplace_back();
    call.positional.insert(call.positional.end(),
                           given.positional.begin() + static_cast<std::ptrdiff_t>(name_index) + 1,
                           given.positional.end());
    call.named = given.named;
  }

  Value apply_to(Runtime& rt, const Value& item) {
    const Runtime::Depth depth(rt);
    call.positional[0] = item;
    return call_builtin(rt, *builtin, call);
  }
};

struct MapState : Selection {
  bool by_attribute = false;
  AttributePath path;
  Value otherwise;
  Application filter;

  void prepare(Runtime& rt) {
    if (!call.positional.empty()) {
      filter = Application(find_filter, "filter", call, 0);
      return;
    }
    by_attribute = true;
    const Value* attribute = nullptr;
    for (const auto& [name, value] : call.named) {
      if (name == "attribute") attribute = &value;
      if (name == "default") otherwise = value;
    }
    if (!attribute) raise("map requires a filter argument");
    for (const auto& [name, value] : call.named) {
      if (name != "attribute" && name != "default") raise("Unexpected keyword argument '{}'", name);
    }
    path = AttributePath(rt, *attribute);
  }
};

Value map(Runtime& rt, const Arguments& args) {
  auto state = take_call<MapState>(args);
  return make_selection_generator(rt, *state, [state](Runtime& runtime, Value& out) {
    const Runtime::Depth depth(runtime);
    if (!state->started && state->start(runtime)) state->prepare(runtime);
    if (!state->iterator) return false;
    Value item;
    if (!state->iterator->next(runtime, item)) return false;
    out = state->by_attribute ? state->path.get(runtime, item, state->otherwise)
                              : state->filter.apply_to(runtime, item);
    return true;
  });
}

struct SelectState : Selection {
  AttributePath path;
  Application test;

  void prepare(Runtime& rt, bool by_attribute) {
    if (by_attribute) {
      if (call.positional.empty()) raise("Missing parameter for attribute name");
      path = AttributePath(rt, call.positional[0]);
    }
    const std::size_t name_index = by_attribute ? 1 : 0;
    if (call.positional.size() > name_index) test = Application(find_test, "test", call, name_index);
  }

  bool passes(Runtime& rt, const Value& item) {
    const Value value = path.get(rt, item);
    return is_true(rt, test.builtin ? test.apply_to(rt, value) : value);
  }
};

template <bool kKeep, bool kByAttribute>
Value select(Runtime& rt, const Arguments& args) {
  auto state = take_call<SelectState>(args);
  return make_selection_generator(rt, *state, [state](Runtime& runtime, Value& out) {
    const Runtime::Depth depth(runtime);
    if (!state->started && state->start(runtime)) state->prepare(runtime, kByAttribute);
    if (!state->iterator) return false;
    while (state->iterator->next(runtime, out)) {
      if (state->passes(runtime, out) == kKeep) return true;
    }
    return false;
  });
}

constexpr Builtin kFilters[] = {
    {"default", "value default_value? boolean?", default_filter},
    {"d", "value default_value? boolean?", default_filter},
    {"attr", "obj name", attr},
    {"map", "*", map},
    {"select", "*", select<true, false>},
    {"reject", "*", select<false, false>},
    {"selectattr", "*", select<true, true>},
    {"rejectattr", "*", select<false, true>},
};

}  // namespace

const Builtin* find_selection_filter(std::string_view name) {
  return find_builtin(kFilters, name);
}

}  // namespace cistern::text::jinja
