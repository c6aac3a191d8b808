// The figures of the history, for a cluster with ten cluster-scoped Events a
// minute: size of the file for 14 days, CPU time of an occurrence, time of a
// question, memory.
//
//   cmake --build build/release --target history_figures
//   build/release/tests/bench/history_figures FOLDER
//
// Never fails because of a time.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "history/history_file.h"
#include "history/history_reader.h"

namespace {

using kem::EventQuery;
using kem::Occurrence;
using kem::WallTime;

constexpr int kEvents = 14 * 24 * 60 * 10;
constexpr int kNodes = 100;
constexpr int kVolumes = 1000;
constexpr int kQuestions = 2000;
constexpr size_t kBatch = 50;

class MovingClock : public kem::RealClock {
 public:
  WallTime WallNow() const override { return now; }
  kem::SteadyTime SteadyNow() const override {
    return kem::SteadyTime(now.time_since_epoch());
  }
  WallTime now{std::chrono::seconds(1795435200)};
};

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long ResidentKilobytes() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  return 0;
}

struct Sample {
  const char* reason;
  const char* type;
  const char* component;
  const char* message;  // "@" is the object's name
};
constexpr std::array kSamples = {
    Sample{"NodeNotReady", "Normal", "node-controller",
           "Node @ status is now: NodeNotReady"},
    Sample{"Rebooted", "Warning", "kubelet",
           "Node @ has been rebooted, boot id: "
           "7d9f7b0a-2c2e-4c5b-9f6a-1a2b3c4d5e6f"},
    Sample{"NodeHasDiskPressure", "Normal", "kubelet",
           "Node @ status is now: NodeHasDiskPressure"},
    Sample{"FreeDiskSpaceFailed", "Warning", "kubelet",
           "Failed to garbage collect required amount of images. Attempted to "
           "free 1342177280 bytes, but only found 0 bytes eligible to free."},
    Sample{"VolumeFailedDelete", "Warning", "persistentvolume-controller",
           "rpc error: code = Internal desc = Could not delete volume @: "
           "VolumeInUse: Volume is currently attached to i-0abcd1234ef56789"}};

class Cluster {
 public:
  std::string Hex(int digits) {
    std::string text;
    for (int i = 0; i < digits; ++i) text += "0123456789abcdef"[dice_() % 16];
    return text;
  }
  std::string Uid() {
    return Hex(8) + "-" + Hex(4) + "-" + Hex(4) + "-" + Hex(4) + "-" + Hex(12);
  }
  size_t Below(size_t count) { return dice_() % count; }
  Cluster() {
    for (int i = 0; i < kNodes; ++i) {
      objects.push_back("worker-" + std::to_string(i) +
                        ".eu-central-1.compute.internal");
      uids.push_back(Uid());
    }
    for (int i = 0; i < kVolumes; ++i) {
      objects.push_back("pvc-" + Uid());
      uids.push_back(Uid());
    }
  }
  std::vector<std::string> objects;  // nodes, then volumes
  std::vector<std::string> uids;

 private:
  std::mt19937 dice_{17};
};

void Fill(Cluster& cluster, kem::HistoryFile& file, MovingClock& clock) {
  const double before = CpuSeconds();
  double slowest = 0;
  for (int first = 0; first < kEvents; first += static_cast<int>(kBatch)) {
    std::vector<std::string> texts(kBatch * 3);
    std::vector<Occurrence> batch(kBatch);
    for (size_t i = 0; i < kBatch; ++i) {
      const Sample& sample = kSamples[cluster.Below(kSamples.size())];
      const bool volume = &sample == &kSamples.back();
      const size_t object =
          volume ? kNodes + cluster.Below(kVolumes) : cluster.Below(kNodes);
      std::string* const text = &texts[3 * i];
      Occurrence& one = batch[i];
      one.uid = text[0] = cluster.Uid();
      one.event_namespace = "default";
      one.name = text[1] = cluster.objects[object] + "." + cluster.Hex(16);
      text[2] = sample.message;
      if (const size_t at = text[2].find('@'); at != std::string::npos) {
        text[2].replace(at, 1, cluster.objects[object]);
      }
      one.message = text[2];
      one.api_version = "v1";
      one.kind = volume ? "PersistentVolume" : "Node";
      one.object_name = cluster.objects[object];
      one.object_uid = cluster.uids[object];
      one.reason = sample.reason;
      one.type = sample.type;
      one.reporting_component = sample.component;
      one.resource_version = static_cast<uint64_t>(first) * 10 + i;
      one.first_seen = one.occurred_at = clock.now;
    }
    const double start = CpuSeconds();
    if (const auto added = file.Append(batch); !added) {
      std::printf("%s\n", added.error().message.c_str());
      std::exit(1);
    }
    slowest = std::max(slowest, CpuSeconds() - start);
    clock.now += std::chrono::seconds(6 * kBatch);
  }
  std::printf(
      "add an occurrence       %8.1f us of CPU, in batches of %zu; "
      "slowest batch %.0f ms\n",
      (CpuSeconds() - before) / kEvents * 1e6, kBatch, slowest * 1e3);
}

