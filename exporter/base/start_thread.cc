#include "base/start_thread.h"

#include <system_error>
#include <utility>

namespace kem {

Result<std::jthread> StartThread(std::function<void(std::stop_token)> body) {
  try {
    return std::jthread(std::move(body));
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kInternal, "cannot start a thread: " +
                                           SystemMessage(error.code().value())};
  }
}

}  // namespace kem
