// Arbitrary text as each of the tables and texts that `cistern plan` reads: a user's catalogue of hardware,
// published measurements with their contexts, parameters of the model of time, a machine that somebody names,
// a line of the ledger. A value or a one-line error. The tables that are built in are small ones here.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "engine/ledger_line.h"
#include "plan/catalogue.h"
#include "plan/catalogue/tables.h"
#include "plan/published.h"
#include "plan/time_model.h"

namespace cistern::plan {

std::string_view hardware_table() noexcept {
  return "name,kind,memory_gb,bandwidth_gbps,fp16_tflops\nCard 9,gpu,24,1000,100\nDesktop DDR5,cpu,64,80,2\n";
}
std::string_view time_parameter_table() noexcept {
  return "name,value\ndecode.weights,0.2\n";
}

namespace {

void touch(const Error& error) {
  const std::string message = describe(error);
  CISTERN_CHECK(!message.empty() && message.find('\n') == std::string::npos);
}

void touch_speed(const Work& work, const System& system) {
  const auto speed = TimeModel::built_in().decode(work, system, {});
  if (!speed) return touch(speed.error());
  CISTERN_CHECK(speed->low <= speed->mid && speed->mid <= speed->high);
}

void touch_system(const Catalogue& catalogue, std::string_view text) {
  const auto system = catalogue.resolve(text);
  if (!system) return touch(system.error());
  CISTERN_CHECK(!system->devices.empty() || system->host);
  touch_speed({.file_bytes = 1e9, .dense_read_bytes = 1e9, .dense_macs = 1e9, .layers = 10}, *system);
}

void touch_published(std::string_view text) {
  const auto rows = parse_published(text, "rows.csv");
  if (!rows) return touch(rows.error());
  const Catalogue catalogue = Catalogue::built_in();
  for (const PublishedRow& row : *rows) {
    const MeasuredContext context = parse_context(row.context);
    CISTERN_CHECK(std::isfinite(context.decode_depth) && context.prompt_tokens >= 0);
    const auto work = estimate_work(row, context);
    const auto system = system_of(catalogue, row);
    if (work && system) touch_speed(*work, *system);
  }
}

}  // namespace
}  // namespace cistern::plan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace plan = cistern::plan;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const plan::Catalogue built_in = plan::Catalogue::built_in();
  plan::touch_system(built_in, text);
  if (const auto catalogue = plan::Catalogue::parse(text, "hardware.csv")) {
    for (const plan::Hardware& row : catalogue->rows()) plan::touch_system(*catalogue, row.name);
  } else {
    plan::touch(catalogue.error());
  }
  plan::touch_published(text);
  if (const auto time = plan::TimeModel::parse(text, "parameters.csv"); !time) plan::touch(time.error());
  plan::parse_context(text);
  (void)cistern::engine::parse_ledger_line(text);
  return 0;
}
