// What tests of engine/ share: a request is answered to its end, and all that there is to know of the answer
// kept. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace cistern::engine {

using Ids = std::vector<text::TokenId>;

struct Answer {
  Ids ids;
  std::string text;
  StopReason reason = StopReason::kEnd;
  Stats stats;
  std::optional<Error> error;  // what ended it before its time
};

inline Answer try_answer(Engine& engine, Request request) {
  Answer result;
  auto generation = engine.submit(std::move(request));
  EXPECT_TRUE(generation) << describe(generation.error());
  if (!generation) return result;
  for (;;) {
    auto step = generation->next();
    if (!step) result.error = step.error();
    if (!step || !*step) break;
    result.ids.push_back((*step)->id);
    result.text += (*step)->text;
  }
  result.text += generation->tail();
  result.reason = generation->stop_reason();
  result.stats = generation->stats();
  return result;
}

// Of an engine that nothing goes wrong with.
inline Answer answer(Engine& engine, Request request) {
  Answer result = try_answer(engine, std::move(request));
  EXPECT_FALSE(result.error) << describe(*result.error);
  return result;
}

}  // namespace cistern::engine
