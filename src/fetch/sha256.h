// SHA-256 of a file as it arrives, by the system's cryptographic library, which uses the processor's
// instructions for it: libcrypto on Linux, loaded when it is needed like libcurl, which depends on it;
// CommonCrypto on macOS. Used by part_file.cc and for files that are there already. One object belongs to one
// thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"

namespace cistern::fetch {

class Sha256 {
 public:
  // kUnsupported: the library is not there.
  static Result<std::unique_ptr<Sha256>> create();
  virtual ~Sha256() = default;

  virtual void update(std::span<const std::byte> bytes) = 0;
  // Of everything so far, as 64 hexadecimal digits; the object then begins anew.
  virtual std::string finish() = 0;
};

// The digits of a digest.
std::string hex_text(std::span<const unsigned char> digest);

}  // namespace cistern::fetch
