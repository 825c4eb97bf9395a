// Arbitrary text as a page of the hub's list of files, and its first line as the header that names the next
// page, as a source on the command line and as the address of a redirect. Whatever is accepted can be kept
// under its name.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "fetch/hub_listing.h"
#include "fetch/model_choice.h"
#include "fetch/names.h"
#include "fetch/source.h"
#include "fetch/url.h"

namespace cistern::fetch {
namespace {

void touch(const Error& error) {
  const std::string message = describe(error);
  CISTERN_CHECK(!message.empty() && message.find('\n') == std::string::npos);
}

void check_variant(const Variant& variant) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < variant.files.size(); ++i) {
    const std::string name = variant.file_name(i);
    CISTERN_CHECK(name.find('/') == std::string::npos && name.find('\0') == std::string::npos &&
                  name.size() <= 200);
    CISTERN_CHECK(variant.files[i].sha256.empty() || variant.files[i].sha256.size() == 64);
    bytes += variant.files[i].size_bytes;
  }
  CISTERN_CHECK(bytes == variant.size_bytes && !variant.files.empty());
}

void check_listing(std::string_view text) {
  const auto files = parse_listing(text);
  if (!files) return touch(files.error());
  const auto variants = variants_of(*files);
  if (!variants) return touch(variants.error());
  for (const Variant& variant : *variants) {
    check_variant(variant);
    const auto chosen = choose_variant(*variants, variant.quant);
    if (!chosen) touch(chosen.error());
  }
}

// What is accepted is read in the same way when it is written down again.
void check_url(std::string_view text) {
  const auto url = parse_url(text);
  if (!url) return touch(url.error());
  const auto again = parse_url(url->text());
  CISTERN_CHECK(again && again->text() == url->text() && again->origin() == url->origin());
  CISTERN_CHECK(url->scheme == "https" || is_loopback(*url));
}

void check_source(std::string_view text) {
  const auto source = parse_source(text);
  if (!source) return touch(source.error());
  if (const auto* file = std::get_if<UrlSource>(&*source)) {
    CISTERN_CHECK(file->file_name.find('/') == std::string::npos);
  }
}

}  // namespace
}  // namespace cistern::fetch

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fetch = cistern::fetch;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view line = text.substr(0, text.find('\n'));
  fetch::check_listing(text);
  fetch::check_url(line);
  fetch::check_url(fetch::next_page(line));
  fetch::check_source(line);
  return 0;
}
