// Saves a part of the state as one text, and loads it: an EventTracker, a
// SeriesTable, an Outbox or a Ledger's parts together. Used by unit tests and
// fuzzers; the exporter writes pieces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/piecewise_save.h"

namespace kem {

// The number of texts, then each behind its length.
inline std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  ByteWriter to(all);
  to.Integer<uint32_t>(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) to.Text(text);
  return all;
}

// False when `take` is, or the bytes are not Joined's.
template <typename Take>
bool Split(std::string_view joined, const Take& take) {
  ByteReader from(joined);
  const auto count = from.Integer<uint32_t>();
  for (uint32_t i = 0; i < count && from.ok(); ++i) {
    const std::string_view text = from.Text();
    if (from.ok() && !take(i, text)) return false;
  }
  return from.Done() && count > 0;
}

template <typename Part>
std::string SaveWhole(Part& part, size_t piece_size = 4096) {
  std::vector<std::string> texts(1);
  ByteWriter head(texts[0]);
  part.BeginSave(head);
  bool more = true;
  while (more) {
    std::string piece;
    more = part.SavePiece(piece_size, piece);
    texts.push_back(piece);
  }
  Leftovers left;
  part.EndSave(left);
  return Joined(texts);
}

// `more` are further arguments of LoadPiece.
template <typename Part, typename... More>
bool LoadWhole(Part& part, std::string_view bytes, const More&... more) {
  const bool loaded = Split(bytes, [&](uint32_t i, std::string_view text) {
    ByteReader from(text);
    return i == 0 ? part.LoadHead(from) && from.Done()
                  : part.LoadPiece(from, more...);
  });
  if constexpr (std::is_void_v<decltype(part.FinishLoad())>) {
    if (loaded) part.FinishLoad();
    return loaded;
  } else {
    return loaded && part.FinishLoad();
  }
}

}  // namespace kem
