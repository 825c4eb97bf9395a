// The one exception of the interpreter: a template that cannot be parsed or rendered. It travels inside this
// folder only; Template::parse and Template::render (template.h) turn it into an Error with code kTemplate.
// Everything that a template can get wrong is raised through it, so that the hundreds of small built-ins stay
// free of plumbing.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace cistern::text::jinja {

struct Failure {
  std::string message;
  int line = 0;  // 1-based line of the template; 0 = where the runtime is (Runtime::line)
};

template <class... Args>
[[noreturn]] void raise(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{fmt::format(format, std::forward<Args>(args)...), 0};
}

template <class... Args>
[[noreturn]] void raise_at(int line, fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{fmt::format(format, std::forward<Args>(args)...), line};
}

}  // namespace cistern::text::jinja
