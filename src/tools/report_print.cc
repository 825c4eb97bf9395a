// The report of `cistern inspect` as text and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "plan/memory_plan.h"
#include "quant/format.h"
#include "spec/model_spec.h"
#include "tools/json_out.h"
#include "tools/model_report.h"
#include "tools/output.h"

namespace cistern::tools {
namespace json = boost::json;
namespace {

double share(const ByteSum& part, const ByteSum& all) {
  return all.bytes == 0 ? 0 : 100.0 * static_cast<double>(part.bytes) / static_cast<double>(all.bytes);
}

std::string sum_rows(const std::vector<ByteSum>& sums, const ByteSum& all) {
  std::string out;
  for (const ByteSum& sum : sums) {
    out += fmt::format("  {:<12} {:>6} {:<8} {:>12} {:>6.1f}%\n", sum.name, sum.tensors,
                       sum.tensors == 1 ? "tensor" : "tensors", plan::describe_bytes(sum.bytes),
                       share(sum, all));
  }
  return out;
}

// Layers of equal size share a row: "0-31".
std::vector<ByteSum> merged(const std::vector<ByteSum>& layers) {
  std::vector<ByteSum> out;
  for (std::size_t i = 0; i < layers.size();) {
    std::size_t last = i;
    while (last + 1 < layers.size() && layers[last + 1].name != "none" &&
           layers[last + 1].bytes == layers[i].bytes)
      ++last;
    ByteSum row = layers[i];
    if (last > i) {
      row.name = fmt::format("{}-{}, each", layers[i].name, layers[last].name);
    }
    out.push_back(std::move(row));
    i = last + 1;
  }
  return out;
}

std::string shape_text(const file::TensorInfo& tensor) {
  std::string out;
  for (int i = 0; i < tensor.n_dims; ++i) out += fmt::format("{}{}", i > 0 ? " x " : "", tensor.shape.dim(i));
  return out;
}

std::string string_or(const file::Metadata& metadata, std::string_view key, std::string_view otherwise) {
  const auto value = metadata.find_string(key);
  return printable(value && *value ? **value : otherwise);
}

std::string token_text(const file::Metadata& metadata, std::string_view key) {
  const auto id = metadata.find_uint(key);
  if (!id || !*id) return "";
  const file::Value* tokens = metadata.find("tokenizer.ggml.tokens");
  const bool known = tokens != nullptr && **id < tokens->strings.size();
  return fmt::format("{} {}", **id, known ? printable(tokens->strings[**id]) : "(not in the vocabulary)");
}

std::string tokenizer_text(const file::Metadata& metadata) {
  if (!metadata.has("tokenizer.ggml.model")) return "  none\n";
  std::string out = fmt::format("  kind         {}", string_or(metadata, "tokenizer.ggml.model", "?"));
  if (metadata.has("tokenizer.ggml.pre"))
    out += fmt::format(", pre-tokenizer {}", string_or(metadata, "tokenizer.ggml.pre", "?"));
  if (const file::Value* tokens = metadata.find("tokenizer.ggml.tokens"))
    out += fmt::format("\n  tokens       {}", tokens->count);
  if (const file::Value* merges = metadata.find("tokenizer.ggml.merges"))
    out += fmt::format("\n  merges       {}", merges->count);
  for (const std::string_view name : {"bos", "eos", "eot", "unk", "pad"}) {
    const std::string text = token_text(metadata, fmt::format("tokenizer.ggml.{}_token_id", name));
    if (!text.empty()) out += fmt::format("\n  {:<12} {}", name, text);
  }
  return out + '\n';
}

json::array sums_json(const std::vector<ByteSum>& sums) {
  json::array array;
  for (const ByteSum& sum : sums) {
    array.push_back(
        {{"name", sum.name}, {"tensors", sum.tensors}, {"bytes", sum.bytes}, {"values", sum.values}});
  }
  return array;
}

}  // namespace

std::string report_text(const ModelReport& report, const file::Inventory& inventory) {
  const file::Metadata& metadata = inventory.metadata;
  std::string out = fmt::format("{}: GGUF version {}\n", printable(report.path), inventory.version);
  out += fmt::format("  name         {}\n", string_or(metadata, "general.name", "(none)"));
  out += fmt::format("  architecture {}\n", string_or(metadata, "general.architecture", "(none)"));
  const bool billions = report.all.values >= 1'000'000'000;
  out += fmt::format("  size         {} in {} tensors, {:.3g} {} parameters\n",
                     plan::describe_bytes(report.all.bytes), report.all.tensors,
                     static_cast<double>(report.all.values) / (billions ? 1e9 : 1e6),
                     billions ? "billion" : "million");
  out += fmt::format("  template     {}\n",
                     metadata.has("tokenizer.chat_template") ? "yes (see --template)" : "none");
  out += fmt::format("  runs         {}\n",
                     report.problem ? "no: " + printable(describe(*report.problem)) : "yes");
  out += "\nTokenizer\n" + tokenizer_text(metadata);
  out += "\nBytes by role\n" + sum_rows(report.by_role, report.all);
  out += "\nBytes by type\n" + sum_rows(report.by_type, report.all);
  out += "\nBytes by layer\n" + sum_rows(merged(report.by_layer), report.all);
  out += "\nMetadata\n";
  for (const std::string_view key : metadata.keys()) {
    const file::Value& value = *metadata.find(key);
    out += fmt::format("  {} = {}\n", printable(key), value_text(value));
  }
  out += "\nTensors\n";
  for (const file::TensorInfo& tensor : inventory.tensors()) {
    out += fmt::format("  {:<40} {:<8} {:<20} {:>12}\n", printable(tensor.name),
                       quant::format_of(tensor.dtype).name, shape_text(tensor),
                       plan::describe_bytes(tensor.size_bytes));
  }
  return out;
}

json::object report_json(const ModelReport& report, const file::Inventory& inventory) {
  json::object metadata;
  for (const std::string_view key : inventory.metadata.keys()) {
    metadata[json::string_view(key.data(), key.size())] = value_json(*inventory.metadata.find(key));
  }
  json::array tensors;
  for (const file::TensorInfo& tensor : inventory.tensors()) {
    json::array shape;
    for (int i = 0; i < tensor.n_dims; ++i) shape.push_back(json::value(tensor.shape.dim(i)));
    json::object row = {{"name", json::string(tensor.name)},
                        {"type", json::string(quant::format_of(tensor.dtype).name)},
                        {"shape", std::move(shape)},
                        {"file", tensor.file_index},
                        {"offset", tensor.offset},
                        {"bytes", tensor.size_bytes},
                        {"role", json::string(role_of(tensor.name))}};
    if (const auto layer = layer_of(tensor.name)) row["layer"] = *layer;
    tensors.push_back(std::move(row));
  }
  json::object out = {{"file", report.path},
                      {"gguf_version", inventory.version},
                      {"architecture", string_or(inventory.metadata, "general.architecture", "")},
                      {"bytes", report.all.bytes},
                      {"values", report.all.values},
                      {"runs", !report.problem.has_value()},
                      {"problem", nullptr},
                      {"by_role", sums_json(report.by_role)},
                      {"by_type", sums_json(report.by_type)},
                      {"by_layer", sums_json(report.by_layer)},
                      {"metadata", std::move(metadata)},
                      {"tensors", std::move(tensors)}};
  if (report.problem) out["problem"] = json_error(*report.problem);
  return out;
}

}  // namespace cistern::tools
