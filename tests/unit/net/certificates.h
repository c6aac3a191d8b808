// Certificates made at run time, so that none lies in the tree to expire. Used
// by the tests of TLS and of credentials. Aborts when OpenSSL refuses, which
// would be a fault of the test.
#pragma once

#include <string>
#include <vector>

namespace kem {

struct PemPair {
  std::string certificate;  // with its chain, when there is one
  std::string key;
};

// What goes into a certificate. Subject alternative names are in OpenSSL's
// words: "DNS:localhost", "IP:127.0.0.1".
struct CertificateWish {
  std::string common_name = "test";
  std::vector<std::string> alternative_names;
  bool is_ca = false;
};

// A certificate signed by `issuer`, or by itself when there is none. Valid for
// an hour from an hour ago.
PemPair MakeCertificate(const CertificateWish& wish,
                        const PemPair* issuer = nullptr);

PemPair MakeCa(const std::string& common_name = "test CA");

}  // namespace kem
