#include "fetch/curl_library.h"

#include <fmt/format.h>

#include <array>

#include "sys/dynamic_library.h"

namespace cistern::fetch {
namespace {

// All with the same interface; Debian has two, by the TLS library under them. The last one is part of macOS.
constexpr std::array kNames = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib"};
constexpr unsigned kOldest = 0x075500;  // 7.85: protocols by name

constexpr std::string_view kInstall =
    "downloads need libcurl 7.85 or newer (Debian and Ubuntu: apt-get install libcurl4)";

}  // namespace

Result<std::unique_ptr<CurlLibrary>> CurlLibrary::load() {
  const auto library = sys::DynamicLibrary::open(kNames);
  if (!library)
    return fail(ErrorCode::kUnsupported, fmt::format("{}: {}", kInstall, library.error().message));
  auto curl = std::make_unique<CurlLibrary>();
  const bool complete = library->find("curl_global_init", curl->global_init) &&
                        library->find("curl_global_cleanup", curl->global_cleanup) &&
                        library->find("curl_version_info", curl->version_info) &&
                        library->find("curl_easy_init", curl->easy_init) &&
                        library->find("curl_easy_cleanup", curl->easy_cleanup) &&
                        library->find("curl_easy_reset", curl->easy_reset) &&
                        library->find("curl_easy_setopt", curl->easy_setopt) &&
                        library->find("curl_easy_perform", curl->easy_perform) &&
                        library->find("curl_easy_getinfo", curl->easy_getinfo) &&
                        library->find("curl_easy_strerror", curl->easy_strerror) &&
                        library->find("curl_slist_append", curl->slist_append) &&
                        library->find("curl_slist_free_all", curl->slist_free_all);
  if (!complete) return fail(ErrorCode::kUnsupported, std::string(kInstall));
  const curl_version_info_data* version = curl->version_info(CURLVERSION_NOW);
  if (version->version_num < kOldest) {
    return fail(ErrorCode::kUnsupported, fmt::format("{}; this is {}", kInstall, version->version));
  }
  curl->initialized_ = curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!curl->initialized_) return fail(ErrorCode::kUnsupported, "libcurl cannot be initialized");
  return curl;
}

CurlLibrary::~CurlLibrary() {
  if (initialized_) global_cleanup();
}

}  // namespace cistern::fetch
