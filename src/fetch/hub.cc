#include "fetch/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace cistern::fetch {
namespace {

constexpr int kMaxPages = 50;
constexpr std::size_t kMaxToken = 512;

// A page as text, and the address of the next one.
struct Page {
  std::string text;
  std::string next;
};

Result<Page> get_page(HttpClient& client, const Hub& hub, const Url& url) {
  Page page;
  const HttpReceiver receiver = {
      .on_head = [&](const HttpHead& head) -> Result<void> {
        page.next = next_page(head.header("link"));
        return {};
      },
      .on_body = [&](std::span<const std::byte> bytes) -> Result<void> {
        if (page.text.size() + bytes.size() > kMaxListingBytes) {
          return fail(ErrorCode::kFormat, "the list of files has no end", url.origin());
        }
        page.text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return {};
      }};
  const HttpRequest request{.url = url, .bearer = {}, .from_byte = 0, .if_range = {}};
  const auto head = get_following(client, request, hub.credentials(), receiver);
  if (!head) return std::unexpected(head.error().error);
  return page;
}

}  // namespace

Url Hub::file_url(const HubSource& source, std::string_view path) const {
  Url url = endpoint;
  url.target += fmt::format("/{}/resolve/main/{}", source.repository(), percent_encoded(path));
  return url;
}

Url Hub::listing_url(const HubSource& source) const {
  Url url = endpoint;
  url.target += fmt::format("/api/models/{}/tree/main?recursive=1", source.repository());
  return url;
}

Result<Hub> make_hub(std::string_view address, std::string_view token) {
  auto endpoint = parse_url(address.empty() ? kHubAddress : address);
  if (!endpoint) return fail(ErrorCode::kUsage, describe(endpoint.error()), "HF_ENDPOINT");
  if (endpoint->target.find('?') != std::string::npos) {
    return fail(ErrorCode::kUsage, "the address of a hub has no query", "HF_ENDPOINT");
  }
  while (endpoint->target.ends_with('/')) endpoint->target.pop_back();
  const bool plain = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7F; });
  if (!plain || token.size() > kMaxToken) return fail(ErrorCode::kUsage, "is no access token", "HF_TOKEN");
  return Hub{.endpoint = *std::move(endpoint), .token = std::string(token)};
}

Result<std::vector<RepositoryFile>> list_files(HttpClient& client, const Hub& hub, const HubSource& source) {
  std::vector<RepositoryFile> files;
  Url url = hub.listing_url(source);
  for (int i = 0; i < kMaxPages; ++i) {
    auto page = get_page(client, hub, url);
    if (!page) {
      Error error = std::move(page).error();
      error.where = fmt::format("hf:{} ({})", source.repository(), error.where);
      return std::unexpected(std::move(error));
    }
    CISTERN_TRY(const auto some, parse_listing(page->text));
    files.insert(files.end(), some.begin(), some.end());
    if (page->next.empty()) return files;
    CISTERN_TRY(url, redirect_target(url, page->next));
    if (url.origin() != hub.endpoint.origin()) {
      return fail(ErrorCode::kIo, "the list of files goes on at another server", url.origin());
    }
  }
  return fail(ErrorCode::kFormat, fmt::format("the list of files has more than {} pages", kMaxPages),
              source.repository());
}

}  // namespace cistern::fetch
