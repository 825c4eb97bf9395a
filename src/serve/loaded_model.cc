#include "serve/loaded_model.h"

#include <algorithm>

#include "engine/model_sampling.h"
#include "serve/model_card.h"
#include "spec/model_spec.h"

namespace cistern::serve {
namespace {

// With less, conversations end before they get anywhere.
constexpr std::uint32_t kEnoughContext = 8192;

}  // namespace

Result<std::unique_ptr<LoadedModel>> load_model(const Offer& offer, engine::OpenModel open,
                                                const LoadPolicy& policy) {
  engine::LoadOptions load = policy.load;
  CISTERN_TRY(const spec::ModelSpec spec, spec::read_model_spec(open.inventory()));
  if (!spec.causal && !policy.exact_kv) load.kv_type = DType::kF32;
  CISTERN_TRY(sample::SamplerOptions sampling, engine::default_sampling(open));
  CISTERN_TRY(std::unique_ptr<engine::Service> service,
              engine::Service::start(std::move(open), load, policy.service));
  Result<text::jinja::Template> chat = service->model().chat_template();
  ModelInfo info = model_card(offer, service->model().files, service->spec());
  info.context_tokens = service->context_tokens();
  info.loaded = true;
  const text::Format* format =
      chat ? &text::detect_format(service->model().template_source.value_or(std::string_view())) : nullptr;
  auto grammar_vocab = std::make_unique<LazyGrammarVocab>(*service->model().tokenizer);
  std::optional<plan::Forecast> forecast;
  if (policy.forecast) forecast = policy.forecast(*service);
  return std::make_unique<LoadedModel>(LoadedModel{.info = std::move(info),
                                                   .service = std::move(service),
                                                   .chat = std::move(chat),
                                                   .format = format,
                                                   .grammar_vocab = std::move(grammar_vocab),
                                                   .sampling = std::move(sampling),
                                                   .forecast = forecast});
}

bool has_room(const engine::OpenModel& open, const engine::LoadOptions& load) {
  auto spec = spec::read_model_spec(open.inventory());
  if (!spec) return true;  // loading says what is wrong
  const std::uint32_t enough = std::min(spec->context_tokens, kEnoughContext);
  const auto planned = engine::plan_run(open.files, open.path, *std::move(spec), load);
  if (!planned) return planned.error().code != ErrorCode::kMemory;
  if (planned->plan.streaming) return false;
  return load.context_tokens || planned->plan.cache.context_tokens >= enough;
}

}  // namespace cistern::serve
