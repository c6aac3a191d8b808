// Starts a thread without an exception, because a system may have none left.
// Used by everything that starts a thread while the process runs, such as a
// reload.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "base/result.h"

namespace kem {

// Runs `body` on a new thread. The error is kInternal: the limit of processes
// or of memory is reached. Thread-safe.
Result<std::jthread> StartThread(std::function<void(std::stop_token)> body);

}  // namespace kem
