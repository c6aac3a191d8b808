// Text from outside, safe to show in a terminal, a log or an error. Control
// characters, invisible ones and those that change the direction of text can
// hide or disguise what is beside them. Used wherever such text is logged,
// quoted or shown; page/page_text.h adds the escapes of HTML. Label values and
// what sinks send to others stay as they are.
// Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace kem {

// Whether Unicode gives the character no shape: controls, format characters,
// line separators, tags. Not the joiners U+200C and U+200D, which some scripts
// and emoji need.
bool IsHidden(char32_t code);

// "[U+202E]".
std::string CodePointName(char32_t code);

// `text` as part of one sentence. A space replaces each ASCII control
// character, CodePointName any other hidden one, U+FFFD what is not UTF-8.
// Log lines do not need this.
std::string OneLine(std::string_view text);

// `json` is serialized and valid UTF-8. Its hidden characters become \u
// escapes, which only strings may contain, so the value stays the same.
std::string EscapeHiddenInJson(std::string json);

}  // namespace kem
