// A value, or the Error that explains why there is none. Returned by every call
// that can fail; ignoring one does not compile. The interface is a part of
// std::expected's, which gcc 12 and clang 14 lack, so that it can replace this
// class later.
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

// Return {} for success.
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
