// What tests of this folder share: a scripted backend behind the routes, requests to them, and answers with
// what differs from run to run (ids, times) replaced by a fixed text.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/openai/routes.h"
#include "support/fake_exchange.h"
#include "support/scripted_backend.h"

namespace cistern::serve::openai {

class ProtocolTest : public ::testing::Test {
 protected:
  std::shared_ptr<testing::FakeExchange> send(std::shared_ptr<testing::FakeExchange> exchange) {
    for (const http::Route& route : routes(backend)) {
      const std::size_t brace = route.path.find('{');
      const std::string_view path = exchange->request().path;
      if (route.method == exchange->request().method &&
          (brace == std::string::npos ? path == route.path
                                      : path.starts_with(std::string_view(route.path).substr(0, brace)))) {
        route.handler(exchange);
        return exchange;
      }
    }
    ADD_FAILURE() << "no route of the path " << exchange->request().path;
    return exchange;
  }

  std::shared_ptr<testing::FakeExchange> post(std::string path, std::string body) {
    return send(testing::FakeExchange::post(std::move(path), std::move(body)));
  }

  // "400 message" of an error; "200" of anything else.
  std::string outcome(std::string path, std::string body) {
    const auto exchange = post(std::move(path), std::move(body));
    std::string text = std::to_string(exchange->status());
    if (exchange->status() == 200 || !exchange->is_complete()) return text;
    return text + " " + boost::json::parse(exchange->body()).at("error").at("message").as_string().c_str();
  }

  std::shared_ptr<testing::ScriptedBackend> backend = std::make_shared<testing::ScriptedBackend>();
};

inline bool is_random_id(std::string_view text) {
  for (const std::string_view prefix : {"chatcmpl-", "cmpl-", "resp_", "msg_", "rs_", "fc_", "fp_"})
    if (text.starts_with(prefix)) return text.size() > prefix.size() + 15;
  return false;
}

inline void make_stable(boost::json::value& value) {
  if (value.is_array())
    for (boost::json::value& element : value.as_array()) make_stable(element);
  if (!value.is_object()) return;
  for (auto& [name, field] : value.as_object()) {
    if (name == "created" || name == "created_at" || name == "completed_at") field = 0;
    if (field.is_string() && is_random_id(field.as_string())) field = "ID";
    make_stable(field);
  }
}

// A JSON text with ids and times replaced, written as Boost.JSON does.
inline std::string stable(std::string_view text) {
  boost::json::value value = boost::json::parse(text);
  make_stable(value);
  return boost::json::serialize(value);
}

// The data of a stream's events, stable, but for "[DONE]".
inline std::vector<std::string> stable_events(const testing::FakeExchange& exchange) {
  std::vector<std::string> all;
  for (const testing::SseEvent& event : testing::sse_events(exchange.body()))
    all.push_back(event.data == "[DONE]" ? event.data : stable(event.data));
  return all;
}

inline std::string compact(std::string_view text) {
  return boost::json::serialize(boost::json::parse(text));
}

}  // namespace cistern::serve::openai
