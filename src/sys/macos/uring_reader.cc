#include "sys/file_reader.h"

namespace cistern::sys {

Result<std::unique_ptr<FileReader>> make_uring_reader(std::span<const std::string>) {
  return fail(ErrorCode::kUnsupported, "no io_uring on this system");
}

}  // namespace cistern::sys
