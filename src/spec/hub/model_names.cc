#include "spec/hub/model_names.h"

#include <algorithm>
#include <charconv>

namespace cistern::spec::hub {
namespace {

constexpr std::size_t kMaxName = 256;

// Words that say who made or tuned a model, or how it is packed.
constexpr std::string_view kNoise[] = {"instruct", "it",     "chat",  "qat",    "base",  "hf",      "gguf",
                                       "bf16",     "fp16",   "fp8",   "f16",    "nvfp4", "mxfp4",   "awq",
                                       "gptq",     "4bit",   "8bit",  "mlx",    "text",  "preview", "latest",
                                       "meta",     "nvidia", "final", "google", "pt",    "qat4",    "dense"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_date(std::string_view word) {
  return word.size() >= 4 && word.size() <= 8 && std::ranges::all_of(word, is_digit);
}

// "v1", "v0.1" and the like.
bool is_version(std::string_view word) {
  return word.size() >= 2 && word[0] == 'v' &&
         std::ranges::all_of(word.substr(1), [](char c) { return is_digit(c) || c == '.'; });
}

// "14b" is 14; "a3b" is none.
std::optional<double> size_b(std::string_view word) {
  double size = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), size, std::chars_format::fixed);
  const bool is_size =
      parsed.ec == std::errc() && parsed.ptr + 1 == word.data() + word.size() && word.back() == 'b';
  return is_size ? std::optional(size) : std::nullopt;
}

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ' || c == ':' || c == '/') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  std::erase(words, std::string());
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += word;
  return name_key(all);
}

void add_candidates(std::string_view name, std::vector<NameKey>& keys) {
  std::vector<std::string> words = words_of(name);
  const auto add = [&keys](const std::vector<std::string>& kept, std::optional<double> size = {}) {
    std::string key = joined(kept);
    const bool is_new = std::ranges::find(keys, key, &NameKey::key) == keys.end();
    if (!key.empty() && is_new) keys.push_back({.key = std::move(key), .dropped_size_b = size});
  };
  add(words);
  std::erase_if(words, [](const std::string& word) {
    return std::ranges::find(kNoise, std::string_view(word)) != std::end(kNoise);
  });
  add(words);
  std::erase_if(words, is_date);
  add(words);
  std::erase_if(words, is_version);
  add(words);
  // A size that the model's own name leaves out.
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto size = size_b(words[i]);
    if (!size) continue;
    std::vector<std::string> rest = words;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    add(rest, size);
  }
}

}  // namespace

std::string name_key(std::string_view name) {
  std::string key;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') key += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || is_digit(c)) key += c;
  }
  return key;
}

std::string plain_name(std::string_view typed) {
  std::string name;
  int depth = 0;
  for (const char c : typed.substr(0, kMaxName)) {
    if (c == '(' || c == '[') ++depth;
    if (depth == 0) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((c == ')' || c == ']') && depth > 0) --depth;
  }
  while (!name.empty() && name.back() == ' ') name.pop_back();
  return name;
}

std::vector<NameKey> name_candidates(std::string_view typed) {
  const std::string name = plain_name(typed);
  std::vector<NameKey> keys;
  add_candidates(name, keys);
  // "maker/model", or "this/that" of two models alike.
  if (const std::size_t slash = name.rfind('/'); slash != std::string::npos) {
    add_candidates(std::string_view(name).substr(slash + 1), keys);
    add_candidates(std::string_view(name).substr(0, slash), keys);
  }
  return keys;
}

}  // namespace cistern::spec::hub
