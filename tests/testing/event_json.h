// Events as JSON, in the form a real API server sends them, for tests of code
// that decodes and counts them. Fields are JSON text, so that a test can use
// any JSON, valid or not.
#pragma once

#include <string>
#include <string_view>

#include "reflector/object_handler.h"

namespace kem {

// JSON with the padding that decoders require.
class PaddedJson {
 public:
  explicit PaddedJson(std::string_view json) : text_(json), size_(json.size()) {
    text_.append(kJsonPadding, ' ');
  }
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::string text_;
  size_t size_;
};

// A core/v1 Event about worker-1, reported by the node controller. Change its
// members to change fields.
struct EventJson {
  std::string name = "worker-1.18eaa4ad72eb93c4";
  std::string event_namespace = "default";
  std::string uid = "0282914d-e6ad-44c8-8297-55618d994951";
  std::string version = "235";
  std::string involved =
      R"({"kind":"Node","name":"worker-1","uid":"3c3b","apiVersion":"v1"})";
  std::string reason = R"("NodeNotReady")";
  std::string type = R"("Normal")";
  std::string message = R"("Node worker-1 status is now: NodeNotReady")";
  std::string source = R"({"component":"node-controller"})";
  std::string first = R"("2026-11-23T10:07:46Z")";
  std::string last = R"("2026-11-23T10:07:46Z")";
  std::string event_time = "null";
  std::string count = "1";
  std::string controller = R"("node-controller")";
  // More fields, each after a comma.
  std::string more = "";

  std::string Object() const {
    return R"({"kind":"Event","apiVersion":"v1","metadata":{"name":")" + name +
           R"(","namespace":")" + event_namespace + R"(","uid":")" + uid +
           R"(","resourceVersion":")" + version +
           R"(","creationTimestamp":"2026-11-23T10:07:46Z","managedFields":[)"
           R"({"manager":"kcm","fieldsV1":{"f:count":{},"f:reason":{},)"
           R"("f:source":{"f:component":{}}}}]},"involvedObject":)" +
           involved + R"(,"reason":)" + reason + R"(,"message":)" + message +
           R"(,"source":)" + source + R"(,"firstTimestamp":)" + first +
           R"(,"lastTimestamp":)" + last + R"(,"count":)" + count +
           R"(,"type":)" + type + R"(,"eventTime":)" + event_time +
           R"(,"reportingComponent":)" + controller +
           R"(,"reportingInstance":"")" + more + "}";
  }
  std::string Frame(std::string_view frame_type = "ADDED") const {
    return R"({"type":")" + std::string(frame_type) + R"(","object":)" +
           Object() + "}";
  }
};

}  // namespace kem
