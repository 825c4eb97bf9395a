// Why a request is not carried out: an HTTP status, a sentence for the client and headers that the status
// asks for. What every check of the server returns; the session turns it into an answer in the shape of the
// protocol (error_body.h). Plain value.
#pragma once

#include <string>

#include "serve/http/exchange.h"

namespace cistern::serve::http {

struct Refusal {
  unsigned status = 400;
  std::string message;
  Headers headers = {};
};

}  // namespace cistern::serve::http
