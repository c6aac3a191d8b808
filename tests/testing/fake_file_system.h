// A FileSystem in memory that keeps what is durable apart from what is only
// written. Any call can fail, with or without its effect, and a crash can be
// played: of the process, after which everything written is there, or of the
// power, after which only what was synced is certain. Used by tests of state/.
// Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"

namespace kem {

class FakeFileSystem : public FileSystem {
 public:
  // What is left after a crash.
  enum class Crash {
    kProcess,       // everything written
    kPower,         // what was synced
    kNamesOnly,     // names as written, content as synced
    kContentOnly,   // names as synced, content as written
    kRemovalsOnly,  // as kPower, but files that were removed are gone
  };
  static constexpr Crash kCrashes[] = {Crash::kProcess, Crash::kPower,
                                       Crash::kNamesOnly, Crash::kContentOnly,
                                       Crash::kRemovalsOnly};

  // The numbers of the calls that fail, counted from 0; Remove counts too.
  std::set<int> failing;
  // Whether they fail after their effect, as over a network.
  bool effect_of_failures = false;
  int calls = 0;
  // Called first in each call.
  std::function<void(const std::string& path)> before_call =
      [](const std::string&) {};

  // The disk that a process finds after this crash. Its calls succeed.
  std::unique_ptr<FakeFileSystem> After(Crash crash) const {
    auto found = std::make_unique<FakeFileSystem>();
    const bool names = crash == Crash::kProcess || crash == Crash::kNamesOnly;
    const bool content =
        crash == Crash::kProcess || crash == Crash::kContentOnly;
    std::map<const Content*, std::shared_ptr<Content>> copies;
    for (const auto& [path, file] : names ? names_ : durable_names_) {
      if (crash == Crash::kRemovalsOnly && !names_.contains(path)) continue;
      std::shared_ptr<Content>& copy = copies[file.get()];
      if (!copy) copy = std::make_shared<Content>();
      copy->written = content ? file->written : file->durable;
      copy->durable = copy->written;
      found->names_[path] = copy;
    }
    found->durable_names_ = found->names_;
    return found;
  }

