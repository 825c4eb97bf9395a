#include "tools/plan_page.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "text/utf8.h"

namespace cistern::tools {
namespace json = boost::json;
namespace {

constexpr const char* kDocument = R"({
"model": {"name": "Llama 3.3 70B Instruct", "arch": "llama", "type": "Q4_K_M", "parameters": 70553706496,
  "active_parameters": 70553706496, "file_bytes": 42520395776, "layers": 80, "context_tokens": 131072,
  "source": "llama-70b.gguf"},
"workload": {"context_tokens": 8192, "prompt_tokens": 512, "parallel": 1, "kv": "f16"},
"rows": [
 {"hardware": "RTX 4090, 64 GB", "verdict": "fits", "why": "RAM sets the pace",
  "bytes": {"weights": 42949672960, "experts": 0, "kv": 2684354560, "buffers": 1073741824,
            "overhead": 1073741824, "total": 47781511168},
  "tiers": [
   {"name": "RTX 4090", "kind": "device", "capacity_bytes": 25769803776, "weights": 19327352832, "experts": 0,
    "kv": 1342177280, "buffers": 536870912, "overhead": 536870912},
   {"name": "RAM", "kind": "ram", "capacity_bytes": 68719476736, "weights": 23622320128, "experts": 0,
    "kv": 1342177280, "buffers": 536870912, "overhead": 536870912}],
  "bytes_per_token": 45634027520,
  "forecast": {"load_s": {"low": 6, "mid": 9, "high": 13}, "prefill_tok_s": {"low": 371, "mid": 495, "high": 631},
   "first_token_s": {"low": 0.8, "mid": 1.03, "high": 1.4}, "decode_tok_s": {"low": 1.98, "mid": 2.48, "high": 3.02},
   "decode_half_tok_s": {"low": 1.9, "mid": 2.4, "high": 2.9}, "decode_full_tok_s": null,
   "peak_bytes": {"low": 47244640256, "mid": 47781511168, "high": 48318382080}},
  "limit_tok_s": 3.1, "limited_by": "memory",
  "price_usd": 2899, "power_w": 620, "usd_per_tok_s": 1169, "usd_per_gb": 31.4, "tok_per_j": 0.004,
  "unconfirmed": false,
  "changes": [{"change": "KV cache in q8_0", "verdict": "fits", "decode_tok_s": 2.31, "total_bytes": 46439333888},
              {"change": "32 GB less", "verdict": "streams", "decode_tok_s": 0.41, "total_bytes": 33285996544}],
  "roofline": {"read_bytes_per_s": 140000000000, "macs_per_s": 82000000000000, "points": [
    {"what": "decode, empty context", "bytes": 42949672960, "macs": 75161927680, "tok_s": 2.48},
    {"what": "prefill, 512 tokens", "bytes": 83886080, "macs": 75161927680, "tok_s": 495}]}},
 {"hardware": "Laptop, 16 GB", "verdict": "refused", "why": "the least that would do is 17.9 GiB",
  "bytes": {"weights": 42949672960, "kv": 2684354560, "buffers": 1073741824, "overhead": 1073741824},
  "tiers": [{"name": "RAM", "kind": "ram", "capacity_bytes": 15032385536, "weights": 42949672960}],
  "bytes_per_token": null, "forecast": null, "limit_tok_s": null, "limited_by": null, "price_usd": 799,
  "power_w": null, "usd_per_tok_s": null, "usd_per_gb": null, "tok_per_j": null, "unconfirmed": true,
  "changes": [], "roofline": null}]})";

json::object document() {
  return json::parse(kDocument).as_object();
}

json::object& first_row(json::object& plan) {
  return plan.at("rows").as_array().at(0).as_object();
}

bool has(const std::string& page, std::string_view text) {
  return page.find(text) != std::string::npos;
}

std::size_t times(const std::string& page, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) ++count;
  return count;
}

// Stricter than HTML: every element but the void ones is closed in order, attributes are in double quotes and
// have no name twice, ids are unique and exist where they are referred to, "&" begins a reference.
class Checker {
 public:
  explicit Checker(std::string_view page) : left_(page) {}

  // The first breach, or nothing.
  std::string run() {
    if (!left_.starts_with("<!doctype html>\n")) return "no doctype";
    left_.remove_prefix(16);
    while (!left_.empty() && problem_.empty()) {
      if (left_.front() == '<') {
        tag();
      } else {
        text(left_.substr(0, std::min(left_.find('<'), left_.size())));
      }
    }
    if (problem_.empty() && !open_.empty()) problem_ = "open at the end: " + open_.back();
    for (const std::string& id : wanted_) {
      if (problem_.empty() && !ids_.contains(id)) problem_ = "no id " + id;
    }
    return problem_;
  }

