// A Jinja template: parsed once, rendered any number of times, byte for byte as Jinja 3.1 does in the
// environment that transformers sets up for chat templates (immutable sandbox, trim_blocks, lstrip_blocks,
// break and continue, the generation tag, plain tojson, raise_exception, strftime_now). Used by
// chat_template.h. What Jinja supports and this interpreter does not is an error that names it, never other
// text: include, import, extends, scoped blocks, `self`, lists changed in place, random, and a few rare
// arguments. Immutable after parse; rendering is safe from any number of threads at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "text/jinja/limits.h"
#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

struct Program;

struct RenderOptions {
  std::optional<LocalTime> now;  // what strftime_now sees; without it the clock and zone of the machine
};

class Template {
 public:
  // `name` is what errors call the template. Fails with kTemplate, the place in `where`.
  static Result<Template> parse(std::string_view source, std::string name, const Limits& limits = {});

  // `variables` must be a dict with string keys (from_json.h makes one). Fails with kTemplate; the message of
  // raise_exception is the message of the error.
  Result<std::string> render(const Value& variables, const RenderOptions& options = {}) const;

  const std::string& name() const { return name_; }

 private:
  Template(std::shared_ptr<const Program> program, std::string name, const Limits& limits)
      : program_(std::move(program)), name_(std::move(name)), limits_(limits) {}

  std::shared_ptr<const Program> program_;
  std::string name_;
  Limits limits_;
};

}  // namespace cistern::text::jinja
