#include "serve/answer_reader.h"

#include <string>

namespace cistern::serve {

std::vector<Delta> AnswerReader::push(std::string_view text) {
  if (text.empty()) return {};
  return {Delta{.text = std::string(text), .name = {}, .id = {}}};
}

std::vector<Delta> AnswerReader::finish() {
  return {};
}

}  // namespace cistern::serve
