#include <event2/bufferevent_ssl.h>

#include <array>
#include <map>
#include <string>

#include "tutorial/programs/certificate.hpp"
#include "tutorial/programs/libevent_handles.hpp"

/// tls_echo [PORT]: bufferevent_echo over TLS, with a certificate that is made in memory. Without a
/// port, a client in the same loop checks the certificate, gets an echo, and the program ends.
using namespace tutorial;

namespace {

constexpr const char* kHost = "localhost";
constexpr std::size_t kEnoughUnsent = 256 << 10;

std::size_t unsent(bufferevent* stream) {
  return evbuffer_get_length(bufferevent_get_output(stream));
}

/// A bufferevent that encrypts what it sends and decrypts what it receives.
Owned<bufferevent> make_stream(event_base* base, Fd socket, Tls<SSL> session,
                               bufferevent_ssl_state state) {
  auto stream = own(bufferevent_openssl_socket_new(base, socket.get(), session.get(), state,
                                                   BEV_OPT_CLOSE_ON_FREE),
                    "bufferevent_openssl_socket_new");
  static_cast<void>(socket.release());  // the stream owns both
  static_cast<void>(session.release());
  return stream;
}

/// Tells the other side that this is the end and nothing was cut off: libevent does not.
void say_goodbye(bufferevent* stream) {
  SSL_shutdown(bufferevent_openssl_get_ssl(stream));
  ERR_clear_error();  // it fails when the other side is gone, and the next call would find that
}

/// As that of bufferevent_echo, but for what a stream is made of and how it ends.
class Server {
 public:
  Server(event_base* base, std::uint16_t port, SSL_CTX* context)
      : base_(base), context_(context), listener_(listen_on(base, port, accepted, this)) {
    say_port(listener_.get());
  }

  [[nodiscard]] std::uint16_t port() const {
    return port_of(evconnlistener_get_fd(listener_.get()));
  }

 private:
  static void accepted(evconnlistener*, evutil_socket_t socket, sockaddr*, int,
                       void* self) noexcept {
    static_cast<Server*>(self)->add(Fd(socket));
  }

  void add(Fd socket) {
    auto stream = make_stream(base_, std::move(socket), Tls<SSL>(tls(SSL_new(context_), "SSL_new")),
                              BUFFEREVENT_SSL_ACCEPTING);
    bufferevent_setcb(stream.get(), received, all_sent, changed, this);
    require(bufferevent_enable(stream.get(), EV_READ), "bufferevent_enable");
    streams_.emplace(stream.get(), std::move(stream));
  }

  static void received(bufferevent* stream, void*) noexcept {
    require(bufferevent_write_buffer(stream, bufferevent_get_input(stream)),
            "bufferevent_write_buffer");
    if (unsent(stream) > kEnoughUnsent) bufferevent_disable(stream, EV_READ);
  }

  static void all_sent(bufferevent* stream, void*) noexcept {
    require(bufferevent_enable(stream, EV_READ), "bufferevent_enable");
  }

  static void changed(bufferevent* stream, short what, void* self) noexcept {
    if ((what & BEV_EVENT_CONNECTED) != 0) return;  // the handshake is over
    const bool end_of_stream = (what & BEV_EVENT_EOF) != 0;
    if (!end_of_stream || unsent(stream) == 0) return remove(stream, self);
    const auto lost = [](bufferevent* s, short, void* server) noexcept { remove(s, server); };
    bufferevent_setcb(stream, nullptr, remove, lost, self);
  }

  static void remove(bufferevent* stream, void* self) noexcept {
    say_goodbye(stream);
    static_cast<Server*>(self)->streams_.erase(stream);
  }

  event_base* base_;
  SSL_CTX* context_;
  Owned<evconnlistener> listener_;
  std::map<bufferevent*, Owned<bufferevent>> streams_;
};

/// A certificate alone is not enough: it has to be that of the host that was meant.
Tls<SSL> make_session(SSL_CTX* context) {
  Tls<SSL> session(tls(SSL_new(context), "SSL_new"));
  tls(SSL_set1_host(session.get(), kHost), "SSL_set1_host");
  return session;
}

Owned<bufferevent> start_client(event_base* base, std::uint16_t port, SSL_CTX* context) {
  Fd socket = connect_to(port);
  check(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), "fcntl");
  auto stream =
      make_stream(base, std::move(socket), make_session(context), BUFFEREVENT_SSL_CONNECTING);
  const auto received = [](bufferevent* s, void*) noexcept {
    std::array<char, 64> text{};
    bufferevent_read(s, text.data(), text.size() - 1);
    say("client: received: {}", text.data());
    say_goodbye(s);
    event_base_loopbreak(bufferevent_get_base(s));
  };
  const auto changed = [](bufferevent* s, short what, void*) noexcept {
    if ((what & BEV_EVENT_CONNECTED) == 0) {
      say("client: no connection");
      event_base_loopbreak(bufferevent_get_base(s));
      return;
    }
    SSL* const session = bufferevent_openssl_get_ssl(s);
    say("client: connected with {}; the certificate of {}: {}", SSL_get_version(session), kHost,
        X509_verify_cert_error_string(SSL_get_verify_result(session)));
    require(evbuffer_add_printf(bufferevent_get_output(s), "a secret"), "evbuffer_add_printf");
  };
  bufferevent_setcb(stream.get(), received, nullptr, changed, nullptr);
  require(bufferevent_enable(stream.get(), EV_READ), "bufferevent_enable");
  return stream;
}

}  // namespace

int main(int argc, char** argv) try {
  ignore_broken_pipes();
  const Tls<EVP_PKEY> key = make_key();
  const Tls<X509> certificate = make_certificate(key.get(), kHost);
  const Tls<SSL_CTX> server_context = make_server_context(certificate.get(), key.get());
  const Tls<SSL_CTX> client_context = make_client_context(certificate.get());
  const auto base = own(event_base_new(), "event_base_new");
  const StopSignals stop(base.get());
  Server server(base.get(), port_argument(argc, argv), server_context.get());
  Owned<bufferevent> client;
  if (argc == 1) client = start_client(base.get(), server.port(), client_context.get());
  require(event_base_dispatch(base.get()), "event_base_dispatch");
} catch (const std::exception& error) {
  fmt::print(stderr, "tls_echo: {}\n", error.what());
  return 1;
}
