#include "web/basic_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/start_thread.h"

namespace kem {
namespace {

constexpr size_t kMaxRemembered = 256;

struct NameAndPassword {
  std::string name;
  std::string password;
};

// RFC 7617. crypt would ignore the password after a NUL.
std::optional<NameAndPassword> ParseBasic(std::string_view authorization) {
  constexpr std::string_view kScheme = "basic ";
  if (AsciiLower(authorization.substr(0, kScheme.size())) != kScheme) {
    return std::nullopt;
  }
  const std::optional<std::string> text =
      DecodeBase64(authorization.substr(kScheme.size()));
  if (!text) return std::nullopt;
  const size_t colon = text->find(':');
  if (colon == std::string::npos || text->find('\0') != std::string::npos) {
    return std::nullopt;
  }
  return NameAndPassword{text->substr(0, colon), text->substr(colon + 1)};
}

void Remember(const std::string& digest, std::set<std::string>& digests) {
  if (digests.size() >= kMaxRemembered) digests.clear();
  digests.insert(digest);
}

}  // namespace

bool BasicAuth::MatchesBcrypt(const std::string& password,
                              const std::string& hash) {
  // 32 KiB, too large for the stack.
  const auto data = std::make_unique<crypt_data>();
  const char* made = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  const bool same = made != nullptr && std::strlen(made) == hash.size() &&
                    CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return same;
}

// Keyed by this process, so that memory holds neither passwords nor a digest
// that helps to guess them. A name that is added later has another digest.
std::string BasicAuth::Digest(bool known, const std::string& name,
                              const std::string& hash,
                              const std::string& password) const {
  // Names and hashes contain no NUL.
  const std::string text =
      (known ? "+" : "-") + name + '\0' + hash + '\0' + password;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::optional<bool> BasicAuth::Recall(const std::string& digest) const {
  if (good_.contains(digest)) return true;
  if (bad_.contains(digest)) return false;
  return std::nullopt;
}

void BasicAuth::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); }))
      return;
    if (stop.stop_requested()) return;
    PendingCheck check = waiting_.Pop();
    // An equal one may have been checked meanwhile.
    std::optional<bool> matched = Recall(check.digest);
    if (!matched) {
      lock.unlock();
      matched = matches_(check.password, check.hash) && check.known;
      lock.lock();
      Remember(check.digest, *matched ? good_ : bad_);
    }
    OPENSSL_cleanse(check.password.data(), check.password.size());
    finished_.emplace_back(check.ticket, *matched);
    lock.unlock();
    wake_();
    lock.lock();
  }
}

BasicAuth::BasicAuth(std::function<void()> wake, Matcher matches)
    : wake_(std::move(wake)), matches_(std::move(matches)) {
  // Fails only when OpenSSL does not work at all.
  RAND_bytes(key_.data(), static_cast<int>(key_.size()));
}

Admission BasicAuth::Check(const std::map<std::string, std::string>& users,
                           std::string_view authorization,
                           const std::string& group, uint64_t ticket) {
  std::optional<NameAndPassword> login = ParseBasic(authorization);
  if (!login || users.empty()) return Admission::kUnauthorized;
  const auto user = users.find(login->name);
  const bool known = user != users.end();
  const std::string& hash = known ? user->second : users.begin()->second;
  std::string digest = Digest(known, login->name, hash, login->password);
  {
    const std::lock_guard guard(mutex_);
    if (const std::optional<bool> matched = Recall(digest)) {
      return *matched ? Admission::kAdmitted : Admission::kUnauthorized;
    }
    if (!thread_.joinable()) {
      Result<std::jthread> started =
          StartThread([this](const std::stop_token& stop) { Run(stop); });
      if (!started) return Admission::kBusy;
      thread_ = std::move(*started);
    }
    waiting_.Push(group, {ticket, known, hash, std::move(login->password),
                          std::move(digest)});
  }
  changed_.notify_one();
  return Admission::kPending;
}

void BasicAuth::Cancel(uint64_t ticket) {
  const std::lock_guard guard(mutex_);
  waiting_.Remove(
      [ticket](const PendingCheck& check) { return check.ticket == ticket; });
}

std::vector<std::pair<uint64_t, bool>> BasicAuth::Finished() {
  const std::lock_guard guard(mutex_);
  return std::exchange(finished_, {});
}

}  // namespace kem
