// Typed errors as values. Everything that the world can get wrong (files, requests, budgets) travels as an
// Error inside std::expected; bugs in our own code are CHECKs (check.h). Used by every folder. The library
// never prints an Error and never exits: front-ends turn the code into an exit status or a protocol error
// with the table in error.cc. Values are plain data and safe to copy between threads.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace cistern {

enum class ErrorCode {
  kUsage,        // the caller asked for something that makes no sense (unknown option, bad value)
  kNotFound,     // a file, model or name does not exist
  kIo,           // the operating system refused or failed
  kFormat,       // a file or text is malformed
  kUnsupported,  // well-formed, but a type, architecture or construct that we do not know
  kMemory,       // does not fit the budget
  kTooLong,      // prompt longer than the context, context full
  kTemplate,     // a chat template failed or raised
  kCancelled,    // stopped on request
  kBusy,         // too much is asked at the same time: try again later
  kTimeout,      // took longer than allowed
};

struct Error {
  ErrorCode code;
  std::string message;  // one line: what is wrong and what to do about it
  std::string where;    // file, field, offset; may be empty
};

template <class T>
using Result = std::expected<T, Error>;

// Builds the error side of a Result: `return fail(ErrorCode::kFormat, "…", where);`
std::unexpected<Error> fail(ErrorCode code, std::string message, std::string where = {});

// "where: message", or the message alone, in one line: both may quote a file, so control bytes become \xNN.
std::string describe(const Error& error);

// Stable short name of a code ("format", "memory", …) for JSON output and tests.
std::string_view name_of(ErrorCode code);

// Process exit status of a code: 2 for usage, 1 for the rest.
int exit_status(ErrorCode code);

}  // namespace cistern

#define CISTERN_CONCAT_INNER(a, b) a##b
#define CISTERN_CONCAT(a, b) CISTERN_CONCAT_INNER(a, b)

// Evaluates a Result<T>; returns its error from the enclosing function, else moves the value into `lhs`
// (a declaration or an assignable expression). libstdc++ 12 has no monadic operations on std::expected.
#define CISTERN_TRY(lhs, ...)                                                          \
  auto CISTERN_CONCAT(cistern_try_, __LINE__) = (__VA_ARGS__);                         \
  if (!CISTERN_CONCAT(cistern_try_, __LINE__))                                         \
    return std::unexpected(std::move(CISTERN_CONCAT(cistern_try_, __LINE__)).error()); \
  lhs = *std::move(CISTERN_CONCAT(cistern_try_, __LINE__))

// The same for Result<void>.
#define CISTERN_TRY_VOID(...)                                   \
  if (auto cistern_try_void = (__VA_ARGS__); !cistern_try_void) \
  return std::unexpected(std::move(cistern_try_void).error())
