// What `cistern inspect` tells about a model file, collected once and then printed as text or JSON: bytes by
// type, by role and by layer, the tokenizer in short, and why the file cannot be run where it cannot. Roles
// are read off GGUF's tensor names, so that architectures that Cistern cannot run yet are described too.
// Views die with the ModelFiles.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"

namespace cistern::tools {

struct ByteSum {
  std::string name;
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;
  std::uint64_t values = 0;
};

struct ModelReport {
  std::string path;
  std::vector<ByteSum> by_type;   // in order of appearance
  std::vector<ByteSum> by_role;   // in the fixed order of the roles
  std::vector<ByteSum> by_layer;  // "0", "1", ...; tensors outside of layers are "none"
  ByteSum all;
  std::optional<Error> problem;  // the first reason for which it cannot be run
};

ModelReport make_report(const file::ModelFiles& files, std::string path);

// Of the type that most bytes have; empty: there are none.
std::string main_type_name(const file::Inventory& inventory);

// "embedding", "attention", "ffn", "experts", "norm", "output" or "other".
std::string_view role_of(std::string_view tensor_name);
// Layer of "blk.12.attn_q.weight"; nothing for other names.
std::optional<std::uint32_t> layer_of(std::string_view tensor_name);

std::string report_text(const ModelReport& report, const file::Inventory& inventory);
boost::json::object report_json(const ModelReport& report, const file::Inventory& inventory);

// A metadata value for people: long strings cut, of long arrays the first elements and the count.
std::string value_text(const file::Value& value);
// The whole value.
boost::json::value value_json(const file::Value& value);

}  // namespace cistern::tools
