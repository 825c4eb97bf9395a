#include "serve/openai/response_items.h"

#include <array>
#include <utility>

#include "serve/openai/reply.h"
#include "serve/random_id.h"

namespace cistern::serve::openai {

namespace json = boost::json;

void ResponseItems::add(const std::vector<Delta>& deltas, const std::vector<ChosenLogprob>& logprobs) {
  // Of a token whose text is held back: they go with the text that follows.
  append_logprobs(pending_logprobs_, logprobs);
  for (const Delta& delta : deltas) {
    switch (delta.kind) {
      case Delta::Kind::kReasoning:
        pending_logprobs_.clear();
        add_text(Kind::kReasoning, delta.text, {});
        break;
      case Delta::Kind::kContent:
        add_text(Kind::kMessage, delta.text, std::exchange(pending_logprobs_, {}));
        break;
      case Delta::Kind::kCallBegin:
        pending_logprobs_.clear();
        open_call(delta);
        break;
      case Delta::Kind::kCallArguments:
        add_arguments(delta.text);
        break;
      case Delta::Kind::kCallEnd:
        if (kind_ == Kind::kCall) close("completed");
        break;
    }
  }
}

void ResponseItems::open(Kind kind) {
  if (kind_ == kind) return;
  close("completed");
  kind_ = kind;
  id_ = random_id(kind == Kind::kReasoning ? "rs_" : kind == Kind::kMessage ? "msg_" : "fc_");
  emit_("response.output_item.added", {{"output_index", output_.size()}, {"item", item_json("in_progress")}});
  if (kind != Kind::kCall) emit_of_part("response.content_part.added", {{"part", part_json()}});
}

void ResponseItems::open_call(const Delta& delta) {
  close("completed");
  call_id_ = delta.id;
  name_ = delta.name;
  open(Kind::kCall);
}

void ResponseItems::add_text(Kind kind, const std::string& text, json::array logprobs) {
  if (text.empty() && kind_ != kind) return;
  open(kind);
  text_ += text;
  for (const json::value& token : logprobs) logprobs_.push_back(token);
  if (kind == Kind::kReasoning) {
    emit_of_part("response.reasoning_text.delta", {{"delta", text}});
  } else {
    emit_of_part("response.output_text.delta", {{"delta", text}, {"logprobs", std::move(logprobs)}});
  }
}

void ResponseItems::add_arguments(const std::string& text) {
  if (kind_ != Kind::kCall) return;
  text_ += text;
  emit("response.function_call_arguments.delta", {{"delta", text}});
}

void ResponseItems::close(std::string_view status) {
  if (kind_ == Kind::kNone) return;
  close_part();
  const json::object item = item_json(status);
  emit_("response.output_item.done", {{"output_index", output_.size()}, {"item", item}});
  output_.push_back(item);
  kind_ = Kind::kNone;
  text_.clear();
  logprobs_.clear();
}

void ResponseItems::close_part() {
  if (kind_ == Kind::kCall) {
    emit("response.function_call_arguments.done", {{"name", name_}, {"arguments", text_}});
    return;
  }
  if (kind_ == Kind::kReasoning) {
    emit_of_part("response.reasoning_text.done", {{"text", text_}});
  } else {
    emit_of_part("response.output_text.done", {{"text", text_}, {"logprobs", logprobs_}});
  }
  emit_of_part("response.content_part.done", {{"part", part_json()}});
}

json::object ResponseItems::part_json() const {
  if (kind_ == Kind::kReasoning) return {{"type", "reasoning_text"}, {"text", text_}};
  return {{"type", "output_text"}, {"annotations", json::array()}, {"logprobs", logprobs_}, {"text", text_}};
}

json::object ResponseItems::item_json(std::string_view status) const {
  json::object item = {{"id", id_}, {"status", status}};
  if (kind_ == Kind::kCall) {
    item["type"] = "function_call";
    item["call_id"] = call_id_;
    item["name"] = name_;
    item["arguments"] = text_;
    return item;
  }
  json::array content;
  if (status != "in_progress") content.emplace_back(part_json());
  item["content"] = std::move(content);
  if (kind_ == Kind::kReasoning) {
    item["type"] = "reasoning";
    item["summary"] = json::array();
  } else {
    item["type"] = "message";
    item["role"] = "assistant";
  }
  return item;
}

void ResponseItems::emit(std::string_view type, json::object fields) {
  fields["item_id"] = id_;
  fields["output_index"] = output_.size();
  emit_(type, std::move(fields));
}

void ResponseItems::emit_of_part(std::string_view type, json::object fields) {
  fields["content_index"] = 0;
  emit(type, std::move(fields));
}

}  // namespace cistern::serve::openai
