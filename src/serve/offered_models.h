// Which models a server offers, and what clients may call them: files of a folder by name, one model that the
// command line names, the embedded guide. A client's name is only ever looked up here; it is never a path.
// Opens no model; reads the folder anew when it is asked. Immutable, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cistern::serve {

struct Offer {
  std::string id;    // what clients call it: the file's name without .gguf and without the number of a part
  std::string path;  // of its first file, or "guide"

  bool operator==(const Offer&) const = default;
};

// "qwen3-4b" of "/models/qwen3-4b-00001-of-00003.gguf".
std::string model_id(std::string_view path);

class OfferedModels {
 public:
  // `path`, where it is not empty, is the default one; `folder`, where it is not empty, gives its GGUF files
  // and the guide beside it. REQUIRES: one of them is not empty.
  OfferedModels(std::string path, std::string folder) : path_(std::move(path)), folder_(std::move(folder)) {}

  std::vector<Offer> list() const;  // the default one first, then by name

  // By id, by the beginning of exactly one, either with ":latest" after it; the empty name is the default
  // one. kNotFound lists some that are there.
  Result<Offer> find(const std::string& name) const;

 private:
  std::string path_;
  std::string folder_;
};

}  // namespace cistern::serve
