#include "fetch/download.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <thread>

#include "fetch/part_file.h"
#include "plan/describe_bytes.h"

namespace cistern::fetch {
namespace {

namespace fs = std::filesystem;
using plan::describe_bytes;

constexpr double kMaxWait = 60;  // seconds; a server that wants more is left for now
constexpr std::string_view kMagic = "GGUF";

bool is_cancelled(const DownloadOptions& options) {
  return options.cancelled && options.cancelled();
}

std::unexpected<Error> interrupted(const std::string& path) {
  return fail(ErrorCode::kCancelled,
              "interrupted: what has arrived stays, the same command goes on from there", path);
}

std::uint64_t free_bytes_of(const std::string& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder.empty() ? "." : folder, error);
  return error || space.capacity == 0 ? UINT64_MAX : space.available;  // writing will tell
}

// Short naps, so that Ctrl-C does not wait.
void nap(double seconds, const DownloadOptions& options) {
  constexpr auto kNap = std::chrono::milliseconds(50);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end && !is_cancelled(options)) std::this_thread::sleep_for(kNap);
}

PartFile::OnRead reading(const DownloadOptions& options, std::uint64_t all_bytes, const std::string& path) {
  return [&options, all_bytes, path](std::uint64_t done) -> Result<void> {
    if (options.progress && all_bytes > 0) options.progress(std::min(done, all_bytes), all_bytes);
    if (is_cancelled(options)) return interrupted(path);
    return {};
  };
}

// A tag that promises the same bytes; a weak one (W/"...") promises the same meaning.
std::string strong_etag(const HttpHead& head) {
  const std::string_view tag = head.header("etag");
  const bool strong = tag.size() > 2 && tag.size() < 1024 && tag.front() == '"' && tag.back() == '"';
  return strong ? std::string(tag) : std::string();
}

// One download with its attempts.
class Transfer {
 public:
  Transfer(HttpClient& client, const Download& download, const DownloadOptions& options, PartFile& part)
      : client_(client),
        download_(download),
        options_(options),
        part_(part),
        identity_{.url = download.url.text(),
                  .etag = {},
                  .size_bytes = download.size_bytes.value_or(0),
                  .sha256 = download.sha256} {}

  Result<Downloaded> run() {
    CISTERN_TRY_VOID(take_over());
    most_bytes_ = part_.size_bytes();
    for (int failures = 0; !complete();) {
      const auto failure = attempt();
      if (is_cancelled(options_)) return interrupted(download_.path);
      if (!failure) continue;
      if (part_.size_bytes() > most_bytes_) failures = 0;
      most_bytes_ = std::max(most_bytes_, part_.size_bytes());
      CISTERN_TRY_VOID(wait_before_next(*failure, ++failures));
    }
    return finish();
  }

 private:
  bool complete() const { return identity_.size_bytes > 0 && part_.size_bytes() == identity_.size_bytes; }

  // Goes on with the bytes of an earlier run where they are part of the same file.
  Result<void> take_over() {
    const auto noted = part_.identity();
    const bool same_digest = noted && !download_.sha256.empty() && noted->sha256 == download_.sha256;
    const bool same_tag =
        noted && download_.sha256 == noted->sha256 && noted->url == identity_.url && !noted->etag.empty();
    const bool same_size = noted && (!download_.size_bytes || *download_.size_bytes == noted->size_bytes);
    if (part_.size_bytes() == 0 || !same_size || !(same_digest || same_tag) ||
        part_.size_bytes() > noted->size_bytes) {
      return part_.restart(identity_);
    }
    identity_ = *noted;
    if (options_.say)
      options_.say(fmt::format("reading the {} that are there", describe_bytes(part_.size_bytes())));
    return part_.resume(reading(options_, 0, download_.path));
  }

