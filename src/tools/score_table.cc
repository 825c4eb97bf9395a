#include "tools/score_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <memory>

#include "plan/hardware_plan.h"
#include "plan/model_work.h"
#include "spec/hub/known_models.h"
#include "spec/hub/paper_model.h"
#include "tools/json_out.h"
#include "tools/output.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

constexpr double kGib = 1024.0 * 1024 * 1024;
// A row whose sizes differ by more from those of the model of that name means another one.
constexpr double kSameParameters = 1.25;
constexpr double kSameFile = 1.5;

bool alike(double a, double b, double factor) {
  return a <= 0 || b <= 0 || (a < b * factor && b < a * factor);
}

// A model of the table with the cache that its depth needs.
struct Shape {
  spec::hub::PaperModel paper;
  kv::CacheShape cache;
};

class Shapes {
 public:
  // Null: the name is not known.
  const Shape* find(const plan::PublishedRow& row) {
    const auto key = std::pair(row.model, row.quant);
    const auto found = shapes_.find(key);
    if (found != shapes_.end()) return found->second.get();
    return shapes_.emplace(key, make(row)).first->second.get();
  }

 private:
  static std::unique_ptr<Shape> make(const plan::PublishedRow& row) {
    auto paper = spec::hub::paper_model_of_name(row.model, row.quant);
    // A known model in a quant that is not: its shapes, with the usual bits of such a name.
    if (!paper)
      paper =
          spec::hub::paper_model_of_name(row.model, fmt::format("{:g}bpw", plan::bits_per_weight(row.quant)));
    if (!paper) return nullptr;
    const auto plan = plan::make_plan({.budget_bytes = ~std::uint64_t{0} >> 1U}, paper->spec,
                                      paper->inventory, {.context_tokens = paper->spec.context_tokens});
    if (!plan) return nullptr;
    return std::make_unique<Shape>(Shape{.paper = *std::move(paper), .cache = plan->cache});
  }

  std::map<std::pair<std::string, std::string>, std::unique_ptr<Shape>> shapes_;
};

// The file's own size is a fact where the row tells it, and bytes are what decoding takes.
void scale_bytes(plan::Work& work, double factor) {
  for (double* bytes :
       {&work.file_bytes, &work.dense_read_bytes, &work.routed_read_bytes, &work.routed_file_bytes})
    *bytes *= factor;
}

Result<plan::Work> work_of(const plan::PublishedRow& row, Shapes& shapes, ScoredRow& scored) {
  const plan::MeasuredContext context = plan::parse_context(row.context);
  const Shape* shape = shapes.find(row);
  if (shape == nullptr) return plan::estimate_work(row, context);
  const spec::hub::PaperModel& paper = shape->paper;
  if (!alike(row.params_total_b, static_cast<double>(paper.n_parameters()) / 1e9, kSameParameters))
    return plan::estimate_work(row, context);
  plan::Work work = plan::model_work(paper.spec, paper.inventory, shape->cache, row.quant,
                                     {.decode_depth = context.decode_depth,
                                      .prompt_depth = context.prompt_depth,
                                      .prompt_tokens = context.prompt_tokens,
                                      .flash_attention = context.flash_attention});
  const auto file_bytes = static_cast<double>(paper.inventory.tensor_bytes());
  scored.file_gib = file_bytes / kGib;
  if (!alike(row.file_size_gib, scored.file_gib, kSameFile)) return plan::estimate_work(row, context);
  scored.known_model = true;
  if (row.file_size_gib > 0) scale_bytes(work, row.file_size_gib * kGib / file_bytes);
  return work;
}

Result<void> score_row(const plan::Catalogue& catalogue, const plan::TimeModel& time, Shapes& shapes,
                       ScoredRow& scored) {
  const plan::PublishedRow& row = scored.row;
  CISTERN_TRY(const plan::System system, plan::system_of(catalogue, row));
  CISTERN_TRY(const plan::Work work, work_of(row, shapes, scored));
  const plan::Backend backend = plan::backend_of(row.backend);
  scored.moe = work.routed_file_bytes > 0;
  scored.groups = plan::width_groups(work, system, backend);
  scored.decode.measured = row.decode_tps;
  scored.prompt.measured = row.prompt_tps;
  CISTERN_TRY(scored.decode.forecast, time.decode(work, system, backend));
  CISTERN_TRY(scored.prompt.forecast, time.prompt(work, system, backend));
  CISTERN_TRY(scored.decode.terms, plan::decode_terms(work, system, backend));
  CISTERN_TRY(scored.prompt.terms, plan::prompt_terms(work, system, backend));
  return {};
}

