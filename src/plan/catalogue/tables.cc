#include "plan/catalogue/tables.h"

// Defined in tables.S: the first byte of each table and the one behind its last.
extern "C" const char cistern_hardware_begin[];
extern "C" const char cistern_hardware_end[];
extern "C" const char cistern_time_parameters_begin[];
extern "C" const char cistern_time_parameters_end[];

namespace cistern::plan {

std::string_view hardware_table() noexcept {
  return {cistern_hardware_begin, cistern_hardware_end};
}

std::string_view time_parameter_table() noexcept {
  return {cistern_time_parameters_begin, cistern_time_parameters_end};
}

}  // namespace cistern::plan
