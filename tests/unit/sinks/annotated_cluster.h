// An API server with a few kinds and scripted answers, and a memory in a map,
// for the tests of AnnotateSink and AnnotationTable. Plays no faults of the
// network but "unreachable". Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "net/http_transport.h"
#include "sinks/sink.h"
#include "testing/scripted_transport.h"

namespace kem {

// Serves Nodes, PersistentVolumes and two kinds of one name. Keeps all requests
// but those for discovery.
class ApiServer : public HttpTransport {
 public:
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token) override {
    std::string body;
    int status = 200;
    if (request.path == "/api" || request.path == "/apis") {
      ++discoveries;
      if (!discovery_works) return {HttpEnd::kUnreachable, "unreachable"};
      body = Discovery(request.path);
    } else {
      requests.push_back(request);
      std::tie(status, body) = Answer(request);
      if (status == 0) return {HttpEnd::kUnreachable, "unreachable"};
    }
    handler.OnHead({status, {}, {}});
    handler.OnBody(body);
    return {HttpEnd::kComplete, ""};
  }

  // For the sink; this must outlive it.
  std::unique_ptr<HttpTransport> Transport() {
    return std::make_unique<BorrowedTransport>(*this);
  }
  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const HttpRequest& one : requests) {
      paths.push_back(one.method + " " + one.path);
    }
    return paths;
  }
  nlohmann::json Body(size_t i) const {
    return nlohmann::json::parse(requests.at(i).body);
  }

  // The answer to a request that has this in method and path.
  std::vector<std::pair<std::string, std::pair<int, std::string>>> answers;
  bool discovery_works = true;
  int discoveries = 0;
  std::vector<HttpRequest> requests;

 private:
  static std::string Resource(const char* plural, const char* kind) {
    return std::string(R"({"resource":")") + plural +
           R"(","scope":"Cluster","responseKind":{"kind":")" + kind + R"("}})";
  }
  static std::string Group(const std::string& name,
                           const std::string& resources) {
    return R"({"metadata":{"name":")" + name +
           R"("},"versions":[{"version":"v1","freshness":"Current",)"
           R"("resources":[)" +
           resources + "]}]}";
  }
  static std::string Discovery(const std::string& path) {
    const std::string groups =
        path == "/api"
            ? Group("", Resource("nodes", "Node") + "," +
                            Resource("persistentvolumes", "PersistentVolume"))
            : Group("a.io", Resource("pools", "Pool")) + "," +
                  Group("b.io", Resource("pools", "Pool"));
    return R"({"kind":"APIGroupDiscoveryList","items":[)" + groups + "]}";
  }
  std::pair<int, std::string> Answer(const HttpRequest& request) const {
    for (const auto& [part, answer] : answers) {
      if ((request.method + " " + request.path).find(part) !=
          std::string::npos) {
        return answer;
      }
    }
    return {200, "{}"};
  }
};

class MapMemory : public SinkMemory {
 public:
  bool Remember(std::string_view name, std::string_view text) override {
    if (text.empty()) {
      texts.erase(std::string(name));
    } else if (full) {
      return false;
    } else {
      texts[std::string(name)] = text;
    }
    return true;
  }
  std::map<std::string, std::string> All() const override { return texts; }

  std::map<std::string, std::string> texts;
  bool full = false;
};

}  // namespace kem
