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
#include "testing/saved_ledger.h"

namespace kem {
namespace {

// Small, so that a small ledger has several.
constexpr size_t kPiece = 1000;

void FuzzLedger(std::string_view bytes) {
  const auto ledger = Loaded(bytes);
  if (!ledger) return;
  const std::string saved = Saved(*ledger, kPiece);
  const auto again = Loaded(saved);
  Require(again != nullptr, "a saved ledger can be loaded");
  Require(Saved(*again, kPiece) == saved, "and is the same");
  again->Resume({}, {"", "shop"}, std::chrono::hours(1), Moment());
}

void FuzzSteps(std::string_view steps) {
  SeriesOptions options;
  options.max_series = 3;
  Ledger ledger(options, Hasher(Hasher::Secret{}));
  ledger.FindCollection("");
  ledger.FindCollection("shop");
  if (!Replay(steps, ledger)) return;
  Require(Loaded(Saved(ledger, kPiece)) != nullptr, "the result can be saved");
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
