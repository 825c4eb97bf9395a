// cistern plan --score-table: what the model of time says of published measurements, row by row, beside what
// was measured. The work of a token comes from the model's own shape where the name is known, else from the
// sizes that the row gives. No printing.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/published.h"
#include "plan/time_model.h"

namespace cistern::tools {

struct ScoredSpeed {
  double measured = 0;  // tokens per second; 0: not measured
  plan::Interval forecast;
  std::vector<plan::Term> terms;
};

struct ScoredRow {
  plan::PublishedRow row;
  bool moe = false;
  bool known_model = false;  // its shape is in the table of models
  std::vector<std::string> groups;
  ScoredSpeed decode, prompt;
  double file_gib = 0;         // as the name and quant have it; 0: the model is not known
  std::optional<Error> error;  // then nothing of the above
};

// Errors: the table cannot be read at all.
Result<std::vector<ScoredRow>> score_table(const std::string& text, const std::string& path);

boost::json::object score_json(const std::vector<ScoredRow>& rows);
// One object per row with the terms of its time: what the parameters are fitted from.
std::string score_features(const std::vector<ScoredRow>& rows);
std::string score_text(const std::vector<ScoredRow>& rows);

}  // namespace cistern::tools
