// A FileReader that reads through another one and lets go wrong what a test names: an error of the disk, a
// file that ends early, a completion that comes late or never, a file that is changed meanwhile.
// Deterministic: faults are chosen by file, bytes and number, and "late" is counted in calls of next(), not
// in seconds. Used from one thread, as every FileReader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sys/file_reader.h"

namespace cistern::testing {

struct ReadFault {
  enum class Kind {
    kIoError,   // the request fails as if the disk had
    kEarlyEnd,  // the file seems to end in the middle of what is needed
    kDelay,     // the completion is held back for `calls` calls of next(), others go before it
    kStall,     // ... until release()
    kChange,    // from its completion on, check_unchanged() fails
  };
  Kind kind = Kind::kIoError;
  // Of the requests that read any of these bytes ...
  std::optional<std::uint32_t> file;  // nothing: of any file
  std::uint64_t begin = 0;
  std::uint64_t end = UINT64_MAX;
  // ... this many, after the first `skip`.
  std::uint64_t skip = 0;
  std::uint64_t count = UINT64_MAX;
  std::uint64_t calls = 0;  // kDelay
};

class FaultyReader final : public sys::FileReader {
 public:
  FaultyReader(std::unique_ptr<sys::FileReader> inner, std::vector<ReadFault> faults);

  void submit(const sys::ReadRequest& request, sys::ReadPriority priority) override;
  // Waits for no clock: whoever waits waits for the disk, however slow it is; when nothing else can come, a
  // delayed completion is handed out before its time, and with stalled ones alone there is nothing at once.
  std::optional<sys::ReadCompletion> next(double seconds) override;
  std::size_t unfinished() const override { return inner_->unfinished() + held_.size(); }
  Result<void> check_unchanged() const override;
  bool direct() const override { return inner_->direct(); }
  std::string describe() const override { return inner_->describe() + ", with faults"; }

  // All that stalls, now and later.
  void release() { released_ = true; }
  // Requests held back at the moment by kDelay and kStall.
  std::size_t held() const { return held_.size(); }
  // Requests that a fault has hit, in all.
  std::uint64_t hits() const { return hits_; }

 private:
  struct Request {
    sys::ReadRequest request;
    std::vector<ReadFault> faults;
  };
  struct Held {
    sys::ReadCompletion completion;
    std::uint64_t calls_left = 0;
    bool stalled = false;
  };

  std::optional<sys::ReadCompletion> pop_held(std::uint64_t calls_left);
  // What the caller sees of a finished request. Nothing: it is held back.
  std::optional<sys::ReadCompletion> finish(sys::ReadCompletion completion);

  std::unique_ptr<sys::FileReader> inner_;
  std::vector<std::pair<ReadFault, std::uint64_t>> faults_;  // and how many requests each has matched
  std::vector<Request> requests_;                            // by the tag that `inner_` knows
  std::vector<Held> held_;
  std::optional<Error> changed_;
  std::uint64_t hits_ = 0;
  bool released_ = false;
};

}  // namespace cistern::testing
