#include "serve/model_card.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <filesystem>

#include "engine/embedded/guide.h"
#include "engine/engine.h"
#include "quant/format.h"
#include "serve/chat_prompt.h"
#include "spec/vocab.h"
#include "text/answer/format.h"

namespace cistern::serve {
namespace {

struct FileTypeName {
  std::uint64_t number;  // general.file_type
  const char* name;
};
constexpr std::array kFileTypes = {
    FileTypeName{0, "F32"},     FileTypeName{1, "F16"},      FileTypeName{2, "Q4_0"},
    FileTypeName{3, "Q4_1"},    FileTypeName{7, "Q8_0"},     FileTypeName{8, "Q5_0"},
    FileTypeName{9, "Q5_1"},    FileTypeName{10, "Q2_K"},    FileTypeName{11, "Q3_K_S"},
    FileTypeName{12, "Q3_K_M"}, FileTypeName{13, "Q3_K_L"},  FileTypeName{14, "Q4_K_S"},
    FileTypeName{15, "Q4_K_M"}, FileTypeName{16, "Q5_K_S"},  FileTypeName{17, "Q5_K_M"},
    FileTypeName{18, "Q6_K"},   FileTypeName{19, "IQ2_XXS"}, FileTypeName{20, "IQ2_XS"},
    FileTypeName{21, "Q2_K_S"}, FileTypeName{22, "IQ3_XS"},  FileTypeName{23, "IQ3_XXS"},
    FileTypeName{24, "IQ1_S"},  FileTypeName{25, "IQ4_NL"},  FileTypeName{26, "IQ3_S"},
    FileTypeName{27, "IQ3_M"},  FileTypeName{28, "IQ2_S"},   FileTypeName{29, "IQ2_M"},
    FileTypeName{30, "IQ4_XS"}, FileTypeName{31, "IQ1_M"},   FileTypeName{32, "BF16"},
    FileTypeName{36, "TQ1_0"},  FileTypeName{37, "TQ2_0"},   FileTypeName{38, "MXFP4"},
};

// As the file says, else the type that most of its bytes have.
std::string quantization_of(const file::Inventory& inventory) {
  const auto number = inventory.metadata.find_uint("general.file_type");
  if (number && *number) {
    const auto row = std::ranges::find(kFileTypes, **number, &FileTypeName::number);
    if (row != kFileTypes.end()) return row->name;
  }
  const auto type = inventory.main_type();
  std::string name(type ? quant::format_of(*type).name : "");
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

// Whether the template has the mark with which the answers of its format reason.
bool knows_reasoning(std::string_view source) {
  for (const text::Program& program : text::detect_format(source).programs) {
    if (program.gives == text::Program::Gives::kReasoning &&
        source.find(program.until) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::int64_t modified_s(const std::string& path) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(path, error);
  if (error) return 0;
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::file_clock::to_sys(time).time_since_epoch())
      .count();
}

}  // namespace

ModelInfo model_card(const Offer& offer, const file::ModelFiles& files, const spec::ModelSpec& spec) {
  const file::Inventory& inventory = files.inventory;
  ModelInfo info;
  info.id = offer.id;
  info.arch = spec.arch;
  info.quantization = quantization_of(inventory);
  for (const file::TensorInfo& tensor : inventory.tensors()) info.parameters += tensor.shape.elements();
  for (const sys::MappedFile& file : files.files) info.file_bytes += file.bytes().size();
  info.modified_s = offer.path == engine::kGuide ? 0 : modified_s(offer.path);
  info.trained_context_tokens = spec.context_tokens;
  info.context_tokens = info.trained_context_tokens;
  info.embedding_dim = spec.dim;
  info.generates = spec.causal;
  info.embeds = spec.pooling != spec::Pooling::kNone && spec.pooling != spec::Pooling::kRank;
  info.reranks = spec.n_labels == 1;
  if (const auto source = spec::read_chat_template(inventory.metadata); source && *source) {
    info.chat_template = std::string(**source);
    info.tools = knows_tools(**source);
    info.reasons = knows_reasoning(**source);
  }
  return info;
}

Result<ModelInfo> read_model_card(const Offer& offer) {
  CISTERN_TRY(const file::ModelFiles files, offer.path == engine::kGuide
                                                ? file::open_model(engine::guide_model(), engine::kGuide)
                                                : file::open_model(offer.path));
  CISTERN_TRY(const spec::ModelSpec spec, spec::read_model_spec(files.inventory));
  return model_card(offer, files, spec);
}

}  // namespace cistern::serve
