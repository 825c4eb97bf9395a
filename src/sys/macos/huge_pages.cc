#include "sys/huge_pages.h"

namespace cistern::sys {

void advise_huge_pages(std::span<std::byte>) noexcept {}

}  // namespace cistern::sys
