// Guesses what a file is that should have been GGUF, so that the error tells people what they downloaded.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "file/gguf.h"
#include "file/printable.h"

namespace cistern::file {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view prefix;
  std::string_view what;
};

constexpr std::array kSignatures = {
    Signature{"PK\x03\x04"sv, "a ZIP archive (a PyTorch checkpoint?)"},
    Signature{"\x80\x02"sv, "a Python pickle (an old PyTorch checkpoint?)"},
    Signature{"lmgg"sv, "an old GGML file: convert the model to GGUF"},
    Signature{"fmgg"sv, "an old GGMF file: convert the model to GGUF"},
    Signature{"tjgg"sv, "an old GGJT file: convert the model to GGUF"},
    Signature{"algg"sv, "an old GGLA adapter: convert it to GGUF"},
    Signature{"FUGG"sv, "a byte-swapped GGUF file"},
    Signature{"\x1f\x8b"sv, "a gzip archive: unpack it first"},
    Signature{"BZh"sv, "a bzip2 archive: unpack it first"},
    Signature{"\xfd"
              "7zXZ"sv,
              "an xz archive: unpack it first"},
    Signature{"\x28\xb5\x2f\xfd"sv, "a zstd archive: unpack it first"},
    Signature{"7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive: unpack it first"},
    Signature{"\x89HDF"sv, "an HDF5 file"},
    Signature{"\x7f"
              "ELF"sv,
              "an ELF program"},
    Signature{"version https://git-lfs"sv, "a Git LFS pointer: fetch the file itself (git lfs pull)"},
    Signature{"<!DOCTYPE"sv, "a web page: the download failed"},
    Signature{"<!doctype"sv, "a web page: the download failed"},
    Signature{"<html"sv, "a web page: the download failed"},
};

bool is_text(std::string_view head) {
  return std::ranges::all_of(head, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || byte == '\n' || byte == '\r' || byte == '\t';
  });
}

// A little-endian 64-bit header length, then JSON.
bool is_safetensors(std::span<const std::byte> bytes) {
  if (bytes.size() < 10) return false;
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  return header_bytes <= bytes.size() - 8 && bytes[8] == std::byte{'{'};
}

}  // namespace

std::string describe_content(std::span<const std::byte> bytes) {
  if (bytes.empty()) return "an empty file";
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<std::size_t>(bytes.size(), 256));
  if (std::string_view("GGUF").starts_with(head)) return "the first bytes of one: it is truncated";
  for (const Signature& signature : kSignatures) {
    if (head.starts_with(signature.prefix)) return std::string(signature.what);
  }
  if (is_safetensors(bytes)) return "a safetensors file: convert the model to GGUF";
  if (head.find_first_not_of('\0') == std::string_view::npos) return "zeros (an unfinished download?)";
  const std::string quoted = fmt::format("\"{}\"", printable(head.substr(0, 16)));
  if (is_text(head)) return "text that begins with " + quoted;
  return "binary data that begins with " + quoted;
}

}  // namespace cistern::file
