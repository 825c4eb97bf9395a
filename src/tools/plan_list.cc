#include "tools/plan_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "spec/hub/known_models.h"
#include "tools/json_out.h"
#include "tools/output.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

std::string or_dash(double value) {
  return value > 0 ? fmt::format("{:g}", value) : "-";
}

}  // namespace

json::array models_json() {
  json::array list;
  for (const spec::hub::KnownModel& model : spec::hub::known_models())
    list.push_back({{"name", model.name},
                    {"aliases", json::array(model.aliases.begin(), model.aliases.end())},
                    {"parameters", model.params_b * 1e9},
                    {"source", model.source}});
  return list;
}

std::string models_text() {
  std::string text = fmt::format("{:<32} {:>10}  {}\n", "model", "parameters", "also called");
  for (const spec::hub::KnownModel& model : spec::hub::known_models())
    text += fmt::format("{:<32} {:>9.1f}B  {}\n", model.name, model.params_b, fmt::join(model.aliases, ", "));
  return text;
}

json::array hardware_json(const plan::Catalogue& catalogue) {
  json::array list;
  for (const plan::Hardware& row : catalogue.rows())
    list.push_back({{"name", row.name},
                    {"kind", plan::name_of(row.kind)},
                    {"vendor", row.vendor},
                    {"memory_gb", json::array(row.memory_gb.begin(), row.memory_gb.end())},
                    {"bandwidth_gbps", json_or_null(row.bandwidth_gbps)},
                    {"fp16_tflops", json_or_null(row.fp16_tflops)},
                    {"int8_tops", json_or_null(row.int8_tops)},
                    {"link", row.link},
                    {"tdp_w", json_or_null(row.tdp_w)},
                    {"price_usd", json_or_null(row.price_usd)},
                    {"source", row.source},
                    {"verification", row.verification}});
  return list;
}

std::string hardware_text(const plan::Catalogue& catalogue) {
  std::string text = fmt::format("{:<44} {:<5} {:>20} {:>8} {:>6} {:>7}  {}\n", "hardware", "kind", "GB",
                                 "GB/s", "W", "USD", "figures");
  for (const plan::Hardware& row : catalogue.rows())
    text += fmt::format("{:<44} {:<5} {:>20} {:>8} {:>6} {:>7}  {}\n", printable(row.name),
                        plan::name_of(row.kind), fmt::format("{}", fmt::join(row.memory_gb, "/")),
                        or_dash(row.bandwidth_gbps), or_dash(row.tdp_w), or_dash(row.price_usd),
                        printable(row.verification));
  return text;
}

}  // namespace cistern::tools
