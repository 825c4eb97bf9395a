// The functions of libcurl that curl_client.cc calls. The library is loaded when the first client is made, so
// the program starts without it and no command but `cistern pull` ever has it in its address space; and it is
// the system's own, which knows where this system keeps its certificates and gets its security updates.
// Single-threaded; lives as long as what was made with it.
#pragma once

#include <curl/curl.h>

#include <memory>

#include "base/error.h"

namespace cistern::fetch {

struct CurlLibrary {
  // kUnsupported: not installed, or too old; says what to install.
  static Result<std::unique_ptr<CurlLibrary>> load();
  CurlLibrary() = default;
  CurlLibrary(const CurlLibrary&) = delete;
  CurlLibrary& operator=(const CurlLibrary&) = delete;
  ~CurlLibrary();

  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_global_cleanup) global_cleanup = nullptr;
  decltype(&curl_version_info) version_info = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_reset) easy_reset = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;

 private:
  bool initialized_ = false;
};

}  // namespace cistern::fetch
