#include "sys/file_reader.h"

#include <utility>

namespace cistern::sys {

Result<std::unique_ptr<FileReader>> make_file_reader(std::span<const std::string> paths) {
  auto reader = make_uring_reader(paths);
  if (reader || reader.error().code != ErrorCode::kUnsupported) return reader;
  return make_thread_reader(paths, kReadThreads, std::move(reader.error().message));
}

}  // namespace cistern::sys