  // One exchange; why it did not bring all, if it did not.
  std::optional<HttpFailure> attempt() {
    const std::uint64_t from = part_.size_bytes();
    HttpRequest request{.url = download_.url, .bearer = {}, .from_byte = from, .if_range = {}};
    // A promised digest says more than a tag, which differs between the servers of one hub.
    if (from > 0 && identity_.sha256.empty()) request.if_range = identity_.etag;
    const HttpReceiver receiver = {
        .on_head = [&](const HttpHead& head) { return take_head(head, from); },
        .on_body = [&](std::span<const std::byte> bytes) { return take_body(bytes); }};
    const auto head = get_following(client_, request, options_.credentials, receiver);
    if (head && complete()) return std::nullopt;
    if (head) {
      return HttpFailure{.error = {ErrorCode::kIo, "the server ended the file early", download_.url.origin()},
                         .kind = HttpFailure::Kind::kCut};
    }
    if (head.error().status == 416 && from > 0) return start_over();
    return head.error();
  }

  std::optional<HttpFailure> start_over() {
    if (auto restarted = part_.restart(identity_); !restarted) return HttpFailure{.error = restarted.error()};
    return HttpFailure{
        .error = {ErrorCode::kIo, "the server does not have the rest of the file", download_.url.origin()},
        .kind = HttpFailure::Kind::kCut};
  }

  Result<void> take_head(const HttpHead& head, std::uint64_t from) {
    connected_ = true;
    const std::string where = download_.url.text();
    if (!head.header("content-encoding").empty() && head.header("content-encoding") != "identity") {
      return fail(ErrorCode::kUnsupported, "the server sends the file in another encoding", where);
    }
    std::optional<std::uint64_t> size;
    if (head.status == 206) {
      const auto range = parse_content_range(head.header("content-range"));
      if (!range || range->begin != from)
        return fail(ErrorCode::kIo, "the server sends another part than asked for", where);
      size = range->total;
    } else if (head.status == 200) {
      size = parse_size(head.header("content-length"));
    } else {
      return fail(ErrorCode::kIo, fmt::format("the server's answer is no file (HTTP {})", head.status),
                  where);
    }
    const bool restarts = head.status == 200 && from > 0;
    if (restarts && options_.say) options_.say("the server begins anew");
    // What is noted of an earlier file does not bind this one.
    const std::uint64_t expected = restarts ? download_.size_bytes.value_or(0) : identity_.size_bytes;
    CISTERN_TRY_VOID(check_size(size, expected));
    if (size) identity_.size_bytes = *size;
    CISTERN_TRY_VOID(check_room(head.status == 206 ? from : 0));
    if (head.status == 206) return {};
    identity_.etag = strong_etag(head);
    return part_.restart(identity_);
  }

  // `expected`: 0 while nobody has said it.
  Result<void> check_size(std::optional<std::uint64_t> size, std::uint64_t expected) const {
    const std::string where = download_.url.text();
    if (!size && expected == 0) {
      return fail(ErrorCode::kUnsupported, "the server does not say how large the file is", where);
    }
    if (size && *size == 0) return fail(ErrorCode::kIo, "the file is empty", where);
    if (!size || expected == 0 || *size == expected) return {};
    return fail(ErrorCode::kIo,
                fmt::format("the server announces {} bytes where {} are expected", *size, expected), where);
  }

  Result<void> check_room(std::uint64_t have) const {
    const std::string folder = fs::path(download_.path).parent_path().string();
    const std::uint64_t free = options_.free_bytes ? options_.free_bytes(folder) : free_bytes_of(folder);
    const std::uint64_t missing = identity_.size_bytes - have + download_.more_bytes;
    // What is there of an earlier attempt will be dropped and is as good as free.
    const std::uint64_t dropped = have == 0 ? part_.size_bytes() : 0;
    if (missing <= dropped || missing - dropped <= free) return {};
    return fail(ErrorCode::kIo,
                fmt::format("needs {} more, but only {} are free on this disk", describe_bytes(missing),
                            describe_bytes(free)),
                download_.path);
  }

  Result<void> take_body(std::span<const std::byte> bytes) {
    if (is_cancelled(options_)) return interrupted(download_.path);
    if (bytes.size() > identity_.size_bytes - part_.size_bytes()) {
      return fail(ErrorCode::kIo,
                  fmt::format("the server sends more than the {} bytes of the file", identity_.size_bytes),
                  download_.url.text());
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                                std::min(bytes.size(), kMagic.size()));
    if (part_.size_bytes() == 0 && !kMagic.starts_with(text)) {
      return fail(
          ErrorCode::kFormat,
          "what the server sends is no GGUF file; if this is the address of a page about the file, take "
          "that of the file (on the hub: /resolve/ instead of /blob/)",
          download_.url.text());
    }
    CISTERN_TRY_VOID(part_.append(bytes));
    received_bytes_ += bytes.size();
    if (options_.progress) options_.progress(part_.size_bytes(), identity_.size_bytes);
    return {};
  }

