#include "tools/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "tools/json_out.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;
using plan::describe_bytes;
using plan::Interval;
using plan::PlanRow;
using plan::Verdict;

constexpr std::string_view kUnconfirmed =
    "a figure of this hardware is a claim that its vendor has not confirmed";

json::object interval_json(const Interval& interval) {
  return {{"low", interval.low}, {"mid", interval.mid}, {"high", interval.high}};
}

json::value forecast_json(const std::optional<plan::Forecast>& forecast) {
  if (!forecast) return nullptr;
  json::object object;
  const auto add = [&](std::string_view name, const Interval& interval) {
    object[name] = plan::is_usable(interval) ? json::value(interval_json(interval)) : json::value();
  };
  add("load_s", forecast->load_s);
  add("prefill_tok_s", forecast->prefill_tok_s);
  add("first_token_s", forecast->first_token_s);
  add("decode_tok_s", forecast->decode_tok_s);
  add("decode_half_tok_s", forecast->decode_half_tok_s);
  add("decode_full_tok_s", forecast->decode_full_tok_s);
  add("peak_bytes", forecast->peak_bytes);
  return object;
}

json::object counts_json(const plan::ByteCounts& counts) {
  return {{"weights", counts.weights}, {"experts", counts.experts},   {"kv", counts.kv},
          {"buffers", counts.buffers}, {"overhead", counts.overhead}, {"total", counts.total()}};
}

double decode_of(const PlanRow& row) {
  return row.forecast ? row.forecast->decode_tok_s.mid : 0;
}

json::object row_json(const PlanRow& row) {
  json::array tiers, changes, points;
  for (const plan::Tier& tier : row.tiers) {
    json::object object = counts_json(tier.bytes);
    object["name"] = tier.name;
    object["kind"] = tier.kind;
    object["capacity_bytes"] = tier.capacity_bytes;
    tiers.push_back(std::move(object));
  }
  for (const plan::Change& change : row.changes) {
    changes.push_back({{"change", change.what},
                       {"verdict", plan::name_of(change.verdict)},
                       {"decode_tok_s", json_or_null(change.decode_tok_s)},
                       {"total_bytes", change.total_bytes}});
  }
  for (const plan::OperatingPoint& point : row.points) {
    points.push_back(
        {{"what", point.what}, {"bytes", point.bytes}, {"macs", point.macs}, {"tok_s", point.tok_s}});
  }
  const double rate = decode_of(row);
  double capacity = 0;
  for (const plan::Tier& tier : row.tiers)
    if (tier.kind == "device") capacity += static_cast<double>(tier.capacity_bytes);
  return {{"hardware", row.hardware},
          {"verdict", plan::name_of(row.verdict)},
          {"why", row.why},
          {"bytes", counts_json(row.bytes)},
          {"tiers", std::move(tiers)},
          {"bytes_per_token", json_or_null(row.bytes_per_token)},
          {"forecast", forecast_json(row.forecast)},
          {"limit_tok_s", row.forecast ? json_or_null(row.forecast->limit_tok_s) : json::value()},
          {"limited_by", row.forecast && row.forecast->limit_tok_s > 0
                             ? json::value(plan::name_of(row.forecast->limited_by))
                             : json::value()},
          {"price_usd", json_or_null(row.price_usd)},
          {"power_w", json_or_null(row.power_w)},
          {"usd_per_tok_s", json_or_null(rate > 0 ? row.price_usd / rate : 0)},
          {"usd_per_gb", json_or_null(capacity > 0 ? row.price_usd / (capacity / 1e9) : 0)},
          {"tok_per_j", json_or_null(row.power_w > 0 ? rate / row.power_w : 0)},
          {"unconfirmed", row.unconfirmed},
          {"changes", std::move(changes)},
          {"roofline",
           {{"read_bytes_per_s", json_or_null(row.read_bytes_per_s)},
            {"macs_per_s", json_or_null(row.macs_per_s)},
            {"points", std::move(points)}}}};
}