double error_of(const ScoredSpeed& speed) {
  return std::fabs(speed.forecast.mid / speed.measured - 1);
}

struct Summary {
  std::size_t count = 0;
  double median_error = 0;
  double within_30 = 0;
  double coverage = 0;
};

using Choose = std::function<bool(const ScoredRow&)>;

Summary summarize(const std::vector<ScoredRow>& rows, const ScoredSpeed ScoredRow::* speed,
                  const Choose& choose) {
  std::vector<double> errors;
  std::size_t within = 0, covered = 0;
  for (const ScoredRow& row : rows) {
    const ScoredSpeed& s = row.*speed;
    if (row.error || s.measured <= 0 || !choose(row)) continue;
    errors.push_back(error_of(s));
    within += errors.back() <= 0.3 ? 1 : 0;
    covered += s.forecast.low <= s.measured && s.measured <= s.forecast.high ? 1 : 0;
  }
  if (errors.empty()) return {};
  std::ranges::sort(errors);
  const auto n = static_cast<double>(errors.size());
  return {.count = errors.size(),
          .median_error = (errors[(errors.size() - 1) / 2] + errors[errors.size() / 2]) / 2,
          .within_30 = static_cast<double>(within) / n,
          .coverage = static_cast<double>(covered) / n};
}

// Of file sizes.
Summary summarize_files(const std::vector<ScoredRow>& rows) {
  std::vector<double> errors;
  for (const ScoredRow& row : rows)
    if (!row.error && row.file_gib > 0 && row.row.file_size_gib > 0)
      errors.push_back(std::fabs(row.file_gib / row.row.file_size_gib - 1));
  if (errors.empty()) return {};
  std::ranges::sort(errors);
  const auto within = std::ranges::count_if(errors, [](double error) { return error <= 0.05; });
  return {.count = errors.size(),
          .median_error = errors[errors.size() / 2],
          .within_30 = static_cast<double>(within) / static_cast<double>(errors.size())};
}

struct Part {
  const char* name;
  const ScoredSpeed ScoredRow::* speed;
  Choose choose;
};

std::vector<Part> parts() {
  const auto trusted = [](const ScoredRow& row) { return row.row.confidence == "A"; };
  return {
      {"decode", &ScoredRow::decode, [](const ScoredRow&) { return true; }},
      {"decode_a_dense", &ScoredRow::decode, [=](const ScoredRow& row) { return trusted(row) && !row.moe; }},
      {"decode_a_moe", &ScoredRow::decode, [=](const ScoredRow& row) { return trusted(row) && row.moe; }},
      {"prompt", &ScoredRow::prompt, [](const ScoredRow&) { return true; }},
      {"prompt_a", &ScoredRow::prompt, trusted},
  };
}

json::object speed_json(const ScoredSpeed& speed) {
  return {{"measured", json_or_null(speed.measured)},
          {"low", speed.forecast.low},
          {"mid", speed.forecast.mid},
          {"high", speed.forecast.high}};
}

json::object terms_json(const ScoredSpeed& speed) {
  json::array terms;
  for (const plan::Term& term : speed.terms) {
    json::array factors;
    for (const plan::Factor& factor : term.factors)
      factors.push_back(json::array{json::value(factor.parameter), json::value(factor.weight)});
    terms.push_back({{"seconds", term.seconds}, {"factors", std::move(factors)}});
  }
  return {{"measured", json_or_null(speed.measured)}, {"terms", std::move(terms)}};
}

}  // namespace

Result<std::vector<ScoredRow>> score_table(const std::string& text, const std::string& path) {
  CISTERN_TRY(std::vector<plan::PublishedRow> published, plan::parse_published(text, path));
  const plan::Catalogue catalogue = plan::Catalogue::built_in();
  const plan::TimeModel time = plan::TimeModel::built_in();
  Shapes shapes;
  std::vector<ScoredRow> rows;
  for (plan::PublishedRow& row : published) {
    ScoredRow& scored = rows.emplace_back();
    scored.row = std::move(row);
    if (const auto done = score_row(catalogue, time, shapes, scored); !done) scored.error = done.error();
  }
  return rows;
}

