// Any answer of a collector can be read, and any text of an Event is a valid
// text of a request.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/fuzzing.h"
#include "sinks/otlp_encoder.h"
#include "unit/sinks/otlp_decoder.h"

namespace {

void Check(kem::OtlpEncoding encoding, std::string_view text) {
  const auto encoder = kem::MakeOtlpEncoder(encoding, {});
  encoder->Read(text, true);
  encoder->Read(text, false);
  kem::Occurrence one;
  one.message = text;
  one.reason = one.object_name = text.substr(0, text.size() / 2);
  const std::string body = kem::OtlpRequest(*encoder, std::span(&one, 1));
  const nlohmann::json request = encoding == kem::OtlpEncoding::kJson
                                     ? nlohmann::json::parse(body)
                                     : kem::OtlpDecoder::Request(body);
  const std::string shown = request.dump();  // throws if it is not UTF-8
  kem::Require(shown.find("\"unknown\":") == std::string::npos,
               "a request has only known fields");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(kem::OtlpEncoding::kProtobuf, text);
  Check(kem::OtlpEncoding::kJson, text);
  return 0;
}
