// A model that runs, with what the backend knows of it: its template, its sampling, what was forecast of it.
// Made by the pool (model_pool.h) on its loading thread. Immutable afterwards; the service in it is
// thread-safe. Lifetime: the pool's; requests hold leases.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/error.h"
#include "engine/service.h"
#include "plan/forecast.h"
#include "sample/sampler.h"
#include "serve/backend.h"
#include "serve/lazy_grammar_vocab.h"
#include "serve/offered_models.h"
#include "text/answer/format.h"
#include "text/jinja/template.h"

namespace cistern::serve {

struct LoadedModel {
  ModelInfo info;
  std::unique_ptr<engine::Service> service;
  Result<text::jinja::Template> chat;    // or why there is none to use
  const text::Format* format = nullptr;  // of its answers; null: there is no template
  std::unique_ptr<LazyGrammarVocab> grammar_vocab;
  sample::SamplerOptions sampling;         // as the model wants it, without a seed
  std::optional<plan::Forecast> forecast;  // of one request that runs alone

  const engine::OpenModel& open() const { return service->model(); }
  const text::Tokenizer& tokenizer() const { return *service->model().tokenizer; }
};

struct LoadPolicy {
  engine::LoadOptions load;
  engine::ServiceOptions service;
  bool exact_kv = false;  // load.kv_type is for encoders too; else they get f32, for their cache is small
  // What is to be expected of it on this machine; may be empty.
  std::function<std::optional<plan::Forecast>(const engine::Service&)> forecast;
};

// The errors of Service::start, and those of its metadata.
Result<std::unique_ptr<LoadedModel>> load_model(const Offer& offer, engine::OpenModel open,
                                                const LoadPolicy& policy);

// Whether it would run as well as where nothing else is loaded: whole in memory, with a context to work with.
bool has_room(const engine::OpenModel& open, const engine::LoadOptions& load);

}  // namespace cistern::serve
