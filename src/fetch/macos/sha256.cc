#include "fetch/sha256.h"

#include <CommonCrypto/CommonDigest.h>

#include <algorithm>
#include <array>

namespace cistern::fetch {
namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 30U;  // lengths are 32 bits wide

class SystemSha256 : public Sha256 {
 public:
  SystemSha256() { CC_SHA256_Init(&context_); }

  void update(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::size_t n = std::min(bytes.size(), kMostAtOnce);
      CC_SHA256_Update(&context_, bytes.data(), static_cast<CC_LONG>(n));
      bytes = bytes.subspan(n);
    }
  }

  std::string finish() override {
    std::array<unsigned char, CC_SHA256_DIGEST_LENGTH> digest{};
    CC_SHA256_Final(digest.data(), &context_);
    CC_SHA256_Init(&context_);
    return hex_text(digest);
  }

 private:
  CC_SHA256_CTX context_;
};

}  // namespace

Result<std::unique_ptr<Sha256>> Sha256::create() {
  return std::make_unique<SystemSha256>();
}

}  // namespace cistern::fetch
