#include "serve/openapi/openapi.h"

#include <memory>
#include <string>

// Defined in openapi.S: the first byte of the document and the one behind its last.
extern "C" const char cistern_openapi_begin[];
extern "C" const char cistern_openapi_end[];

namespace cistern::serve::openapi {

std::string_view document() {
  return {cistern_openapi_begin, cistern_openapi_end};
}

std::vector<http::Route> routes() {
  return {{"GET", "/openapi.json", [](const std::shared_ptr<http::Exchange>& exchange) {
             exchange->respond({.body = std::string(document())});
           }}};
}

}  // namespace cistern::serve::openapi