  std::string Bytes(const std::string& path) const {
    const auto found = names_.find(path);
    return found == names_.end() ? "" : found->second->written;
  }
  void Put(const std::string& path, std::string bytes) {
    auto& file = names_[path] = std::make_shared<Content>();
    file->durable = file->written = std::move(bytes);
    durable_names_[path] = file;
  }
  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const auto& [path, file] : names_) paths.push_back(path);
    return paths;
  }

  Result<std::unique_ptr<WritableFile>> Create(
      const std::string& path) override {
    const bool fails = Fails(path);
    if (!fails || effect_of_failures) {
      std::shared_ptr<Content>& file = names_[path];
      if (!file) file = std::make_shared<Content>();
      file->Truncate();
    }
    if (fails) return Failure("write", path);
    return std::unique_ptr<WritableFile>(
        std::make_unique<Writer>(*this, path, names_[path]));
  }

  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    if (Fails(path)) return Failure("read", path);
    const auto found = names_.find(path);
    if (found == names_.end()) return std::unique_ptr<ReadableFile>();
    return std::unique_ptr<ReadableFile>(
        std::make_unique<Reader>(*this, path, found->second->written));
  }

  Result<void> Rename(const std::string& from, const std::string& to) override {
    const bool fails = Fails(from);
    if ((!fails || effect_of_failures) && names_.contains(from)) {
      names_[to] = names_[from];
      names_.erase(from);
    }
    if (fails) return Failure("rename", from);
    return {};
  }

  Result<void> Remove(const std::string& path) override {
    const bool fails = Fails(path);
    if (!fails || effect_of_failures) names_.erase(path);
    if (fails) return Failure("remove", path);
    return {};
  }

  Result<std::vector<std::string>> List(const std::string& folder) override {
    if (Fails(folder)) return Failure("list", folder);
    std::vector<std::string> found;
    for (const auto& [path, file] : names_) {
      if (FolderOf(path) != folder) continue;
      found.push_back(path.substr(path.rfind('/') + 1));
    }
    return found;
  }

  Result<void> SyncFile(const std::string& path) override {
    const bool fails = Fails(path);
    const auto found = names_.find(path);
    if (found != names_.end()) {
      found->second->Sync(!fails || effect_of_failures);
    }
    if (fails || found == names_.end()) return Failure("sync", path);
    return {};
  }

  Result<void> SyncFolder(const std::string& folder) override {
    const bool fails = Fails(folder);
    if (!fails || effect_of_failures) durable_names_ = names_;
    if (fails) return Failure("sync", folder);
    return {};
  }

  Result<void> CheckFolder(const std::string& folder) override {
    if (Fails(folder)) return Failure("write to", folder);
    return {};
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    if (Fails(path)) return Failure("lock", path);
    return std::unique_ptr<FileLock>(std::make_unique<FileLock>());
  }

 private:
  struct Content {
    std::string written;
    std::string durable;
    // Since the last sync, whether it succeeded or not: a failed sync drops
    // them, and no later one makes them durable.
    std::vector<std::pair<uint64_t, std::string>> unsynced;
    bool truncated = false;

    void Truncate() {
      written.clear();
      unsynced.clear();
      truncated = true;
    }
    static void Apply(uint64_t offset, std::string_view bytes,
                      std::string& to) {
      if (to.size() < offset + bytes.size()) to.resize(offset + bytes.size());
      to.replace(offset, bytes.size(), bytes);
    }
    void Write(uint64_t offset, std::string_view bytes) {
      Apply(offset, bytes, written);
      unsynced.emplace_back(offset, bytes);
    }
    void Sync(bool durably) {
      if (durably) {
        if (truncated) durable.clear();
        for (const auto& [offset, bytes] : unsynced) {
          Apply(offset, bytes, durable);
        }
        truncated = false;
      }
      unsynced.clear();
    }
  };

  class Writer : public WritableFile {
   public:
    Writer(FakeFileSystem& files, std::string path,
           std::shared_ptr<Content> content)
        : files_(files), path_(std::move(path)), content_(std::move(content)) {}

    Result<void> Write(uint64_t offset, std::string_view bytes) override {
      if (!files_.Fails(path_)) {
        content_->Write(offset, bytes);
        return {};
      }
      content_->Write(offset, files_.effect_of_failures
                                  ? bytes
                                  : bytes.substr(0, bytes.size() / 2));
      return Failure("write", path_);
    }
    Result<void> Sync() override {
      if (!files_.Fails(path_)) {
        content_->Sync(/*durably=*/true);
        return {};
      }
      content_->Sync(files_.effect_of_failures);
      return Failure("sync", path_);
    }
    void WriteBack(uint64_t /*offset*/, uint64_t /*size*/) override {}

   private:
    FakeFileSystem& files_;
    const std::string path_;
    const std::shared_ptr<Content> content_;
  };

  class Reader : public ReadableFile {
   public:
    Reader(FakeFileSystem& files, std::string path, std::string bytes)
        : files_(files), path_(std::move(path)), bytes_(std::move(bytes)) {}

    uint64_t size() const override { return bytes_.size(); }
    Result<std::string> Read(uint64_t offset, size_t size) override {
      if (files_.Fails(path_)) return Failure("read", path_);
      return offset > bytes_.size() ? std::string()
                                    : bytes_.substr(offset, size);
    }

   private:
    FakeFileSystem& files_;
    const std::string path_;
    const std::string bytes_;
  };

  static Error Failure(std::string_view what, const std::string& path) {
    return Error{ErrorCode::kInternal,
                 "cannot " + std::string(what) + " " + path + ": it is broken"};
  }
  bool Fails(const std::string& path) {
    before_call(path);
    return failing.contains(calls++);
  }

  std::map<std::string, std::shared_ptr<Content>> names_;
  std::map<std::string, std::shared_ptr<Content>> durable_names_;
};

}  // namespace kem