// Three digits are more than a forecast knows.
std::string short_number(double value) {
  if (value < 0.1) return fmt::format("{:.2g}", value);
  if (value >= 100) return fmt::format("{:.0f}", value);
  return value >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

std::string interval_text(const Interval& interval, std::string_view unit) {
  return fmt::format("{} {} ({} to {})", short_number(interval.mid), unit, short_number(interval.low),
                     short_number(interval.high));
}

std::string billions(double parameters) {
  return parameters >= 1e9 ? fmt::format("{:.1f}B", parameters / 1e9)
                           : fmt::format("{:.0f}M", parameters / 1e6);
}

std::string verdict_text(const PlanRow& row, const Style& style) {
  const std::string text = row.verdict == Verdict::kFits      ? "fits in memory"
                           : row.verdict == Verdict::kStreams ? "runs from disk"
                                                              : "does not run";
  return row.verdict == Verdict::kRefused ? style.red(text) : style.bold(text);
}

std::string line(std::string_view what, const std::string& text) {
  return fmt::format("  {:<12} {}\n", what, text);
}

std::string changes_text(const PlanRow& row) {
  std::string text = row.changes.empty() ? "" : "  what would change it\n";
  for (const plan::Change& change : row.changes)
    text += fmt::format(
        "    {:<28} {}{}, {}\n", printable(change.what), plan::name_of(change.verdict),
        change.decode_tok_s > 0 ? fmt::format(", {} tok/s full", short_number(change.decode_tok_s)) : "",
        describe_bytes(change.total_bytes));
  return text;
}

std::string row_text(const PlanRow& row, const PlanReport& report, const Style& style) {
  std::string text = fmt::format("{}: {}{}{}\n", printable(row.hardware), verdict_text(row, style),
                                 row.why.empty() ? "" : ", ", printable(row.why));
  if (row.unconfirmed) text += fmt::format("  {}\n", kUnconfirmed);
  const plan::ByteCounts& b = row.bytes;
  text +=
      line("memory",
           fmt::format("{} = {} weights{} + {} KV cache for {} tokens + {} buffers + {} overhead",
                       describe_bytes(b.total()), describe_bytes(b.weights),
                       b.experts > 0 ? fmt::format(" ({} of them experts)", describe_bytes(b.experts)) : "",
                       describe_bytes(b.kv), report.context_tokens, describe_bytes(b.buffers),
                       describe_bytes(b.overhead)));
  for (const plan::Tier& tier : row.tiers)
    text += line("", fmt::format("{}: {} of {}", printable(tier.name), describe_bytes(tier.bytes.total()),
                                 describe_bytes(tier.capacity_bytes)));
  if (row.bytes_per_token > 0)
    text += line("per token",
                 fmt::format("{} read", describe_bytes(static_cast<std::uint64_t>(row.bytes_per_token))));
  if (!row.forecast) return text + changes_text(row);
  const plan::Forecast& f = *row.forecast;
  const auto forecast_line = [&](std::string_view what, const Interval& interval, std::string_view unit) {
    if (plan::is_usable(interval)) text += line(what, interval_text(interval, unit));
  };
  forecast_line("decode", f.decode_tok_s, "tok/s");
  if (report.context_tokens > 512) {
    forecast_line("  half full", f.decode_half_tok_s, "tok/s");
    forecast_line("  full", f.decode_full_tok_s, "tok/s");
  }
  forecast_line("prefill", f.prefill_tok_s, "tok/s");
  forecast_line("first token", f.first_token_s, fmt::format("s after {} tokens", report.prompt_tokens));
  forecast_line("load", f.load_s, "s");
  if (plan::is_usable(f.peak_bytes))
    text += line("peak memory",
                 fmt::format("{} ({} to {})", describe_bytes(static_cast<std::uint64_t>(f.peak_bytes.mid)),
                             describe_bytes(static_cast<std::uint64_t>(f.peak_bytes.low)),
                             describe_bytes(static_cast<std::uint64_t>(f.peak_bytes.high))));
  if (f.limit_tok_s > 0)
    text += line("limit",
                 fmt::format("{} tok/s, by {}", short_number(f.limit_tok_s), plan::name_of(f.limited_by)));
  return text + changes_text(row);
}

std::string optional_number(double value, std::string_view prefix = "") {
  return value > 0 ? fmt::format("{}{}", prefix, short_number(value)) : "-";
}

// The verdict in a word or two.
std::string where_text(const PlanRow& row) {
  if (row.verdict != Verdict::kFits || row.tiers.size() < 2) return std::string(plan::name_of(row.verdict));
  return "fits+RAM";
}

std::string table_text(const PlanReport& report) {
  std::size_t width = 8;
  for (const PlanRow& row : report.rows) width = std::max(width, printable(row.hardware).size() + 1);
  std::string text = fmt::format("{:<{}} {:<9} {:>9} {:>16} {:>9} {:>9} {:>9} {:>8}\n", "hardware", width,
                                 "verdict", "tok/s", "range", "prefill", "USD", "USD/tok/s", "tok/J");
  for (const PlanRow& row : report.rows) {
    const double rate = decode_of(row);
    const double prefill = row.forecast ? row.forecast->prefill_tok_s.mid : 0;
    const std::string range = rate > 0 ? fmt::format("{} to {}", short_number(row.forecast->decode_tok_s.low),
                                                     short_number(row.forecast->decode_tok_s.high))
                                       : "-";
    text += fmt::format("{:<{}} {:<9} {:>9} {:>16} {:>9} {:>9} {:>9} {:>8}\n",
                        printable(row.hardware) + (row.unconfirmed ? "*" : ""), width, where_text(row),
                        optional_number(rate), range, optional_number(prefill),
                        row.price_usd > 0 ? fmt::format("{:.0f}", row.price_usd) : "-",
                        rate > 0 ? optional_number(row.price_usd / rate) : "-",
                        rate > 0 && row.power_w > 0 ? fmt::format("{:.3f}", rate / row.power_w) : "-");
  }
  if (std::ranges::any_of(report.rows, &PlanRow::unconfirmed)) text += fmt::format("* {}\n", kUnconfirmed);
  return text;
}

}  // namespace

