// The text of an input whose encoding only its first bytes reveal: UTF-8, or
// UTF-16 as PowerShell's > writes it. Used by OfflineReader. Does not judge the
// text.
#pragma once

#include <string>
#include <string_view>

namespace kem {

// Not thread-safe.
class InputText {
 public:
  // The text of the next piece as UTF-8, without the byte order mark. Keeps up
  // to three bytes for the next call. What is not UTF-16 becomes U+FFFD; UTF-8
  // is passed on as it is. Valid until the next call, and as long as `bytes`.
  std::string_view Decode(std::string_view bytes);

  // What Decode kept, at the end of the input.
  std::string_view Finish();

 private:
  enum class Form { kUnknown, kUtf8, kUtf16 };

  bool FindForm();
  void DecodeUtf16(std::string_view bytes);
  void AddUnit(char32_t unit);
  void FlushHigh();

  Form form_ = Form::kUnknown;
  bool big_endian_ = false;
  std::string kept_;   // bytes without a decision, or half a unit
  char32_t high_ = 0;  // a surrogate that waits for its second half
  std::string text_;
};

}  // namespace kem
