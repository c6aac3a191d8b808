// Any bytes as a snapshot's ledger and a journal's steps, after their
// checksums, do no harm, and a ledger that was loaded can be saved and loaded
// again.

#include "fuzz/fuzzing.h"
#include "state/ledger.h"
#include "state/ledger_log.h"

namespace kem {
namespace {

void FuzzLedger(std::string_view bytes) {
  const auto ledger = Ledger::Load(bytes, std::chrono::hours(1));
  if (!ledger) return;
  std::string saved;
  ledger->Save(saved);
  const auto again = Ledger::Load(saved, {});
  Require(again != nullptr, "a saved ledger can be loaded");
  std::string twice;
  again->Save(twice);
  Require(twice.size() == saved.size(), "and is the same");
  again->SetOptions({});
}

void FuzzSteps(std::string_view steps) {
  SeriesOptions options;
  options.max_series = 3;
  Ledger ledger(options, Hasher(Hasher::Secret{}));
  ledger.FindCollection("");
  ledger.FindCollection("shop");
  if (!Replay(steps, {}, ledger)) return;
  std::string saved;
  ledger.Save(saved);
  Require(Ledger::Load(saved, {}) != nullptr, "the result can be saved");
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
