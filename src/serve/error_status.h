// What an Error is in the protocols: the HTTP status and the names of its kind. One table for all of them.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cistern::serve {

struct ErrorStatus {
  unsigned http = 500;
  std::string_view openai;     // "type" of OpenAI's error object
  std::string_view anthropic;  // of Anthropic's
};

ErrorStatus status_of(ErrorCode code);

// The field of the request that is wrong, "schema#/properties/x" for a place in a field's JSON; empty where
// the error is about no field.
std::string client_field(const Error& error);

// What a client is told, in one line: the message, without paths of this machine.
std::string client_message(const Error& error);

}  // namespace cistern::serve
