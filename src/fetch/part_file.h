// A file on its way: what has arrived lies in NAME.part beside its place, and NAME.part.json says what it is
// a part of, so that another run can go on. Locked while open: two downloads of one file do not meet. SHA-256
// is taken as the bytes come. The file gets its name when it is complete, on the disk, and found right. Used
// by download.cc; single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "fetch/sha256.h"

namespace cistern::fetch {

// What a part is a part of.
struct Identity {
  std::string url;
  std::string etag;  // strong; empty: the server has none
  std::uint64_t size_bytes = 0;
  std::string sha256;  // as promised; empty: nobody did
};

class PartFile {
 public:
  // Called now and then with the bytes read so far; an error ends the reading.
  using OnRead = std::function<Result<void>(std::uint64_t)>;

  // Opens or makes NAME.part for `path`. kBusy: another process is downloading it. kIo: cannot be written.
  static Result<PartFile> open(const std::string& path);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();  // what has arrived stays; an empty part goes

  std::uint64_t size_bytes() const { return size_bytes_; }
  // What an earlier run has noted; nothing: no note, or a damaged one.
  std::optional<Identity> identity() const;

  // Takes the bytes of an earlier run as they are: reads them for the digest.
  Result<void> resume(const OnRead& on_read);
  // Drops what is there and notes what comes.
  Result<void> restart(const Identity& identity);
  Result<void> append(std::span<const std::byte> bytes);

  // Of all bytes since restart() or resume(). Once.
  std::string sha256();
  // Gives the file its name, when all of it is on the disk.
  Result<void> commit();
  // Removes the part and its note.
  void discard();

 private:
  PartFile() = default;

  std::string path_;
  int fd_ = -1;
  std::uint64_t size_bytes_ = 0;
  std::unique_ptr<Sha256> hash_;
};

// SHA-256 of a file.
Result<std::string> sha256_of_file(const std::string& path, const PartFile::OnRead& on_read);

}  // namespace cistern::fetch
