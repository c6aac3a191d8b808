#include "offline/input_text.h"

#include <utility>

#include "base/utf8.h"

namespace kem {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr char32_t kReplacement = 0xFFFD;

}  // namespace

// Whether `kept_` is enough. JSON has no NUL, so one beside the first character
// is half of a UTF-16 unit (RFC 4627, section 3).
bool InputText::FindForm() {
  if (kept_.size() < 2) return false;
  if (kept_.size() == 2 && kUtf8Mark.starts_with(kept_)) return false;
  const bool marked =
      kept_.starts_with("\xFE\xFF") || kept_.starts_with("\xFF\xFE");
  big_endian_ = kept_[0] == (marked ? '\xFE' : '\0');
  const bool wide = marked || (kept_[0] == '\0') != (kept_[1] == '\0');
  form_ = wide ? Form::kUtf16 : Form::kUtf8;
  if (marked) {
    kept_.erase(0, 2);
  } else if (kept_.starts_with(kUtf8Mark)) {
    kept_.erase(0, kUtf8Mark.size());
  }
  return true;
}

std::string_view InputText::Decode(std::string_view bytes) {
  text_.clear();
  if (form_ == Form::kUtf8) return bytes;
  if (form_ == Form::kUnknown) {
    kept_ += bytes;
    if (!FindForm()) return {};
    text_.swap(kept_);
    if (form_ == Form::kUtf8) return text_;
    const std::string begin = std::exchange(text_, std::string());
    DecodeUtf16(begin);
    return text_;
  }
  DecodeUtf16(bytes);
  return text_;
}

std::string_view InputText::Finish() {
  text_.clear();
  if (form_ == Form::kUtf16) {
    FlushHigh();
    if (!kept_.empty()) AppendUtf8(kReplacement, text_);
    kept_.clear();
  }
  text_.append(kept_);
  kept_.clear();
  return text_;
}

void InputText::DecodeUtf16(std::string_view bytes) {
  for (const char c : bytes) {
    if (kept_.empty()) {
      kept_ = c;
      continue;
    }
    const auto first = static_cast<unsigned char>(kept_.front());
    const auto second = static_cast<unsigned char>(c);
    kept_.clear();
    AddUnit(big_endian_ ? first * 256U + second : second * 256U + first);
  }
}

void InputText::AddUnit(char32_t unit) {
  if (high_ != 0 && unit >= 0xDC00 && unit <= 0xDFFF) {
    AppendUtf8(0x10000 + ((high_ - 0xD800) << 10U) + (unit - 0xDC00), text_);
    high_ = 0;
    return;
  }
  FlushHigh();
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    high_ = unit;
  } else {
    AppendUtf8(unit >= 0xDC00 && unit <= 0xDFFF ? kReplacement : unit, text_);
  }
}

void InputText::FlushHigh() {
  if (high_ != 0) AppendUtf8(kReplacement, text_);
  high_ = 0;
}

}  // namespace kem
