#include "config/listen_address.h"

#include <charconv>

namespace kem {

Result<ListenAddress> ParseListenAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  ListenAddress parsed;
  if (colon != std::string::npos) {
    parsed.host = text.substr(0, colon);
    const char* end = text.data() + text.size();
    const auto [stop, error] =
        std::from_chars(text.data() + colon + 1, end, parsed.port);
    const bool bracketed = parsed.host.size() > 2 &&
                           parsed.host.front() == '[' &&
                           parsed.host.back() == ']';
    if (bracketed) parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
    if (error == std::errc() && stop == end && parsed.port >= 0 &&
        parsed.port <= 65535 &&
        (bracketed || parsed.host.find(':') == std::string::npos)) {
      return parsed;
    }
  }
  return Error{
      ErrorCode::kInvalidConfig,
      "\"" + text + "\" must be host:port, such as :9953 or 127.0.0.1:9953"};
}

}  // namespace kem
