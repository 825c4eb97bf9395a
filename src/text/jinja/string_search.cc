#include "text/jinja/string_search.h"

#include <cstring>

#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

std::string reversed(std::string_view text) {
  return {text.rbegin(), text.rend()};
}

// The empty text occurs before every code point and at the end.
std::string insert_between(Runtime& rt, std::string_view text, std::string_view by, uint64_t limit) {
  const uint64_t places = std::min<uint64_t>(limit, count_code_points(text) + 1);
  rt.reserve(text.size() + rt.reserve_many(places, by.size()));
  rt.work(text.size() * 8 + places * by.size());
  std::string out;
  uint64_t done = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (done++ < places) out += by;
    const std::size_t start = i;
    next_code_point(text, i);
    out += text.substr(start, i - start);
  }
  if (done < places) out += by;
  return out;
}

}  // namespace

std::size_t find_first(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  // glibc's and macOS's memmem run in linear time (two-way string matching).
  const void* hit = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return hit ? static_cast<std::size_t>(static_cast<const char*>(hit) - text.data()) : std::string_view::npos;
}

std::size_t find_last(Runtime& rt, std::string_view text, std::string_view part) {
  if (part.empty()) return text.size();
  rt.work(4 * (text.size() + part.size()));
  rt.reserve(text.size() + part.size());
  const std::size_t hit = find_first(reversed(text), reversed(part));
  return hit == std::string_view::npos ? hit : text.size() - hit - part.size();
}

std::size_t find_last_nearby(Runtime& rt, std::string_view text, std::string_view part) {
  for (std::size_t size = 4 * part.size() + 64; size < text.size(); size *= 2) {
    const std::string_view tail = text.substr(text.size() - size);
    if (const std::size_t hit = find_last(rt, tail, part); hit != std::string_view::npos)
      return text.size() - size + hit;
  }
  return find_last(rt, text, part);
}

std::string replace_all(Runtime& rt, std::string_view text, std::string_view old, std::string_view by,
                        int64_t count) {
  const uint64_t limit = count < 0 ? UINT64_MAX : static_cast<uint64_t>(count);
  rt.work(text.size() * 2);
  if (old.empty()) return insert_between(rt, text, by, limit);
  uint64_t hits = 0;
  if (limit != 0) for_each_occurrence(text, old, [&](std::size_t) { return ++hits < limit; });
  rt.reserve(text.size() + rt.reserve_many(hits, by.size()));
  rt.step(hits / 2);
  rt.work(hits * by.size());
  std::string out;
  out.reserve(text.size() - hits * old.size() + hits * by.size());
  std::size_t start = 0;
  if (hits != 0) {
    uint64_t done = 0;
    for_each_occurrence(text, old, [&](std::size_t hit) {
      out.append(text.substr(start, hit - start)).append(by);
      start = hit + old.size();
      return ++done < hits;
    });
  }
  out += text.substr(start);
  return out;
}

}  // namespace cistern::text::jinja
