#include "web/basic_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>

#include "base/ascii.h"
#include "base/base64.h"

namespace kem {
namespace {

constexpr size_t kMaxRemembered = 256;
constexpr size_t kKeyBytes = 32;

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

bool Matches(const std::string& password, const std::string& hash) {
  // 32 KiB, too large for the stack.
  const auto data = std::make_unique<crypt_data>();
  const char* made = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  const bool same = made != nullptr && std::strlen(made) == hash.size() &&
                    CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return same;
}

struct PendingCheck {
  uint64_t ticket = 0;
  bool known = false;
  std::string hash;
  std::string password;
  std::string digest;
};

}  // namespace

struct BasicAuth::Impl {
  std::function<void()> wake;
  std::array<unsigned char, kKeyBytes> key{};
  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<PendingCheck> waiting;
  std::vector<std::pair<uint64_t, bool>> finished;
  // Digests of name, hash and password that matched.
  std::set<std::string> good;
  // Last, so that it ends first. Started by the first check.
  std::jthread thread;

  std::string Digest(const NameAndPassword& login,
                     const std::string& hash) const;
  void Run(const std::stop_token& stop);
};

// Keyed by this process, so that memory holds neither passwords nor a digest
// that helps to guess them.
std::string BasicAuth::Impl::Digest(const NameAndPassword& login,
                                    const std::string& hash) const {
  // Names and hashes contain no NUL.
  const std::string text = login.name + '\0' + hash + '\0' + login.password;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

void BasicAuth::Impl::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  while (true) {
    if (!changed.wait(lock, stop, [this] { return !waiting.empty(); })) return;
    if (stop.stop_requested()) return;
    PendingCheck check = std::move(waiting.front());
    waiting.pop_front();
    lock.unlock();
    const bool matched = Matches(check.password, check.hash) && check.known;
    OPENSSL_cleanse(check.password.data(), check.password.size());
    lock.lock();
    if (matched) {
      if (good.size() >= kMaxRemembered) good.clear();
      good.insert(check.digest);
    }
    finished.emplace_back(check.ticket, matched);
    lock.unlock();
    wake();
    lock.lock();
  }
}

BasicAuth::BasicAuth(std::function<void()> wake)
    : impl_(std::make_unique<Impl>()) {
  impl_->wake = std::move(wake);
  // Fails only when OpenSSL does not work at all.
  RAND_bytes(impl_->key.data(), static_cast<int>(impl_->key.size()));
}

BasicAuth::~BasicAuth() = default;

Login BasicAuth::Check(const std::map<std::string, std::string>& users,
                       std::string_view authorization, uint64_t ticket) {
  std::optional<NameAndPassword> login = ParseBasic(authorization);
  if (!login || users.empty()) return Login::kBad;
  const auto user = users.find(login->name);
  const bool known = user != users.end();
  const std::string& hash = known ? user->second : users.begin()->second;
  std::string digest = impl_->Digest(*login, hash);
  {
    const std::lock_guard guard(impl_->mutex);
    if (known && impl_->good.contains(digest)) return Login::kGood;
    if (impl_->waiting.size() >= kMaxWaiting) return Login::kBusy;
    impl_->waiting.push_back(
        {ticket, known, hash, std::move(login->password), std::move(digest)});
  }
  if (!impl_->thread.joinable()) {
    impl_->thread =
        std::jthread([this](const std::stop_token& stop) { impl_->Run(stop); });
  }
  impl_->changed.notify_one();
  return Login::kPending;
}

std::vector<std::pair<uint64_t, bool>> BasicAuth::Finished() {
  const std::lock_guard guard(impl_->mutex);
  return std::exchange(impl_->finished, {});
}

}  // namespace kem
