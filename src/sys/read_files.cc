#include "sys/read_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "sys/uncached_file.h"

namespace cistern::sys {
namespace {

std::unexpected<Error> system_error(const std::string& path, int number) {
  const bool missing = number == ENOENT || number == ENOTDIR;
  return fail(missing ? ErrorCode::kNotFound : ErrorCode::kIo,
              missing ? "no such file" : std::generic_category().message(number), path);
}

}  // namespace

Result<ReadFiles> ReadFiles::open(std::span<const std::string> paths) {
  ReadFiles files(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) CISTERN_TRY_VOID(open_one(files.files_[i], paths[i]));
  return files;
}

Result<void> ReadFiles::open_one(File& file, const std::string& path) {
  struct stat status = {};
  // Before opening: that would wait for a writer of a FIFO.
  if (stat(path.c_str(), &status) != 0) return system_error(path, errno);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kIo, "not a regular file", path);
  const UncachedFile opened = open_uncached(path);
  if (opened.fd < 0) return system_error(path, errno);
  file.path = path;
  file.fd = opened.fd;
  file.direct = opened.direct;
  if (fstat(file.fd, &status) != 0) return system_error(path, errno);
  file.size_bytes = static_cast<std::uint64_t>(status.st_size);
  file.modified_ns = modified_ns(status);
  return {};
}

ReadFiles::~ReadFiles() {
  for (const File& file : files_) {
    if (file.fd >= 0) close(file.fd);
  }
}

ReadFiles::Read ReadFiles::next_read(ReadPiece& piece) const {
  const File& file = files_[piece.file];
  piece.direct = file.direct;
  // A direct read that ended inside a block is continued from the block's beginning.
  const std::uint64_t begin = piece.done_bytes / kReadAlignment * kReadAlignment;
  return {.fd = file.fd,
          .memory = piece.into.data() + begin,
          .bytes = piece.into.size() - begin,
          .offset = piece.offset + begin};
}

bool ReadFiles::take_result(ReadPiece& piece, std::int64_t result) {
  if (!is_over(piece, result)) return false;
  const File& file = files_[piece.file];
  if (!file.direct) drop_cached(file.fd, piece.offset, piece.into.size());
  return true;
}

bool ReadFiles::is_over(ReadPiece& piece, std::int64_t result) {
  File& file = files_[piece.file];
  const auto over_with = [&](std::string message) {
    piece.error = {ErrorCode::kIo, std::move(message),
                   fmt::format("{}: byte {}", file.path, piece.offset + piece.done_bytes)};
    return true;
  };
  if (result < 0) {
    const int number = static_cast<int>(-result);
    if (number == EINTR || number == EAGAIN) return false;
    // Some file systems open files for direct reads that they then refuse. Several pieces may find out at
    // once.
    if (number == EINVAL && piece.direct && make_cached(file.fd)) {
      file.direct = false;
      return false;
    }
    return over_with(std::generic_category().message(number));
  }
  const std::uint64_t before = piece.done_bytes;
  piece.done_bytes =
      std::max(before, before / kReadAlignment * kReadAlignment + static_cast<std::uint64_t>(result));
  if (piece.done_bytes >= piece.needed_bytes) return true;  // what a short read left out nobody needs
  if (piece.done_bytes > before) return false;
  return over_with(
      fmt::format("the file ends at byte {}, before byte {} that is needed: it is damaged, or was "
                  "truncated while in use",
                  piece.offset + piece.done_bytes, piece.offset + piece.needed_bytes));
}

Result<void> ReadFiles::check_unchanged() const {
  for (const File& file : files_) {
    struct stat status = {};
    if (fstat(file.fd, &status) != 0) return system_error(file.path, errno);
    if (static_cast<std::uint64_t>(status.st_size) != file.size_bytes) {
      return fail(ErrorCode::kIo,
                  fmt::format("the file had {} bytes and has {}, changed while in use: load it again",
                              file.size_bytes, status.st_size),
                  file.path);
    }
    if (modified_ns(status) != file.modified_ns) {
      return fail(ErrorCode::kIo, "the file was changed while in use: load it again", file.path);
    }
  }
  return {};
}

bool ReadFiles::direct() const {
  return std::ranges::all_of(files_, [](const File& file) { return file.direct.load(); });
}

std::string ReadFiles::describe() const {
  const auto cached = std::ranges::count_if(files_, [](const File& file) { return !file.direct; });
  if (cached == 0) return "past the page cache";
  const auto first = std::ranges::find_if(files_, [](const File& file) { return !file.direct; });
  return fmt::format("{} of {} files through the page cache (no direct reads: {})", cached, files_.size(),
                     first->path);
}

}  // namespace cistern::sys
