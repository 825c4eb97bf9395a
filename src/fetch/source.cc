#include "fetch/source.h"

#include <algorithm>

#include "fetch/names.h"
#include "file/printable.h"

namespace cistern::fetch {
namespace {

constexpr std::string_view kHub = "hf:";
constexpr std::size_t kMaxPart = 96;  // of an owner or a name, as the hub has it

// As the hub allows them: letters, digits, '-', '_' and '.', which does not come first or twice.
bool is_hub_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxPart || name.front() == '.' || name.front() == '-') return false;
  if (name.find("..") != std::string_view::npos) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::unexpected<Error> refused(std::string_view text, std::string reason) {
  return fail(ErrorCode::kUsage, std::move(reason), file::printable(text));
}

Result<Source> parse_hub_source(std::string_view text) {
  const std::string_view rest = text.substr(kHub.size());
  const std::size_t colon = rest.find(':');
  const std::string_view repository = rest.substr(0, colon);
  const std::size_t slash = repository.find('/');
  HubSource source{.owner = std::string(repository.substr(0, slash)), .name = {}, .wanted = {}};
  if (slash != std::string_view::npos) source.name = repository.substr(slash + 1);
  if (!is_hub_name(source.owner) || !is_hub_name(source.name)) {
    return refused(text, "is no repository: write hf:OWNER/NAME or hf:OWNER/NAME:QUANT");
  }
  if (colon == std::string_view::npos) return source;
  source.wanted = rest.substr(colon + 1);
  if (!check_repository_path(source.wanted)) {
    return refused(text,
                   "what follows the last colon is no quantization and no file: write hf:OWNER/NAME:Q4_K_M");
  }
  return source;
}

Result<Source> parse_url_source(std::string_view text) {
  CISTERN_TRY(Url url, parse_url(text));
  const std::string path = url.path();
  CISTERN_TRY(const std::string name, percent_decoded(std::string_view(path).substr(path.rfind('/') + 1)));
  auto file_name = model_file_name(name);
  if (!file_name) {
    return refused(text, "the address must end in the name of a .gguf file: " + file_name.error().message);
  }
  return UrlSource{.url = std::move(url), .file_name = *std::move(file_name)};
}

}  // namespace

Result<Source> parse_source(std::string_view text) {
  if (text.starts_with(kHub)) return parse_hub_source(text);
  if (text.find("://") != std::string_view::npos) return parse_url_source(text);
  return refused(text, "write hf:OWNER/NAME, hf:OWNER/NAME:QUANT or https://HOST/PATH/NAME.gguf");
}

}  // namespace cistern::fetch
