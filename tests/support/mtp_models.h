// Small made-up models with a layer that predicts a further token, for tests of guessing; their bytes can be
// changed in place. Header only: whoever includes it links cistern_engine. Not thread-safe.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime.h"
#include "engine/synthetic/model.h"
#include "support/temp_dir.h"

namespace cistern::testing {

constexpr std::uint32_t kMtpLayers = 4;  // of the plain forward pass

inline engine::ModelShape mtp_shape(std::string_view arch) {
  engine::ModelShape shape = *engine::find_shape("tiny");
  engine::set_architecture(shape, arch);
  shape.layers = kMtpLayers;
  shape.dim = 64;
  shape.ffn = 128;
  shape.head_dim = 32;
  shape.context_tokens = 1024;
  shape.mtp = true;
  if (engine::completed(shape).experts == 0) return shape;
  shape.experts = 16;
  shape.experts_used = 2;
  shape.expert_ffn = 32;
  return shape;
}

// All weights F32, so that tests can read and write them.
class MtpModel {
 public:
  explicit MtpModel(std::string_view arch) : MtpModel(mtp_shape(arch)) {}
  explicit MtpModel(const engine::ModelShape& shape) {
    auto writer = engine::SyntheticModelWriter::create({.shape = shape, .dtype = DType::kF32});
    EXPECT_TRUE(writer) << describe(writer.error());
    const auto done = writer->write([this](std::span<const std::byte> piece) -> Result<void> {
      bytes_.insert(bytes_.end(), piece.begin(), piece.end());
      return {};
    });
    EXPECT_TRUE(done);
  }

  const std::vector<std::byte>& bytes() const { return bytes_; }

  // The values of a tensor, to be changed.
  std::span<float> values(std::string_view name) {
    const auto files = file::open_model(bytes_, "m.gguf");
    const file::TensorInfo* info = files->inventory.find(name);
    EXPECT_NE(info, nullptr) << name;
    if (info == nullptr) return {};
    EXPECT_EQ(info->dtype, DType::kF32);
    return {reinterpret_cast<float*>(bytes_.data() + (info->bytes.data() - bytes_.data())),
            info->shape.elements()};
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    const auto files = file::open_model(bytes_, "m.gguf");
    for (const file::TensorInfo& info : files->inventory.tensors()) names.emplace_back(info.name);
    return names;
  }
  // The bytes after a tensor's name in the header: its number of dimensions, then those, 8 bytes each.
  std::byte* after_name(std::string_view name) {
    const auto* text = reinterpret_cast<const std::byte*>(name.data());
    const auto found = std::search(bytes_.begin(), bytes_.end(), text, text + name.size());
    EXPECT_NE(found, bytes_.end()) << name;
    return &*found + name.size();
  }

  // Layers add nothing, and the joined pair is the token: so what comes next depends on the last token alone,
  // and the layer that predicts a further token says what the model will say.
  void make_predictable() {
    for (const std::string& name : names()) {
      for (const char* added : {"attn_output.weight", "ssm_out.weight", "ffn_down.weight",
                                "ffn_down_exps.weight", "ffn_down_shexp.weight"}) {
        if (name.ends_with(added)) std::ranges::fill(values(name), 0.0F);
      }
      if (name.ends_with("nextn.enorm.weight")) std::ranges::fill(values(name), 1.0F);
      if (!name.ends_with("nextn.eh_proj.weight")) continue;
      const std::span<float> join = values(name);
      std::ranges::fill(join, 0.0F);
      const std::size_t dim = values("output_norm.weight").size();
      for (std::size_t i = 0; i < dim; ++i) join[i * 2 * dim + i] = 1;
    }
  }

  engine::OpenModel open() const {
    const TempDir dir;  // mapped, the file may go
    auto model = engine::open_model({.model = dir.write("m.gguf", bytes_).string()});
    EXPECT_TRUE(model) << describe(model.error());
    return std::move(*model);
  }
  std::unique_ptr<engine::Runtime> load(const engine::LoadOptions& options) const {
    auto runtime = engine::load_runtime(open(), options);
    EXPECT_TRUE(runtime) << describe(runtime.error());
    return std::move(*runtime);
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace cistern::testing
