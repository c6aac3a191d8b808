// A value or the Error that explains why there is none. Used by every call of
// ours that can fail; the names are std::expected's (which gcc 12 and clang 14
// do not share), so that this file can become an alias one day. Dropping a
// Result is a compiler warning, and so an error.
#pragma once

#include <cassert>
#include <utility>
#include <variant>

#include "base/error.h"

namespace kem {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}

  bool has_value() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return has_value(); }

  // Requires has_value().
  T& value() {
    assert(has_value());
    return *std::get_if<T>(&state_);
  }
  const T& value() const {
    assert(has_value());
    return *std::get_if<T>(&state_);
  }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Requires !has_value().
  const Error& error() const {
    assert(!has_value());
    return *std::get_if<Error>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

// Success has nothing to say: return Result<void>() or {}.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), failed_(true) {}

  bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }

  // Requires !has_value().
  const Error& error() const {
    assert(failed_);
    return error_;
  }

 private:
  Error error_;
  bool failed_ = false;
};

}  // namespace kem
