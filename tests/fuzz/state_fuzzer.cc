// Any bytes as a snapshot's ledger and a journal's steps, after their
// checksums, do no harm, and a ledger that was loaded can be saved and loaded
// again.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/fuzzing.h"
#include "state/ledger.h"
#include "state/ledger_log.h"
#include "testing/whole_save.h"

namespace kem {
namespace {

std::string Saved(Ledger& ledger) {
  std::vector<std::string> texts = {ledger.BeginSave()};
  while (true) {
    std::string piece = ledger.SavePiece(1000);
    if (piece.empty()) break;
    texts.push_back(std::move(piece));
  }
  ledger.EndSave();
  return Joined(texts);
}

std::unique_ptr<Ledger> Loaded(std::string_view saved) {
  std::unique_ptr<Ledger> ledger;
  const bool whole = Split(saved, [&](uint32_t i, std::string_view text) {
    if (i > 0) return ledger->LoadPiece(text);
    ledger = Ledger::Load(text);
    return ledger != nullptr;
  });
  return whole && ledger->FinishLoad() ? std::move(ledger) : nullptr;
}

void FuzzLedger(std::string_view bytes) {
  const auto ledger = Loaded(bytes);
  if (!ledger) return;
  const std::string saved = Saved(*ledger);
  const auto again = Loaded(saved);
  Require(again != nullptr, "a saved ledger can be loaded");
  Require(Saved(*again) == saved, "and is the same");
  again->Resume({}, {"", "shop"}, std::chrono::hours(1), Moment());
}

void FuzzSteps(std::string_view steps) {
  SeriesOptions options;
  options.max_series = 3;
  Ledger ledger(options, Hasher(Hasher::Secret{}));
  ledger.FindCollection("");
  ledger.FindCollection("shop");
  if (!Replay(steps, ledger)) return;
  Require(Loaded(Saved(ledger)) != nullptr, "the result can be saved");
}

}  // namespace
}  // namespace kem

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  bytes.front() == 'L' ? kem::FuzzLedger(bytes.substr(1))
                       : kem::FuzzSteps(bytes.substr(1));
  return 0;
}