json::object score_json(const std::vector<ScoredRow>& rows) {
  json::array list;
  for (const ScoredRow& row : rows) {
    json::object object = {{"row_id", row.row.row_id}};
    if (row.error) {
      object["measured"] = json_or_null(row.row.decode_tps);
      for (const char* bound : {"low", "mid", "high"}) object[bound] = nullptr;
      object["error"] = describe(*row.error);
    } else {
      for (auto& [key, value] : speed_json(row.decode)) object[key] = value;
      object["prompt"] = speed_json(row.prompt);
      object["moe"] = row.moe;
      object["known_model"] = row.known_model;
      object["file_size_gib"] = json_or_null(row.file_gib);
    }
    list.push_back(std::move(object));
  }
  json::object summary;
  for (const Part& part : parts()) {
    const Summary s = summarize(rows, part.speed, part.choose);
    summary[part.name] = {{"rows", s.count},
                          {"median_error", s.median_error},
                          {"within_30_percent", s.within_30},
                          {"coverage", s.coverage}};
  }
  const Summary files = summarize_files(rows);
  summary["file_size"] = {
      {"rows", files.count}, {"median_error", files.median_error}, {"within_5_percent", files.within_30}};
  summary["not_forecast"] =
      std::ranges::count_if(rows, [](const ScoredRow& row) { return row.error.has_value(); });
  return {{"rows", std::move(list)}, {"summary", std::move(summary)}};
}

std::string score_features(const std::vector<ScoredRow>& rows) {
  std::string lines;
  for (const ScoredRow& row : rows) {
    if (row.error) continue;
    lines += to_json(json::object{{"row_id", row.row.row_id},
                                  {"hardware", row.row.hardware},
                                  {"model", row.row.model},
                                  {"backend", row.row.backend},
                                  {"quant", row.row.quant},
                                  {"context", row.row.context},
                                  {"confidence", row.row.confidence},
                                  {"moe", row.moe},
                                  {"groups", json::array(row.groups.begin(), row.groups.end())},
                                  {"decode", terms_json(row.decode)},
                                  {"prompt", terms_json(row.prompt)}}) +
             "\n";
  }
  return lines;
}

std::string score_text(const std::vector<ScoredRow>& rows) {
  std::string text =
      fmt::format("{:<18} {:>5} {:>13} {:>11} {:>9}\n", "", "rows", "median error", "within 30%", "covered");
  for (const Part& part : parts()) {
    const Summary s = summarize(rows, part.speed, part.choose);
    text += fmt::format("{:<18} {:>5} {:>12.1f}% {:>10.0f}% {:>8.0f}%\n", part.name, s.count,
                        100 * s.median_error, 100 * s.within_30, 100 * s.coverage);
  }
  const Summary files = summarize_files(rows);
  text += fmt::format("{:<18} {:>5} {:>12.1f}% {:>10.0f}% within 5%\n", "file size", files.count,
                      100 * files.median_error, 100 * files.within_30);
  std::vector<const ScoredRow*> worst;
  for (const ScoredRow& row : rows)
    if (!row.error && row.decode.measured > 0) worst.push_back(&row);
  std::ranges::sort(worst, std::greater(), [](const ScoredRow* row) {
    return std::fabs(std::log(row->decode.forecast.mid / row->decode.measured));
  });
  constexpr std::size_t kShown = 10;
  if (!worst.empty()) text += "\nfurthest off, tok/s forecast and measured\n";
  for (std::size_t i = 0; i < std::min(kShown, worst.size()); ++i) {
    const ScoredRow& row = *worst[i];
    text += fmt::format("  {:>8.1f} {:>8.1f}  {}, {} {}, {} ({})\n", row.decode.forecast.mid,
                        row.decode.measured, printable(row.row.hardware), printable(row.row.model),
                        printable(row.row.quant), printable(row.row.backend), printable(row.row.row_id));
  }
  for (const ScoredRow& row : rows)
    if (row.error)
      text +=
          fmt::format("not forecast: {}: {}\n", printable(row.row.row_id), printable(describe(*row.error)));
  return text;
}

}  // namespace cistern::tools
