// Gives back the memory that only start-up needed. Half of an idle exporter's
// resident memory is code that ran once: OpenSSL's and the C++ library's
// initialisation, flags, YAML. Called by the app when it is up. Frees no heap
// and changes nothing but how much of the program is mapped right now.
#pragma once

namespace kem {

// Unmaps the read-only pages of the program and its libraries; what is used
// again comes back from the page cache at the next touch. Thread-safe.
void ReleaseStartupPages();

}  // namespace kem
