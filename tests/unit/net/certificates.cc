#include "unit/net/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>

namespace kem {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;

void Must(bool good, const char* what) {
  if (good) return;
  std::cerr << "test certificates: " << what << " failed\n";
  std::abort();
}

std::string Text(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Bio FromText(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Must(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void Describe(X509* certificate, const CertificateWish& wish) {
  static std::atomic<long> serial{1};
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1,
      0);
  AddExtension(certificate, NID_basic_constraints,
               wish.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  std::string names;
  for (const std::string& name : wish.alternative_names) {
    names += (names.empty() ? "" : ",") + name;
  }
  if (!names.empty()) AddExtension(certificate, NID_subject_alt_name, names);
}

}  // namespace

PemPair MakeCertificate(const CertificateWish& wish, const PemPair* issuer) {
  const Key key(wish.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  Must(key && certificate, "allocation");
  Describe(certificate.get(), wish);
  X509_set_pubkey(certificate.get(), key.get());
  Key issuer_key;
  Certificate issuer_certificate;
  if (issuer != nullptr) {
    issuer_key.reset(PEM_read_bio_PrivateKey(FromText(issuer->key).get(),
                                             nullptr, nullptr, nullptr));
    issuer_certificate.reset(PEM_read_bio_X509(
        FromText(issuer->certificate).get(), nullptr, nullptr, nullptr));
    Must(issuer_key && issuer_certificate, "reading the issuer");
  }
  X509_set_issuer_name(certificate.get(),
                       X509_get_subject_name(issuer ? issuer_certificate.get()
                                                    : certificate.get()));
  Must(X509_sign(certificate.get(), issuer ? issuer_key.get() : key.get(),
                 EVP_sha256()) != 0,
       "signing");
  const Bio certificate_out(BIO_new(BIO_s_mem()));
  const Bio key_out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_out.get(), certificate.get());
  PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0,
                           nullptr, nullptr);
  return PemPair{Text(certificate_out), Text(key_out)};
}

PemPair MakeCa(const std::string& common_name) {
  CertificateWish wish;
  wish.common_name = common_name;
  wish.is_ca = true;
  return MakeCertificate(wish);
}

}  // namespace kem