void AskMany(Cluster& cluster, kem::HistoryReader& reader,
             const MovingClock& clock) {
  const std::array<const char*, 6> words = {"node",   "rebooted", "garbage",
                                            "worker", "found",    "zzz"};
  std::vector<double> times;
  double worst_of[8] = {};
  int refused = 0;
  for (int i = 0; i < kQuestions; ++i) {
    EventQuery query;
    const size_t which = cluster.Below(8);
    const Sample& sample = kSamples[cluster.Below(kSamples.size())];
    if (which == 1) query.name = cluster.objects[cluster.Below(1100)];
    if (which == 2) query.reason = sample.reason;
    if (which == 3) query.words = {words[cluster.Below(words.size())]};
    if (which == 4) {
      query.since = clock.now - std::chrono::hours(cluster.Below(300) + 2);
      query.until = *query.since + std::chrono::hours(1);
    }
    if (which == 5) query.words = {cluster.objects[cluster.Below(100)]};
    if (which == 6) query.type = "Warning";
    // CPU time, because other work on the machine only adds to the rest; the
    // pages are in the system's cache.
    const double start = CpuSeconds();
    const bool found = which == 7 ? bool{reader.FindObjects(query, {})}
                                  : bool{reader.FindEvents(query, {})};
    const double taken = (CpuSeconds() - start) * 1e3;
    times.push_back(taken);
    worst_of[which] = std::max(worst_of[which], taken);
    refused += found ? 0 : 1;
  }
  std::sort(times.begin(), times.end());
  std::printf(
      "a question              p50 %.1f ms, p99 %.1f ms, worst %.1f ms; "
      "%d of %d refused\n",
      times[times.size() / 2], times[times.size() * 99 / 100], times.back(),
      refused, kQuestions);
  std::printf(
      "  worst of: all %.1f, object %.1f, reason %.1f, word %.1f, hour "
      "%.1f, name as words %.1f, type %.1f, objects %.1f ms\n",
      worst_of[0], worst_of[1], worst_of[2], worst_of[3], worst_of[4],
      worst_of[5], worst_of[6], worst_of[7]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path =
      std::string(argc > 1 ? argv[1] : ".") + "/history-figures.db";
  for (const char* end : {"", "-wal", "-shm"}) {
    std::filesystem::remove(path + end);
  }
  Cluster cluster;
  MovingClock clock;
  kem::HistoryStatus status;
  const long before = ResidentKilobytes();
  {
    kem::HistoryFile file(path, {}, clock, status);
    Fill(cluster, file, clock);
    const kem::RealClock real;  // for the limit of a question
    kem::HistoryReader reader(path, real, status);
    const long after_writing = ResidentKilobytes();
    std::printf("file and WAL            %.1f MB for %zu Events\n",
                static_cast<double>(status.Report().bytes) / 1e6,
                static_cast<size_t>(status.Report().events));
    AskMany(cluster, reader, clock);
    std::printf(
        "memory                  %.1f MiB of the writer, %.1f MiB with "
        "a reader\n",
        static_cast<double>(after_writing - before) / 1024,
        static_cast<double>(ResidentKilobytes() - before) / 1024);
    // Full: as much is removed as is added.
    clock.now = WallTime(std::chrono::seconds(1795435200)) +
                std::chrono::hours(14 * 24);
    std::printf("the same, while as many are removed\n");
    Fill(cluster, file, clock);
  }
  std::printf("file                    %.1f MB for %zu Events\n",
              static_cast<double>(std::filesystem::file_size(path)) / 1e6,
              static_cast<size_t>(status.Report().events));
  return 0;
}
