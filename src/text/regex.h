// A compiled regular expression: PCRE2 with Unicode properties, JIT-compiled where the machine has it. Wraps
// what the pre-tokenizers need (search from an offset) and nothing else. A Regex is immutable and may be
// shared; each thread searches with its own Matcher. Resource limits grow with the text, so a pattern that
// backtracks without bound ends as an error and not as a hang.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace cistern::text {

class Regex {
 public:
  enum class Unit { kCharacters, kBytes };

  // Patterns are written as in tokenizer.json files, except that \x{…} escapes name code points. \s and \S
  // mean Unicode's White_Space property (PCRE2's own \s has one character more).
  static Result<Regex> compile(std::string_view pattern, Unit unit);

  struct Match {
    std::size_t begin, end;
  };

  class Matcher {
   public:
    // `longest_bytes`: the longest subject that will be searched.
    Matcher(const Regex& regex, std::size_t longest_bytes);

    // The first match that begins at or after `from`. REQUIRES: subject is valid UTF-8 (kCharacters).
    Result<std::optional<Match>> find(std::string_view subject, std::size_t from);

   private:
    struct Free {
      void operator()(void* data) const noexcept;
    };
    struct FreeContext {
      void operator()(void* context) const noexcept;
    };
    const Regex* regex_;
    std::unique_ptr<void, Free> data_;
    std::unique_ptr<void, FreeContext> context_;
  };

 private:
  struct FreeCode {
    void operator()(void* code) const noexcept;
  };
  std::unique_ptr<void, FreeCode> code_;
  bool jit_ = false;
};

}  // namespace cistern::text
