// Binary form of what is saved: integers in little-endian order, texts behind
// their length. Used by whatever saves its state and loads it again. Knows
// nothing of files, versions or checksums.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace kem {

// Appends to a string that it does not own and that must outlive it.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  // The size of T is the size in the file: name it, as in Integer<uint32_t>(n).
  template <std::integral T>
  void Integer(std::type_identity_t<T> value) {
    const auto bits = static_cast<std::make_unsigned_t<T>>(value);
    std::array<char, sizeof(T)> bytes;
    for (size_t i = 0; i < sizeof(T); ++i) {
      bytes[i] = static_cast<char>(bits >> 8 * i & 0xff);
    }
    out_.append(bytes.data(), bytes.size());
  }
  void Flag(bool value) { Integer<uint8_t>(value ? 1 : 0); }
  // At most 4 GiB.
  void Text(std::string_view text) {
    Integer<uint32_t>(static_cast<uint32_t>(text.size()));
    Raw(text);
  }
  // Without a length: the reader must know it.
  void Raw(std::string_view bytes) { out_.append(bytes); }

 private:
  std::string& out_;
};

// Reads what a ByteWriter wrote, from bytes that nobody vouches for. What is
// not there reads as 0, false or an empty text, and ok() is false from then on,
// so that one look at the end does; but loops must look before they trust a
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
  // A time's count of nanoseconds or microseconds, with `shift` added. One so
  // near the ends of its type that a difference of two could overflow is a
  // failure: 73 years of nanoseconds are allowed.
  int64_t Time(int64_t shift) {
    constexpr int64_t kMax = int64_t{1} << 61;
    int64_t time = 0;
    if (__builtin_add_overflow(Integer<int64_t>(), shift, &time) ||
        time > kMax || time < -kMax) {
      Fail();
      return 0;
    }
    return time;
  }
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

  // For what the bytes say but cannot be.
  void Fail() {
    ok_ = false;
    left_ = {};
  }
  bool ok() const { return ok_; }
  // Everything was there, and nothing is left.
  bool Done() const { return ok_ && left_.empty(); }
  // How many bytes are left: an upper bound for any count among them.
  size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace kem