  // The failure itself where there is no next time.
  Result<void> wait_before_next(const HttpFailure& failure, int failures) {
    using Kind = HttpFailure::Kind;
    // A host that was never there is more likely mistyped than away.
    const bool hopeless = failure.kind == Kind::kFinal || (failure.kind == Kind::kUnreachable && !connected_);
    if (hopeless) return std::unexpected(failure.error);
    Error error = failure.error;
    if (failure.wait_s > kMaxWait) {
      error.message += fmt::format("; it asks to wait {:.0f} s", failure.wait_s);
      return std::unexpected(std::move(error));
    }
    if (failures > options_.retries) {
      if (part_.size_bytes() > 0) {
        error.message +=
            fmt::format("; {} of {} have arrived and stay, the same command goes on from there",
                        describe_bytes(part_.size_bytes()), describe_bytes(identity_.size_bytes));
      }
      return std::unexpected(std::move(error));
    }
    const double wait_s =
        std::min(std::max(options_.first_wait_s * std::exp2(failures - 1), failure.wait_s), kMaxWait);
    if (options_.say) options_.say(fmt::format("{}; again in {:.1f} s", error.message, wait_s));
    options_.sleep ? options_.sleep(wait_s) : nap(wait_s, options_);
    if (is_cancelled(options_)) return interrupted(download_.path);
    return {};
  }

  Result<Downloaded> finish() {
    Downloaded result{
        .size_bytes = part_.size_bytes(), .received_bytes = received_bytes_, .sha256 = part_.sha256()};
    result.verified = !download_.sha256.empty();
    if (result.verified && result.sha256 != download_.sha256) {
      part_.discard();
      return fail(
          ErrorCode::kFormat,
          fmt::format(
              "what arrived is not the file that was promised, and is removed: its SHA-256 is {}, not {}",
              result.sha256, download_.sha256),
          download_.path);
    }
    if (options_.say) options_.say("waiting for the disk");
    CISTERN_TRY_VOID(part_.commit());
    return result;
  }

  HttpClient& client_;
  const Download& download_;
  const DownloadOptions& options_;
  PartFile& part_;
  Identity identity_;
  std::uint64_t received_bytes_ = 0;
  std::uint64_t most_bytes_ = 0;  // that were ever there
  bool connected_ = false;
};

}  // namespace

Result<std::optional<Downloaded>> find_present(const Download& download, const DownloadOptions& options) {
  struct stat status{};
  if (download.force || ::stat(download.path.c_str(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kUsage, "is there and is no file", download.path);
  Downloaded present{.size_bytes = static_cast<std::uint64_t>(status.st_size), .was_there = true};
  if (download.size_bytes && *download.size_bytes != present.size_bytes) {
    return fail(
        ErrorCode::kUsage,
        fmt::format("is there already, with {} bytes where this model has {}: --force replaces it, --to puts "
                    "the new one elsewhere",
                    present.size_bytes, *download.size_bytes),
        download.path);
  }
  if (download.sha256.empty()) return present;
  CISTERN_TRY(present.sha256,
              sha256_of_file(download.path, reading(options, present.size_bytes, download.path)));
  present.verified = present.sha256 == download.sha256;
  if (present.verified) return present;
  return fail(
      ErrorCode::kUsage,
      fmt::format(
          "is there already, and its SHA-256 is {}, not {}: --force replaces it, --to puts the new one "
          "elsewhere",
          present.sha256, download.sha256),
      download.path);
}

Result<Downloaded> fetch_file(HttpClient& client, const Download& download, const DownloadOptions& options) {
  CISTERN_TRY(PartFile part, PartFile::open(download.path));
  return Transfer(client, download, options, part).run();
}

}  // namespace cistern::fetch
