// Feeds bytes to the session of a client: as one piece, and in pieces of the size that the first byte says.
// Nothing may crash or leak, and both ways the server must see the same requests and say the same: what
// depends on where the network cuts is how requests are smuggled.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "serve/http/error_body.h"
#include "serve/http/session.h"

namespace {

using namespace cistern::serve::http;

class NoConnection final : public Wakeable {
 public:
  void wake() override {}
};

// What the server saw and said.
struct Transcript {
  std::string requests;
  std::string statuses;
};

void answer(const std::shared_ptr<Exchange>& exchange) {
  const Request& request = exchange->request();
  if (request.path == "/drop") return;
  if (request.path != "/stream") return exchange->respond({.body = request.body});
  exchange->begin_stream({.content_type = "text/event-stream", .body = request.body});
  exchange->write("data: x\n\n");
  exchange->end_stream();
}

// Takes all that the session has to say; the status of every answer is noted by the access log.
void drain(Session& session) {
  std::array<std::string_view, 4> views;
  while (session.gather(views) > 0) session.written(std::max<std::size_t>(1, views[0].size() / 2));
}

Transcript run(std::string_view bytes, std::size_t piece) {
  Transcript transcript;
  Site site{.limits = {.head_bytes = 512, .body_bytes = 1024, .all_bodies_bytes = 4096},
            .access = {.api_keys = {}, .cors_origins = {"https://a.example"}},
            .error_body = error_body,
            .bodies = std::make_shared<BodyBudget>(4096)};
  site.access_log = [&](const AccessRecord& record) {
    transcript.statuses += std::to_string(record.status) + " " + std::string(record.path) + "\n";
  };
  site.handler = [&](const std::shared_ptr<Exchange>& exchange) {
    const Request& request = exchange->request();
    transcript.requests +=
        request.method + " " + request.path + "?" + request.query + "\n" + request.body + "\n";
    answer(exchange);
  };
  NoConnection connection;
  {
    Session session(site, connection);
    while (!bytes.empty() && session.wants_bytes()) {
      session.received(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
      drain(session);
    }
    session.peer_closed();
    drain(session);
    session.failed();
  }
  if (site.bodies->used_bytes() != 0) std::abort();
  return transcript;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Transcript whole = run(bytes, std::string_view::npos);
  const Transcript pieces = run(bytes, std::max<std::size_t>(1, data[0]));
  if (whole.requests != pieces.requests || whole.statuses != pieces.statuses) std::abort();
  return 0;
}
