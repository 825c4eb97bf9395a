#include "tools/plan_model.h"

#include <algorithm>
#include <filesystem>

#include "engine/embedded/guide.h"
#include "engine/engine.h"
#include "plan/step_work.h"
#include "tools/input.h"
#include "tools/model_report.h"

namespace cistern::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxConfigBytes = 4ULL << 20U;

Result<PlanModel> of_file(const std::string& path) {
  PlanModel model{.name = path == engine::kGuide ? path : fs::path(path).stem().string(), .path = path};
  if (path == engine::kGuide) {
    CISTERN_TRY(model.files, file::open_model(engine::guide_model(), path));
    model.path.clear();
  } else {
    CISTERN_TRY(model.files, file::open_model(path, file::Contents::kHeader));
  }
  CISTERN_TRY(model.spec, spec::read_model_spec(model.inventory()));
  model.type = main_type_name(model.inventory());
  return model;
}

Result<PlanModel> on_paper(spec::hub::PaperModel paper) {
  PlanModel model{.name = paper.name, .type = paper.quant, .source = paper.source, .spec = paper.spec};
  model.files.inventory = paper.inventory;
  model.paper = std::move(paper);
  return model;
}

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

}  // namespace

double PlanModel::parameters() const {
  double sum = 0;
  for (const file::TensorInfo& tensor : inventory().tensors())
    sum += static_cast<double>(tensor.shape.elements());
  return sum;
}

double PlanModel::active_parameters() const {
  double sum = 0;
  for (const plan::WeightWork& work : plan::weight_work_of(spec, inventory(), {})) sum += work.macs;
  return sum;
}

Result<PlanModel> open_plan_model(const std::string& name) {
  const spec::hub::NameAndQuant parts = spec::hub::split_quant(name);
  const std::string base(parts.name);
  if (base.ends_with(".json") && is_file(base)) {
    CISTERN_TRY(const std::string text, read_file(base, kMaxConfigBytes));
    CISTERN_TRY(auto paper, spec::hub::paper_model_of_config(text, base, parts.quant));
    return on_paper(std::move(paper));
  }
  if (const auto path = engine::resolve_model(name)) return of_file(*path);
  CISTERN_TRY(auto paper, spec::hub::paper_model_of_name(base, parts.quant));
  return on_paper(std::move(paper));
}

}  // namespace cistern::tools
