// Releases memory that only start-up needed: half of an idle exporter's
// resident memory is code that ran once (initialization of OpenSSL and the C++
// library, flags, YAML). Called once by the app. Does not free heap memory.
#pragma once

namespace kem {

// Unmaps the read-only pages of the program and its libraries. The next access
// maps a page again from the page cache. Thread-safe.
void ReleaseStartupPages();

}  // namespace kem
