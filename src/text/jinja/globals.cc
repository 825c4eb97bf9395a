#include "text/jinja/globals.h"

#include "text/jinja/failure.h"
#include "text/jinja/iteration.h"
#include "text/jinja/objects.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/strftime.h"

namespace cistern::text::jinja {
namespace {

constexpr std::size_t kMaxRange = 100'000;  // jinja2.sandbox.MAX_RANGE

Value make_range(Runtime& rt, const Arguments& args) {
  const bool one = !args.has(1);
  const int64_t start = one ? 0 : args.integer(0);
  const int64_t stop = one ? args.integer(0) : args.integer(1);
  const int64_t step = args.integer(2, 1);
  if (step == 0) raise("range() arg 3 must not be zero");
  auto range = rt.object<Range>(start, stop, step);
  if (range->size() > kMaxRange) raise("Range too big. The sandbox blocks ranges larger than {}.", kMaxRange);
  return range;
}

// dict(mapping or pairs, **named), as entries.
std::vector<Dict::Entry> dict_entries(Runtime& rt, const Arguments& args) {
  const CallArgs& call = args.call();
  if (call.positional.size() > 1)
    raise("{} expected at most 1 argument, got {}", args.function_name(), call.positional.size());
  std::vector<Dict::Entry> entries;
  if (!call.positional.empty()) {
    const Value& source = call.positional[0];
    if (const Dict* dict = source.as_dict()) {
      rt.reserve_many(dict->size(), sizeof(Dict::Entry));
      entries = dict->entries();
    } else {
      const std::shared_ptr<Iterator> iterator = iterate(rt, source);
      for (Value item; iterator->next(rt, item);) {
        std::vector<Value> pair = collect(rt, item);
        if (pair.size() != 2)
          raise("dictionary update sequence element has length {}; 2 is required", pair.size());
        entries.emplace_back(std::move(pair[0]), std::move(pair[1]));
        rt.reserve(entries.size() * sizeof(Dict::Entry));
      }
    }
  }
  for (const auto& [name, value] : call.named) entries.emplace_back(rt.string(name), value);
  return entries;
}

Value make_dict(Runtime& rt, const Arguments& args) {
  return rt.dict(dict_entries(rt, args));
}

Value make_namespace(Runtime& rt, const Arguments& args) {
  const Value dict = rt.dict(dict_entries(rt, args));
  for (const auto& [key, value] : dict.as_dict()->entries()) {
    if (key.is_string() && key.as_string()->text.starts_with('_')) {
      raise("a namespace cannot hold the attribute '{}': it begins with an underscore",
            key.as_string()->text);
    }
  }
  auto made = rt.object<Namespace>(dict.as_dict()->entries());
  made->set_charge(rt.charge(sizeof(Namespace) + dict.as_dict()->size() * sizeof(Dict::Entry)));
  rt.keep(made);
  return made;
}

Value make_cycler(Runtime& rt, const Arguments& args) {
  if (!args.call().named.empty())
    raise("cycler() got an unexpected keyword argument '{}'", args.call().named[0].first);
  if (args.call().positional.empty()) raise("at least one item has to be provided");
  return rt.object<Cycler>(rt.tuple(args.call().positional));
}

Value make_joiner(Runtime& rt, const Arguments& args) {
  return rt.object<Joiner>(args.has(0) ? args[0] : rt.string(", "));
}

Value raise_exception(Runtime& rt, const Arguments& args) {
  raise("{}", to_text(rt, args[0]));
}

Value strftime_now(Runtime& rt, const Arguments& args) {
  return rt.string(format_time(rt, args.string(0).text, rt.now()));
}

Value lipsum(Runtime&, const Arguments&) {
  raise("lipsum is not supported: its text is random");
}

struct Global {
  Builtin builtin;
  std::string_view class_path;
};

constexpr Global kGlobals[] = {
    {{"range", "start stop? step? /", make_range}, ""},
    {{"dict", "*", make_dict}, "dict"},
    {{"namespace", "*", make_namespace}, "jinja2.utils.Namespace"},
    {{"cycler", "*", make_cycler}, "jinja2.utils.Cycler"},
    {{"joiner", "sep?", make_joiner}, "jinja2.utils.Joiner"},
    {{"raise_exception", "message", raise_exception}, ""},
    {{"strftime_now", "format", strftime_now}, ""},
    {{"lipsum", "*", lipsum}, ""},
};

}  // namespace

Value find_global(Runtime& rt, std::string_view name) {
  for (const Global& global : kGlobals) {
    if (global.builtin.name == name) return rt.object<Function>(global.builtin, global.class_path);
  }
  return Value();
}

}  // namespace cistern::text::jinja
