#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <limits>

namespace kem {
namespace {

constexpr size_t kMaxBytes = std::numeric_limits<int>::max() / 2;

unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string packed;
  std::copy_if(text.begin(), text.end(), std::back_inserter(packed),
               [](unsigned char c) { return std::isspace(c) == 0; });
  // OpenSSL reads '=' as a zero anywhere.
  const size_t end = packed.find_last_not_of('=') + 1;
  const size_t padding = packed.size() - end;
  if (padding > 2 || packed.find('=') < end || packed.size() > kMaxBytes) {
    return std::nullopt;
  }
  std::string bytes(packed.size(), '\0');
  const int size = EVP_DecodeBlock(Bytes(bytes), Bytes(packed),
                                   static_cast<int>(packed.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<size_t>(size) - padding);
  return bytes;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(Bytes(text), Bytes(bytes),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

}  // namespace kem
