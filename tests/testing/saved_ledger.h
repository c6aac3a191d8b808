// A ledger as bytes, which are the same for the same state, and a ledger of
// such bytes. Used by the unit tests and the fuzzer of the state. The exporter
// writes pieces instead.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/ledger.h"
#include "testing/whole_save.h"

namespace kem {

// The bytes of a ledger.
inline std::string Saved(Ledger& ledger, size_t piece_size = 4096) {
  std::vector<std::string> texts = {ledger.BeginSave()};
  while (true) {
    std::string piece;
    ledger.SavePiece(piece_size, piece);
    if (piece.empty()) break;
    texts.push_back(std::move(piece));
  }
  const Leftovers left = ledger.EndSave();
  return Joined(texts);
}

// The ledger of these bytes, or null.
inline std::unique_ptr<Ledger> Loaded(std::string_view saved) {
  std::unique_ptr<Ledger> ledger;
  const bool whole = Split(saved, [&](uint32_t i, std::string_view text) {
    if (i > 0) return ledger->LoadPiece(text);
    ledger = Ledger::Load(text);
    return ledger != nullptr;
  });
  return whole && ledger->FinishLoad() ? std::move(ledger) : nullptr;
}

}  // namespace kem
