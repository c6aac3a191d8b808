// Creates certificates at run time, so that none in the repository can expire.
// Used by the tests of TLS and of credentials. Aborts when OpenSSL fails, which
// is a bug of the test.
#pragma once

#include <string>
#include <vector>

namespace kem {

struct PemPair {
  std::string certificate;  // with its chain, when there is one
  std::string key;
};

// The content of a certificate. Subject alternative names have OpenSSL's
// syntax: "DNS:localhost", "IP:127.0.0.1".
struct CertificateWish {
  std::string common_name = "test";
  std::vector<std::string> alternative_names;
  bool is_ca = false;
  bool rsa = false;  // else ECDSA
};

// A certificate signed by `issuer`, or self-signed without one. Valid from an
// hour ago for one more hour.
PemPair MakeCertificate(const CertificateWish& wish,
                        const PemPair* issuer = nullptr);

PemPair MakeCa(const std::string& common_name = "test CA");

}  // namespace kem
