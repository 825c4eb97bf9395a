// The reads that a streaming store has under way: hands each finished one to the part of the store that asked
// for it, and waits for them, not forever. Knows nothing of what the bytes mean. Used from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "file/extents.h"
#include "sys/file_reader.h"

namespace cistern::store {

// For messages: "PATH at byte 4096", of the file that the extent is of.
std::string where(std::span<const std::string> paths, const file::Extent& extent);

class ReadClient {
 public:
  virtual void read_done(std::uint64_t tag, std::optional<Error> error) = 0;

 protected:
  ~ReadClient() = default;
};

class Reads {
 public:
  // After `stall_s` seconds without any answer of the disk whoever waits gets an error.
  Reads(std::unique_ptr<sys::FileReader> reader, double stall_s)
      : reader_(std::move(reader)), stall_s_(stall_s) {}

  // Of the extent's bytes, into memory that stays until read_done() or stop().
  void submit(ReadClient& client, std::uint64_t tag, const file::Extent& extent, std::byte* into,
              sys::ReadPriority priority = sys::ReadPriority::kDemand);

  // Hands out what is finished, waiting for nothing.
  void poll();

  // Until `done` says so. kIo: the disk does not answer; `where` says where in which file.
  template <class Done, class Where>
  Result<void> wait(const Done& done, const Where& where) {
    poll();
    return done() ? Result<void>() : wait_longer(std::cref(done), std::cref(where));
  }

  // Drops what was not begun and waits for the rest; nobody is told.
  void stop() { reader_.reset(); }

  const sys::FileReader& reader() const { return *reader_; }
  std::uint64_t bytes_read() const { return bytes_read_; }  // what was finished, in whole pages
  double waited_s() const { return waited_s_; }             // by wait(), in all

 private:
  struct Pending {
    ReadClient* client = nullptr;
    std::uint64_t tag = 0;
    std::uint64_t bytes = 0;
  };
  void hand_out(sys::ReadCompletion completion);
  Result<void> wait_longer(const std::function<bool()>& done, const std::function<std::string()>& where);

  std::unique_ptr<sys::FileReader> reader_;
  double stall_s_;
  std::vector<Pending> pending_;     // by the reader's tag
  std::vector<std::uint64_t> free_;  // of these tags
  std::uint64_t bytes_read_ = 0;
  double waited_s_ = 0;
};

}  // namespace cistern::store
