#include "state/state_files.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace kem {
namespace {

constexpr uint32_t kVersion = 3;
// Magic, version, digest.
constexpr size_t kMagicBytes = 8;
constexpr size_t kHeadBytes = kMagicBytes + 4 + 8;
// Size, checksum.
constexpr size_t kBatchHeadBytes = 4 + 8;

std::string_view Magic(StateFile kind) {
  return kind == StateFile::kSnapshot ? "KEMSTATE" : "KEMSTEPS";
}

Error Unusable(const std::string& path, const std::string& why) {
  return Error{ErrorCode::kMalformed, path + " " + why};
}

}  // namespace

uint64_t DigestAfter(uint64_t before, std::string_view batch) {
  return Checksum(batch, before);
}

Result<BatchWriter> BatchWriter::Create(FileSystem& files,
                                        const std::string& path, StateFile kind,
                                        uint64_t after) {
  Result<std::unique_ptr<WritableFile>> file = files.Create(path);
  if (!file) return file.error();
  std::string head;
  ByteWriter to(head);
  to.Raw(Magic(kind));
  to.Integer<uint32_t>(kVersion);
  to.Integer<uint64_t>(after);
  if (const auto wrote = (*file)->Write(0, head); !wrote) return wrote.error();
  return BatchWriter(std::move(*file), head.size(), after);
}

Result<void> BatchWriter::Write(std::string_view batch) {
  const uint64_t digest = DigestAfter(digest_, batch);
  std::string bytes;
  bytes.reserve(kBatchHeadBytes + batch.size());
  ByteWriter to(bytes);
  to.Integer<uint32_t>(static_cast<uint32_t>(batch.size()));
  to.Integer<uint64_t>(digest);
  to.Raw(batch);
  if (Result<void> wrote = file_->Write(size_, bytes); !wrote) return wrote;
  size_ += bytes.size();
  digest_ = digest;
  return {};
}

Result<BatchReader> BatchReader::Open(FileSystem& files,
                                      const std::string& path, StateFile kind) {
  Result<std::unique_ptr<ReadableFile>> file = files.Open(path);
  if (!file) return file.error();
  if (*file == nullptr) {
    return Error{ErrorCode::kNotFound, path + " does not exist"};
  }
  const Result<std::string> head = (*file)->Read(0, kHeadBytes);
  if (!head) return head.error();
  if (!head->starts_with(Magic(kind))) {
    return Unusable(path, "is not a state of kube-event-metrics");
  }
  ByteReader from(std::string_view(*head).substr(kMagicBytes));
  const auto version = from.Integer<uint32_t>();
  if (from.ok() && version != kVersion) {
    return Unusable(path, std::string("is of ") +
                              (version > kVersion ? "a newer" : "an older") +
                              " kube-event-metrics (format " +
                              std::to_string(version) + ", known is " +
                              std::to_string(kVersion) + ")");
  }
  const auto after = from.Integer<uint64_t>();
  if (!from.ok()) {
    return Unusable(path, "is cut off: it has " +
                              std::to_string((*file)->size()) + " bytes");
  }
  return BatchReader(std::move(*file), after);
}

BatchReader::BatchReader(std::unique_ptr<ReadableFile> file, uint64_t after)
    : file_(std::move(file)),
      after_(after),
      digest_(after),
      offset_(kHeadBytes) {}

Result<BatchReader::Next> BatchReader::Read(std::string& batch) {
  const Result<std::string> head = file_->Read(offset_, kBatchHeadBytes);
  if (!head) return head.error();
  ByteReader from(*head);
  const auto size = from.Integer<uint32_t>();
  const auto digest = from.Integer<uint64_t>();
  if (!from.ok() || size > left() - kBatchHeadBytes) return Next::kCut;
  Result<std::string> bytes = file_->Read(offset_ + kBatchHeadBytes, size);
  if (!bytes) return bytes.error();
  if (bytes->size() != size || DigestAfter(digest_, *bytes) != digest) {
    return Next::kDamaged;
  }
  batch = std::move(*bytes);
  digest_ = digest;
  offset_ += kBatchHeadBytes + size;
  return size == 0 ? Next::kEnd : Next::kBatch;
}

std::string MarkerPath(const std::string& path) { return path + ".complete"; }

std::string JournalPath(const std::string& path, uint64_t number) {
  return path + ".journal-" + std::to_string(number);
}

}  // namespace kem
