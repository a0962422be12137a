#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>

/// What TLS takes before the first byte: a key, a certificate that says whose it is, and a context
/// for each side. Everything is made in memory and used by nobody else.
namespace tutorial {

struct FreeTls {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
template <typename Object>
using Tls = std::unique_ptr<Object, FreeTls>;

/// OpenSSL's functions return a pointer, or a number above 0, when all went well.
template <typename Result>
Result tls(Result result, const char* function) {
  if (result > Result{}) return result;
  const char* const reason = ERR_reason_error_string(ERR_get_error());
  throw std::runtime_error(std::string(function) + ": " + (reason != nullptr ? reason : "failed"));
}

inline Tls<EVP_PKEY> make_key() { return Tls<EVP_PKEY>(tls(EVP_EC_gen("P-256"), "EVP_EC_gen")); }

/// Says that `key` belongs to `host`, from now on for a day. It is signed with that key itself, so
/// it proves something only to those who were given it before.
inline Tls<X509> make_certificate(EVP_PKEY* key, const char* host) {
  constexpr long kOneDay_s = 24 * 60 * 60;
  Tls<X509> made(tls(X509_new(), "X509_new"));
  X509* const c = made.get();
  tls(X509_set_version(c, X509_VERSION_3), "X509_set_version");
  tls(ASN1_INTEGER_set(X509_get_serialNumber(c), 1), "ASN1_INTEGER_set");
  tls(X509_gmtime_adj(X509_getm_notBefore(c), 0), "X509_gmtime_adj");
  tls(X509_gmtime_adj(X509_getm_notAfter(c), kOneDay_s), "X509_gmtime_adj");
  X509_NAME* const name = X509_get_subject_name(c);
  const auto* const text = reinterpret_cast<const unsigned char*>(host);
  tls(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0), "X509_NAME");
  tls(X509_set_issuer_name(c, name), "X509_set_issuer_name");
  tls(X509_set_pubkey(c, key), "X509_set_pubkey");
  tls(X509_sign(c, key, EVP_sha256()), "X509_sign");
  return made;
}

/// The server proves that the certificate is its own with the key, which it tells nobody.
inline Tls<SSL_CTX> make_server_context(X509* certificate, EVP_PKEY* key) {
  Tls<SSL_CTX> context(tls(SSL_CTX_new(TLS_server_method()), "SSL_CTX_new"));
  tls(SSL_CTX_use_certificate(context.get(), certificate), "SSL_CTX_use_certificate");
  tls(SSL_CTX_use_PrivateKey(context.get(), key), "SSL_CTX_use_PrivateKey");
  return context;
}

/// Without SSL_VERIFY_PEER, which is off by default, anybody could answer in the server's place.
inline Tls<SSL_CTX> make_client_context(X509* trusted) {
  Tls<SSL_CTX> context(tls(SSL_CTX_new(TLS_client_method()), "SSL_CTX_new"));
  tls(X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), trusted), "X509_STORE_add_cert");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

}  // namespace tutorial
