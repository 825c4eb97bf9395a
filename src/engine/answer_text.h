// The text of an answer as its tokens come: detokenizer and stop strings in one. One per answer; not
// thread-safe. The tokenizer must outlive it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "engine/stop_matcher.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

namespace cistern::engine {

class AnswerText {
 public:
  AnswerText(const text::Tokenizer& tokenizer, std::span<const std::string> stops, bool show_control)
      : tokenizer_(tokenizer), stops_(stops), show_control_(show_control) {
    restart();
  }

  // What can be shown of it now.
  std::string push(text::TokenId id) {
    if (!show_control_ || !tokenizer_.is_control(id)) return stops_.feed(detokenizer_->push(id));
    std::string shown = detokenizer_->flush();
    shown += tokenizer_.vocab().tokens[id];
    restart();
    return stops_.feed(shown);
  }
  bool stopped() const { return stops_.matched(); }

  // What is left at the end; a stop string may end with it.
  std::string finish() {
    std::string tail = stops_.feed(detokenizer_->flush());
    return stopped() ? tail : tail + stops_.flush();
  }
  const std::string& stop() const { return stops_.match(); }

 private:
  void restart() {
    detokenizer_.emplace(tokenizer_, text::DetokenizerOptions{.hide_control = true, .continuation = true});
  }

  const text::Tokenizer& tokenizer_;
  StopMatcher stops_;
  bool show_control_;
  std::optional<text::Detokenizer> detokenizer_;
};

}  // namespace cistern::engine
