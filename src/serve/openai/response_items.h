// The output of a response as it grows: items that are opened, added to and closed, one at a time, each step
// an event. Used by responses_reply. Knows no network: events go to a function. Not thread-safe.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/answer.h"

namespace cistern::serve::openai {

class ResponseItems {
 public:
  // Takes an event's type and fields, without "sequence_number".
  using Emit = std::function<void(std::string_view type, boost::json::object fields)>;
  explicit ResponseItems(Emit emit) : emit_(std::move(emit)) {}

  void add(const std::vector<Delta>& deltas, const std::vector<ChosenLogprob>& logprobs);
  // Closes the item that is open. `status`: "completed" or "incomplete".
  void close(std::string_view status);

  const boost::json::array& output() const { return output_; }  // of closed items

 private:
  enum class Kind { kNone, kReasoning, kMessage, kCall };

  void open(Kind kind);
  void open_call(const Delta& delta);
  void add_text(Kind kind, const std::string& text, boost::json::array logprobs);
  void add_arguments(const std::string& text);
  void close_part();
  boost::json::object item_json(std::string_view status) const;
  boost::json::object part_json() const;
  // With the fields by which every event names its item, and its part.
  void emit(std::string_view type, boost::json::object fields);
  void emit_of_part(std::string_view type, boost::json::object fields);

  Emit emit_;
  boost::json::array output_;
  Kind kind_ = Kind::kNone;  // of the item that is open
  std::string id_;
  std::string text_;  // of its part, or the arguments of its call
  std::string call_id_, name_;
  boost::json::array logprobs_;          // of its part
  boost::json::array pending_logprobs_;  // of tokens whose text has not come
};

}  // namespace cistern::serve::openai
