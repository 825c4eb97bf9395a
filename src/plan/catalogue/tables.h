// The tables that are linked into the program as they lie beside this file: hardware.csv and
// time_parameters.csv. Internal to plan/. Valid for the life of the program, safe from any thread.
#pragma once

#include <string_view>

namespace cistern::plan {

std::string_view hardware_table() noexcept;
std::string_view time_parameter_table() noexcept;

}  // namespace cistern::plan
