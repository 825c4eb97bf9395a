// A read-only memory-mapped file, or a borrowed range of bytes that stands for one (the embedded model,
// tests). Owner of the mapping; every span handed out dies with it. If the file shrinks while mapped, reads
// beyond its new end yield zeros instead of a signal and check_intact() reports the damage from then on:
// whoever computes from mapped bytes calls it before showing a result. Immutable after open; safe to read
// from many threads.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"

namespace cistern::sys {

class MappedFile {
 public:
  // Errors: kNotFound, kIo (unreadable, directory, not a regular file, empty file is a valid mapping of 0
  // bytes).
  static Result<MappedFile> open(const std::string& path);
  // Does not own `bytes`; they must outlive the object.
  static MappedFile borrow(std::span<const std::byte> bytes, std::string name);

  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const noexcept;
  const std::string& path() const noexcept;

  // kIo, naming file and offset, once any page of this mapping could not be read (file truncated, disk
  // error).
  Result<void> check_intact() const;

 private:
  struct Impl;
  explicit MappedFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cistern::sys
