// A golden model with some of its metadata or tensors changed, for tests of what is refused and where: the
// file is written anew, so that counts and offsets stay right and only the edit is a lie. Header only:
// whoever includes it links cistern_file. Not thread-safe.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "file/inventory.h"
#include "support/fixtures.h"
#include "support/gguf_writer.h"

namespace cistern::testing {

class EditedModel {
 public:
  explicit EditedModel(const std::string& name)
      : original_(std::make_shared<file::ModelFiles>(
            *file::open_model((data_dir() / "models" / name / "model.gguf").string()))) {}

  const file::Inventory& original() const { return original_->inventory; }
  std::string arch() const { return std::string(*original().metadata.string("general.architecture")); }

  // Of "<arch>.<suffix>". A key that was not there is added.
  template <class T>
  EditedModel& set(const std::string& suffix, T value) {
    keys_[arch() + "." + suffix] = [value](GgufWriter& w, const std::string& key) { w.add(key, value); };
    return *this;
  }
  EditedModel& unset(const std::string& suffix) {
    keys_[arch() + "." + suffix] = [](GgufWriter&, const std::string&) {};
    return *this;
  }
  // A value of whatever type the file has, as its raw bytes.
  EditedModel& set_raw(const std::string& key, std::vector<std::byte> bytes) {
    const auto type = static_cast<std::uint32_t>(original().metadata.find(key)->type);
    keys_[key] = [type, bytes = std::move(bytes)](GgufWriter& w, const std::string& k) {
      w.add_raw(k, type, bytes);
    };
    return *this;
  }
  EditedModel& without(const std::string& tensor) {
    removed_.insert(tensor);
    return *this;
  }
  // Other dimensions, with as many zeros for values.
  EditedModel& reshape(const std::string& tensor, std::vector<std::uint64_t> dims) {
    dims_[tensor] = std::move(dims);
    return *this;
  }
  EditedModel& add_tensor(const std::string& tensor, std::vector<std::uint64_t> dims) {
    added_.emplace_back(tensor, std::move(dims));
    return *this;
  }
  // Value i of a table of whole numbers.
  EditedModel& set_index(const std::string& tensor, std::size_t i, std::int32_t value) {
    indices_[tensor].emplace_back(i, value);
    return *this;
  }

  std::vector<std::byte> build() const {
    GgufWriter w;
    std::set<std::string> written;
    for (const std::string_view view : original().metadata.keys()) {
      const std::string key(view);
      written.insert(key);
      const auto edit = keys_.find(key);
      if (edit != keys_.end()) {
        edit->second(w, key);
      } else {
        copy(w, key, *original().metadata.find(key));
      }
    }
    for (const auto& [key, edit] : keys_) {
      if (!written.contains(key)) edit(w, key);
    }
    for (const file::TensorInfo& info : original().tensors()) {
      if (!removed_.contains(std::string(info.name))) w.tensor(record_of(info));
    }
    for (const auto& [tensor, dims] : added_) w.tensor(zeros(tensor, dims, kGgmlF32));
    return w.build();
  }

  // The raw bytes of an array, or of a number.
  static std::vector<std::byte> raw(const file::Value& value, std::uint64_t count) {
    if (value.type != file::ValueType::kArray) return {value.data.begin(), value.data.end()};
    ByteWriter out;
    out.number(static_cast<std::uint32_t>(value.element)).number(count);
    out.bytes(value.data.first(count * file::scalar_bytes(value.element)));
    return out.get();
  }

 private:
  static constexpr std::uint32_t kGgmlI32 = 26;

  static void copy(GgufWriter& w, const std::string& key, const file::Value& value) {
    if (value.type == file::ValueType::kString) {
      w.add(key, value.strings[0]);
    } else if (value.element == file::ValueType::kString) {
      w.add(key, std::vector<std::string>(value.strings.begin(), value.strings.end()));
    } else {
      w.add_raw(key, static_cast<std::uint32_t>(value.type), raw(value, value.count));
    }
  }

  static TensorRecord zeros(const std::string& name, const std::vector<std::uint64_t>& dims,
                            std::uint32_t type) {
    std::uint64_t bytes = 4;
    for (const std::uint64_t dim : dims) bytes *= dim;
    return {.name = name, .dims = dims, .ggml_type = type, .data = std::vector<std::byte>(bytes)};
  }

  // Golden models hold floats and, in tables, whole numbers.
  TensorRecord record_of(const file::TensorInfo& info) const {
    const std::string name(info.name);
    const std::uint32_t type = info.dtype == DType::kI32 ? kGgmlI32 : kGgmlF32;
    if (const auto dims = dims_.find(name); dims != dims_.end()) return zeros(name, dims->second, type);
    TensorRecord record{.name = name, .ggml_type = type, .data = {info.bytes.begin(), info.bytes.end()}};
    for (int i = 0; i < info.n_dims; ++i) record.dims.push_back(info.shape.dim(i));
    if (const auto edits = indices_.find(name); edits != indices_.end()) {
      for (const auto& [i, value] : edits->second)
        std::memcpy(record.data.data() + i * sizeof value, &value, sizeof value);
    }
    return record;
  }

  std::shared_ptr<const file::ModelFiles> original_;
  std::map<std::string, std::function<void(GgufWriter&, const std::string&)>> keys_;
  std::set<std::string> removed_;
  std::map<std::string, std::vector<std::uint64_t>> dims_;
  std::map<std::string, std::vector<std::pair<std::size_t, std::int32_t>>> indices_;
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> added_;
};

// The golden models' names, in order.
inline std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_dir() / "models")) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

// Copies of a golden model, one for each number, flag and array of its architecture's metadata and each value
// that a damaged or crafted file could have there.
struct Mutant {
  std::string about;  // "key = bytes"
  EditedModel model;
};
inline std::vector<Mutant> mutants_of(const std::string& name) {
  std::vector<Mutant> mutants;
  const EditedModel good(name);
  const auto add = [&](const std::string& key, const std::string& what, std::vector<std::byte> bytes) {
    mutants.push_back({name + ": " + key + " " + what, good});
    mutants.back().model.set_raw(key, std::move(bytes));
  };
  for (const std::string_view view : good.original().metadata.keys()) {
    const std::string key(view);
    const file::Value& value = *good.original().metadata.find(key);
    if (!key.starts_with(good.arch() + ".") || value.element == file::ValueType::kString) continue;
    const bool is_array = value.type == file::ValueType::kArray;
    const std::size_t width = file::scalar_bytes(value.element);
    const std::size_t first = is_array ? 12 : 0;  // of the values, in the raw bytes
    for (const std::uint32_t bits : {0U, 1U, 2U, 3U, 5U, 33U, 0xFFFFU, 0x100000U, 0x7FFFFFFFU, 0xFFFFFFFFU,
                                     0x7F800000U, 0x7FC00000U, 0xFF800000U, 0xBF800000U, 0x71000000U}) {
      std::vector<std::byte> bytes = EditedModel::raw(value, value.count);
      for (std::size_t at = first + (value.count - 1) * width; at < bytes.size(); at += sizeof bits)
        std::memcpy(bytes.data() + at, &bits, std::min({sizeof bits, width, bytes.size() - at}));
      add(key, "= bits " + std::to_string(bits), std::move(bytes));
    }
    if (!is_array) continue;
    add(key, "is empty", EditedModel::raw(value, 0));
    add(key, "is short", EditedModel::raw(value, value.count - 1));
  }
  return mutants;
}

}  // namespace cistern::testing
