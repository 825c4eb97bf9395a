// The hub that hf: names belong to: where it is, who we are there, and which files a repository has. Used by
// `cistern pull`. Reads no environment: that is given. Single-threaded, as the client is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fetch/http.h"
#include "fetch/hub_listing.h"
#include "fetch/source.h"

namespace cistern::fetch {

inline constexpr std::string_view kHubAddress = "https://huggingface.co";

struct Hub {
  Url endpoint;       // its target is a prefix without a '/' at the end
  std::string token;  // empty: nobody

  Credentials credentials() const { return {.token = token, .origin = endpoint.origin()}; }
  Url file_url(const HubSource& source, std::string_view path) const;
  Url listing_url(const HubSource& source) const;
};

// `address`: empty for the public hub. kUsage: no address, or a token that no header can carry.
Result<Hub> make_hub(std::string_view address, std::string_view token);

// All files of the main branch.
Result<std::vector<RepositoryFile>> list_files(HttpClient& client, const Hub& hub, const HubSource& source);

}  // namespace cistern::fetch
