// The binary encoding of saved state: little-endian integers, and texts after
// their length. Used by all classes that save and load their state. Files,
// versions and checksums are the job of state/.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/clock.h"

namespace kem {

// Appends to a string that it does not own and that must outlive it.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  // T sets the size in the file, so it must be explicit: Integer<uint32_t>(n).
  template <std::integral T>
  void Integer(std::type_identity_t<T> value) {
    const auto bits = static_cast<std::make_unsigned_t<T>>(value);
    std::array<char, sizeof(T)> bytes;
    for (size_t i = 0; i < sizeof(T); ++i) {
      bytes[i] = static_cast<char>(bits >> 8 * i & 0xff);
    }
    out_.append(bytes.data(), bytes.size());
  }
  void Time(WallTime time) {
    Integer<int64_t>(time.time_since_epoch().count());
  }
  void Time(SteadyTime time) {
    Integer<int64_t>(time.time_since_epoch().count());
  }
  void Flag(bool value) { Integer<uint8_t>(value ? 1 : 0); }
  // At most 4 GiB.
  void Text(std::string_view text) {
    Integer<uint32_t>(static_cast<uint32_t>(text.size()));
    Raw(text);
  }
  // Without a length, which the reader must know.
  void Raw(std::string_view bytes) { out_.append(bytes); }

 private:
  std::string& out_;
};

// Times beyond this, on either side, are not read.
inline constexpr int64_t kMaxTime = int64_t{1} << 61;

// A time that was read, moved: still one that can be read.
inline SteadyTime Shifted(SteadyTime time, std::chrono::nanoseconds shift) {
  int64_t count = 0;
  if (__builtin_add_overflow(time.time_since_epoch().count(), shift.count(),
                             &count)) {
    count = shift.count() < 0 ? -kMaxTime : kMaxTime;
  }
  return SteadyTime(
      std::chrono::nanoseconds(std::clamp(count, -kMaxTime, kMaxTime)));
}

// Reads the output of a ByteWriter from untrusted bytes. After the first
// failure ok() is false and every read returns 0, false or an empty text. So
// one check at the end is enough, but a loop must check before it trusts a
// count.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}

  template <std::integral T>
  T Integer() {
    std::make_unsigned_t<T> bits = 0;
    const std::string_view bytes = Raw(sizeof(T));
    for (size_t i = 0; i < bytes.size(); ++i) {
      const auto byte = static_cast<unsigned char>(bytes[i]);
      bits = static_cast<decltype(bits)>(bits | decltype(bits){byte} << 8 * i);
    }
    return static_cast<T>(bits);
  }
  // Anything but 0 and 1 is a failure.
  bool Flag() {
    const auto value = Integer<uint8_t>();
    if (value > 1) Fail();
    return value == 1;
  }
  // Fail when the difference of two such times could overflow; 73 years of
  // nanoseconds are allowed.
  WallTime Wall() { return WallTime(std::chrono::microseconds(Time())); }
  SteadyTime Steady() { return SteadyTime(std::chrono::nanoseconds(Time())); }
  // The views point into the bytes.
  std::string_view Text() { return Raw(Integer<uint32_t>()); }
  std::string_view Raw(size_t size) {
    if (size > left_.size()) {
      Fail();
      return {};
    }
    const std::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }

  // Marks values that cannot be right as a failure.
  void Fail() {
    ok_ = false;
    left_ = {};
  }
  bool ok() const { return ok_; }
  // All reads succeeded, and nothing is left.
  bool Done() const { return ok_ && left_.empty(); }
  // The bytes left: an upper bound for any count read from them.
  size_t left() const { return left_.size(); }

 private:
  int64_t Time() {
    const auto time = Integer<int64_t>();
    if (time <= kMaxTime && time >= -kMaxTime) return time;
    Fail();
    return 0;
  }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace kem
