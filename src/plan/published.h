// Speeds that people have published, as rows of a table in the layout of measured.csv, and what their
// free-form columns mean: contexts ("pp2048/tg32 @d32768 fa"), quantizations, hardware. The forecast is
// scored against them. The text is untrusted. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "plan/catalogue.h"
#include "plan/time_model.h"

namespace cistern::plan {

// Numbers are 0 where the field is empty.
struct PublishedRow {
  std::size_t line = 0;
  std::string row_id;
  std::string hardware;
  int n_devices = 1;
  std::string backend;
  std::string model;
  double params_total_b = 0;
  double params_active_b = 0;
  std::string quant;
  double file_size_gib = 0;
  std::string context;
  double prompt_tps = 0;
  double decode_tps = 0;
  std::string source;
  std::string confidence;
  std::string notes;
};

// Columns in any order, unknown ones ignored; hardware, backend, model and decode_tps are required. Errors:
// kFormat with `name`, line and column.
Result<std::vector<PublishedRow>> parse_published(std::string_view text, std::string name);

// What a measurement's context column says. Depths are tokens in the cache.
struct MeasuredContext {
  double prompt_tokens = 512;
  double prompt_depth = 0;   // before the prompt
  double decode_depth = 64;  // the mean while tokens are generated
  bool flash_attention = false;
};

// Anything that is not understood is taken for a short context.
MeasuredContext parse_context(std::string_view text);

// The catalogue's system with the row's number of devices.
Result<System> system_of(const Catalogue& catalogue, const PublishedRow& row);

// Bits per weight that a name of a quantization stands for, about.
double bits_per_weight(std::string_view quant);

// The work of a model of which only sizes are known: the row's, else those in the model's name ("30B-A3B"),
// else those of the file. Shapes are as models of that size usually have them. Errors: kUsage when neither
// parameters nor bytes are known.
Result<Work> estimate_work(const PublishedRow& row, const MeasuredContext& context);

}  // namespace cistern::plan