 private:
  static bool name_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  }
  std::string name() {
    std::size_t length = 0;
    while (length < left_.size() && name_letter(left_[length])) ++length;
    std::string found(left_.substr(0, length));
    left_.remove_prefix(length);
    if (found.empty()) problem_ = fmt::format("no name at: {}", left_.substr(0, 40));
    return found;
  }
  bool skip(std::string_view text) {
    if (!left_.starts_with(text)) return false;
    left_.remove_prefix(text.size());
    return true;
  }

  void text(std::string_view content) {
    references(content);
    left_.remove_prefix(content.size());
  }
  void references(std::string_view content) {
    for (std::size_t at = content.find('&'); at != std::string_view::npos; at = content.find('&', at + 1)) {
      bool known = false;
      for (const std::string_view reference : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"})
        known = known || content.substr(at).starts_with(reference);
      if (!known) problem_ = fmt::format("a bare & at: {}", content.substr(at, 40));
    }
    if (content.find('>') != std::string_view::npos) problem_ = fmt::format("a bare > in: {}", content);
  }

  void tag() {
    skip("<");
    if (skip("/")) {
      const std::string closed = name();
      if (!skip(">")) problem_ = "unfinished </" + closed;
      if (open_.empty() || open_.back() != closed)
        problem_ = fmt::format("</{}> closes {}", closed, open_.empty() ? "nothing" : open_.back());
      if (problem_.empty()) open_.pop_back();
      return;
    }
    const std::string opened = name();
    std::set<std::string> seen;
    while (problem_.empty() && skip(" ")) attribute(seen);
    if (problem_.empty() && !skip(">"))
      problem_ = fmt::format("<{} goes on: {}", opened, left_.substr(0, 40));
    if (opened == "meta") return;
    open_.push_back(opened);
    if (opened == "style" || opened == "script") {
      const std::size_t end = left_.find("</");
      left_.remove_prefix(std::min(end, left_.size()));
    }
  }

  void attribute(std::set<std::string>& seen) {
    const std::string key = name();
    if (!seen.insert(key).second) problem_ = "twice: " + key;
    if (!skip("=\"")) {
      problem_ = "no value: " + key;
      return;
    }
    const std::string_view value = left_.substr(0, std::min(left_.find('"'), left_.size()));
    references(value);
    if (value.find('<') != std::string_view::npos) problem_ = "a bare < in " + key;
    if (value.find("nan") != std::string_view::npos || value.find("inf") != std::string_view::npos)
      problem_ = fmt::format("{} is {}", key, value);
    if (key.starts_with("on") || key == "src" || key == "href") problem_ = "must not be there: " + key;
    if (key == "id" && !ids_.insert(std::string(value)).second) problem_ = fmt::format("id twice: {}", value);
    if (key == "aria-labelledby") {
      std::string_view rest = value;
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        wanted_.emplace(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
    left_.remove_prefix(std::min(value.size() + 1, left_.size()));
  }

  std::string_view left_;
  std::string problem_;
  std::vector<std::string> open_;
  std::set<std::string> ids_;
  std::set<std::string> wanted_;
};

std::string breach(const std::string& page) {
  return Checker(page).run();
}

TEST(PlanPage, the_checker_finds_what_it_is_for) {
  const std::string start = "<!doctype html>\n";
  EXPECT_EQ(breach(start + "<p id=\"a\">1 &lt; 2</p><meta charset=\"utf-8\">"), "");
  for (const char* bad : {"<p>", "<p></b>", "</p>", "<p class=a></p>", "<p>&x</p>", "<p a=\"1\" a=\"2\"></p>",
                          "<p id=\"a\"></p><p id=\"a\"></p>", "<p aria-labelledby=\"b\"></p>", "<p",
                          "<rect x=\"nan%\"></rect>", "<p onclick=\"x\"></p>", "<p a=\"<\"></p>", "<p>></p>"})
    EXPECT_NE(breach(start + bad), "") << bad;
}

TEST(PlanPage, stands_alone_and_is_well_formed) {
  const std::string page = plan_page(document());
  EXPECT_EQ(breach(page), "");
  EXPECT_FALSE(has(page, "http"));
  EXPECT_FALSE(has(page, "@import"));
  EXPECT_EQ(times(page, "url("), times(page, "url(#"));
  EXPECT_TRUE(has(page, "prefers-color-scheme: dark"));
  EXPECT_TRUE(has(page, "@media print"));
}

TEST(PlanPage, shows_the_figures_of_the_document) {
  const std::string page = plan_page(document());
  for (const char* text :
       {"<bdi>Llama 3.3 70B Instruct</bdi>, <bdi>Q4_K_M</bdi>",
        "70.6 billion",
        "8,192 tokens",
        "of 131,072",
        "Fits</span> <span>on <bdi>RTX 4090, 64 GB</bdi>",
        "RAM sets the pace",
        "<b>2.48 tok/s</b><small>1.98 to 3.02; at most 3.10, set by reading memory",  // headline
        "20.2 GiB of 24.0 GiB, 84%",                                                  // a tier
        "weights 18.0 GiB",
        "capacity 64.0 GiB",  // its bar
        "<td>40.0 GiB</td><td>2.5 GiB</td><td>1.0 GiB</td><td>1.0 GiB</td><td>44.5 GiB</td><td>88.0 GiB</td>",
        "140 GB/s",
        "82.0 TMAC/s",
        "586 MAC per byte",                                // the roof
        "<td>1.75</td><td>2.48</td><td>3.26</td><td>76%",  // a point: of 140e9 / 42949672960
        "<b>495 tok/s</b><small>371 to 631</small>",       // the forecast
        "KV cache in q8_0",
        "<td>0.41</td><td>31.0 GiB</td>",
        "$2,899",
        "$1,169",
        "$31.4",
        "620 W",
        "0.0040"})
    EXPECT_TRUE(has(page, text)) << text;
}

TEST(PlanPage, compares_all_hardware_and_marks_what_is_unconfirmed) {
  const std::string page = plan_page(document());
  EXPECT_TRUE(has(page, "<td data-v=\"2.48\"><b>2.48</b>"));
  EXPECT_TRUE(has(page, "<bdi>Laptop, 16 GB</bdi> <span class=\"unconfirmed\">"));
  EXPECT_FALSE(has(page, "<bdi>RTX 4090, 64 GB</bdi> <span class=\"unconfirmed\">"));
  EXPECT_TRUE(has(page, "<td data-v=\"799\">$799</td>"));
  EXPECT_TRUE(has(page, "the least that would do is 17.9 GiB"));
  EXPECT_EQ(times(page, "data-first="), 11U);
}

TEST(PlanPage, a_refusal_says_how_much_is_missing) {
  json::object plan = document();
  json::array& rows = plan.at("rows").as_array();
  rows.erase(rows.begin());
  const std::string page = plan_page(plan);
  EXPECT_EQ(breach(page), "");
  EXPECT_TRUE(has(page, "Refused</span> <span>on <bdi>Laptop, 16 GB</bdi>"));
  EXPECT_TRUE(has(page, "40.0 GiB of 14.0 GiB, <b class=\"refused\">26.0 GiB too much</b>"));
  EXPECT_TRUE(has(page, "<rect class=\"over\" x=\"35.000%\" y=\"6\" width=\"65.000%\""));
  EXPECT_TRUE(has(page, "None: there is nothing to run."));
  EXPECT_FALSE(has(page, "Roofline"));
}

TEST(PlanPage, experts_are_a_part_of_the_weights) {
  json::object plan = document();
  first_row(plan).at("tiers").as_array().at(1).as_object()["experts"] = 21474836480;
  const std::string page = plan_page(plan);
  EXPECT_TRUE(has(page, "weights of routed experts"));
  EXPECT_TRUE(has(page, "weights 2.0 GiB; experts 20.0 GiB; KV cache 1.2 GiB"));
  EXPECT_FALSE(has(plan_page(document()), "routed experts"));
}

TEST(PlanPage, hostile_texts_are_texts) {
  std::string right_to_left;
  text::append_utf8(right_to_left, 0x202E);
  const std::string hostile =
      std::string("</title><script>alert(1)</script>\"'&<img src=x onerror=alert(1)>") + "\xff\x01" +
      right_to_left;
  json::object plan = document();
  // Every string of the document, at any depth.
  std::vector<json::value*> left;
  for (auto& [key, value] : plan) left.push_back(&value);
  while (!left.empty()) {
    json::value& value = *left.back();
    left.pop_back();
    if (value.is_string()) value = hostile;
    if (auto* object = value.if_object()) {
      for (auto& [key, inner] : *object) left.push_back(&inner);
    } else if (auto* array = value.if_array()) {
      for (json::value& inner : *array) left.push_back(&inner);
    }
  }
  const std::string page = plan_page(plan);
  EXPECT_EQ(breach(page), "");
  EXPECT_EQ(times(page, "<script"), 1U);
  EXPECT_FALSE(has(page, "<img"));
  EXPECT_FALSE(has(page, "\x01"));
  EXPECT_FALSE(has(page, "\xff"));
  EXPECT_TRUE(has(page, "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;"));
}

TEST(PlanPage, long_names_are_cut_between_characters) {
  json::object plan = document();
  std::string name;
  for (int i = 0; i < 5000; ++i) name += "\xE2\x82\xAC";
  plan.at("model").as_object()["name"] = name;
  const std::string page = plan_page(plan);
  EXPECT_FALSE(has(page, "\xEF\xBF\xBD"));
  EXPECT_TRUE(has(page, "\xE2\x82\xAC..."));
  EXPECT_LT(page.size(), plan_page(document()).size() + 2000);
}

// Each number of the document in turn becomes something that no plan would say.
TEST(PlanPage, absurd_numbers_break_nothing) {
  const std::vector<json::value> absurd = {std::numeric_limits<double>::quiet_NaN(),
                                           std::numeric_limits<double>::infinity(),
                                           -std::numeric_limits<double>::infinity(),
                                           -1,
                                           0,
                                           1e300,
                                           1e18,
                                           1e-300,
                                           std::numeric_limits<std::uint64_t>::max(),
                                           nullptr,
                                           "12",
                                           true,
                                           json::array{1, 2},
                                           json::object{{"low", 1}}};
  const auto numbers_of = [](json::object& plan) {
    std::vector<json::value*> numbers;
    std::vector<json::value*> left;
    for (auto& [key, value] : plan) left.push_back(&value);
    while (!left.empty()) {
      json::value& value = *left.back();
      left.pop_back();
      if (value.is_number()) numbers.push_back(&value);
      if (auto* object = value.if_object()) {
        for (auto& [key, inner] : *object) left.push_back(&inner);
      } else if (auto* array = value.if_array()) {
        for (json::value& inner : *array) left.push_back(&inner);
      }
    }
    return numbers;
  };
  json::object plan = document();
  const std::size_t count = numbers_of(plan).size();
  ASSERT_GT(count, 60U);
  for (const json::value& value : absurd) {
    json::object all = document();
    for (json::value* number : numbers_of(all)) *number = value;
    EXPECT_EQ(breach(plan_page(all)), "") << json::serialize(value) << " everywhere";
    for (std::size_t i = 0; i < count; ++i) {
      json::object one = document();
      *numbers_of(one)[i] = value;
      const std::string page = plan_page(one);
      ASSERT_EQ(breach(page), "") << json::serialize(value) << " as number " << i;
      ASSERT_LT(page.size(), 100000U);
    }
  }
}

// Each member of the document in turn is missing, null, or of another kind.
TEST(PlanPage, what_is_missing_is_left_out) {
  const std::vector<std::string> keys = {"model", "workload", "rows"};
  for (const std::string& key : keys) {
    json::object plan = document();
    plan.erase(key);
    EXPECT_EQ(breach(plan_page(plan)), "") << key;
    for (const json::value& value : std::vector<json::value>{nullptr, 1, "x", json::array{nullptr, 1, "x"}}) {
      plan[key] = value;
      EXPECT_EQ(breach(plan_page(plan)), "") << key;
    }
  }
  json::object whole = document();
  for (const auto& [key, unused] : first_row(whole)) {
    json::object plan = document();
    first_row(plan).erase(key);
    EXPECT_EQ(breach(plan_page(plan)), "") << key;
    first_row(plan)[key] = json::array{json::object(), json::array(), nullptr};
    EXPECT_EQ(breach(plan_page(plan)), "") << key;
  }
}

TEST(PlanPage, nothing_at_all_is_a_page_too) {
  const std::string page = plan_page({});
  EXPECT_EQ(breach(page), "");
  EXPECT_TRUE(has(page, "The plan names no hardware."));
  const std::string empty_row = plan_page({{"rows", json::array{json::object()}}});
  EXPECT_EQ(breach(empty_row), "");
  EXPECT_TRUE(has(empty_row, "Unknown"));
}

TEST(PlanPage, ranges_are_put_in_order) {
  json::object plan = document();
  first_row(plan).at("forecast").as_object()["decode_tok_s"] = {{"low", 9}, {"mid", 5}, {"high", 2}};
  EXPECT_TRUE(has(plan_page(plan), "<b>5.00 tok/s</b><small>2.00 to 9.00"));
  first_row(plan).at("forecast").as_object()["decode_tok_s"] = {{"low", 2}, {"high", 4}};
  EXPECT_TRUE(has(plan_page(plan), "<b>3.00 tok/s</b><small>2.00 to 4.00"));
  first_row(plan).at("forecast").as_object()["decode_tok_s"] = 7;
  EXPECT_TRUE(has(plan_page(plan), "<b>7.00 tok/s</b><small>7.00;"));
}

}  // namespace
}  // namespace cistern::tools
