// What the user asks for: "hf:OWNER/NAME", "hf:OWNER/NAME:QUANT", "hf:OWNER/NAME:FILE.gguf" or the address of
// a .gguf file. Read by `cistern pull`. Reads text only, asks nobody. Plain values.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "fetch/url.h"

namespace cistern::fetch {

// A repository of the hub.
struct HubSource {
  std::string owner;
  std::string name;
  std::string wanted;  // a quantization or a file; empty: not said

  std::string repository() const { return owner + "/" + name; }
};

// One file anywhere.
struct UrlSource {
  Url url;
  std::string file_name;  // under which it is kept
};

using Source = std::variant<HubSource, UrlSource>;

// kUsage: none of these, or with names that are not taken.
Result<Source> parse_source(std::string_view text);

}  // namespace cistern::fetch