json::object plan_json(const PlanReport& report) {
  json::array rows;
  for (const PlanRow& row : report.rows) rows.push_back(row_json(row));
  return {{"model",
           {{"name", report.name},
            {"arch", report.arch},
            {"type", report.type},
            {"parameters", json_or_null(report.parameters)},
            {"active_parameters", json_or_null(report.active_parameters)},
            {"file_bytes", report.file_bytes},
            {"layers", report.layers},
            {"context_tokens", report.model_context},
            {"source", report.source}}},
          {"workload",
           {{"context_tokens", report.context_tokens},
            {"prompt_tokens", report.prompt_tokens},
            {"parallel", report.parallel},
            {"kv", report.kv}}},
          {"rows", std::move(rows)}};
}

std::string plan_text(const PlanReport& report, const Style& style) {
  std::string text =
      fmt::format("{}: {} {}, {} parameters{}, {} layers, {}\n", style.bold(printable(report.name)),
                  printable(report.arch), printable(report.type), billions(report.parameters),
                  report.active_parameters < 0.95 * report.parameters
                      ? fmt::format(" ({} active)", billions(report.active_parameters))
                      : "",
                  report.layers, describe_bytes(report.file_bytes));
  if (report.rows.size() > 1) return text + "\n" + table_text(report);
  for (const PlanRow& row : report.rows) text += row_text(row, report, style);
  return text;
}

json::object fitting_json(const plan::System& system, const std::vector<Fitting>& models) {
  json::array list;
  for (const Fitting& fitting : models) {
    json::object object = row_json(fitting.row);
    object["model"] = fitting.model;
    object["quant"] = fitting.quant;
    list.push_back(std::move(object));
  }
  return {{"hardware", system.name}, {"models", std::move(list)}};
}

std::string fitting_text(const plan::System& system, const std::vector<Fitting>& models, double least_tok_s) {
  if (models.empty())
    return fmt::format("No known model fits {} at {} tok/s or more.\n", printable(system.name),
                       short_number(least_tok_s));
  std::string text =
      fmt::format("{}, {} tok/s or more\n{:<28} {:<9} {:>10} {:>8} {:>16} {:>9}\n", printable(system.name),
                  short_number(least_tok_s), "model", "quant", "memory", "tok/s", "range", "prefill");
  for (const Fitting& fitting : models) {
    const plan::Forecast& f = *fitting.row.forecast;
    text += fmt::format(
        "{:<28} {:<9} {:>10} {:>8} {:>16} {:>9}\n", fitting.model, fitting.quant,
        describe_bytes(fitting.row.bytes.total()), short_number(f.decode_tok_s.mid),
        fmt::format("{} to {}", short_number(f.decode_tok_s.low), short_number(f.decode_tok_s.high)),
        optional_number(f.prefill_tok_s.mid));
  }
  return text;
}

}  // namespace cistern::tools
