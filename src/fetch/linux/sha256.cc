#include "fetch/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "sys/dynamic_library.h"

namespace cistern::fetch {
namespace {

// With the same interface for what is used here.
constexpr std::array kNames = {"libcrypto.so.3", "libcrypto.so.1.1"};

struct Functions {
  decltype(&EVP_MD_CTX_new) context_new = nullptr;
  decltype(&EVP_MD_CTX_free) context_free = nullptr;
  decltype(&EVP_sha256) sha256 = nullptr;
  decltype(&EVP_DigestInit_ex) init = nullptr;
  decltype(&EVP_DigestUpdate) update = nullptr;
  decltype(&EVP_DigestFinal_ex) finish = nullptr;
};

class LibcryptoSha256 : public Sha256 {
 public:
  explicit LibcryptoSha256(const Functions& functions) : call_(functions), context_(call_.context_new()) {}
  LibcryptoSha256(const LibcryptoSha256&) = delete;
  LibcryptoSha256& operator=(const LibcryptoSha256&) = delete;
  ~LibcryptoSha256() override { call_.context_free(context_); }

  bool begin() { return context_ != nullptr && call_.init(context_, call_.sha256(), nullptr) == 1; }

  void update(std::span<const std::byte> bytes) override {
    call_.update(context_, bytes.data(), bytes.size());
  }

  std::string finish() override {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    call_.finish(context_, digest.data(), &size);
    begin();
    return hex_text(std::span(digest).first(size));
  }

 private:
  Functions call_;
  EVP_MD_CTX* context_;
};

}  // namespace

Result<std::unique_ptr<Sha256>> Sha256::create() {
  const auto library = sys::DynamicLibrary::open(kNames);
  if (!library) return std::unexpected(library.error());
  Functions f;
  const bool complete =
      library->find("EVP_MD_CTX_new", f.context_new) && library->find("EVP_MD_CTX_free", f.context_free) &&
      library->find("EVP_sha256", f.sha256) && library->find("EVP_DigestInit_ex", f.init) &&
      library->find("EVP_DigestUpdate", f.update) && library->find("EVP_DigestFinal_ex", f.finish);
  if (complete) {
    auto hash = std::make_unique<LibcryptoSha256>(f);
    if (hash->begin()) return hash;
  }
  return fail(ErrorCode::kUnsupported, "this system's libcrypto has no SHA-256");
}

}  // namespace cistern::fetch
