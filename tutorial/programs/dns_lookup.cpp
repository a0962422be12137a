#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/dns_struct.h>

#include <array>
#include <cstring>
#include <string>

#include "tutorial/programs/libevent_handles.hpp"

/// dns_lookup: looking up names without blocking the loop. libevent's evdns asks a name server,
/// which is libevent's too and runs in the same loop: no question leaves this machine.
///
/// getaddrinfo(3) cannot do that: it returns when it knows the answer, after seconds maybe.
using namespace tutorial;

namespace {

struct FreeDns {
  void operator()(evdns_server_port* server) const { evdns_close_server_port(server); }
  void operator()(evdns_base* resolver) const { evdns_base_free(resolver, 1); }
};

constexpr int kTimeToLive_s = 60;

/// Knows one name; of the address it is asked for only the IPv4 kind.
void answer(evdns_server_request* request, void*) noexcept {
  int error = DNS_ERR_NOTEXIST;
  for (int i = 0; i < request->nquestions; ++i) {
    const evdns_server_question& question = *request->questions[i];
    if (question.dns_question_class != EVDNS_CLASS_INET) continue;
    if (evutil_ascii_strcasecmp(question.name, "echo.example") != 0) continue;
    error = DNS_ERR_NONE;  // the name exists, maybe without an address of that type
    if (question.type != EVDNS_TYPE_A) continue;
    const in_addr address{.s_addr = htonl(0xC0000201)};  // 192.0.2.1, which is for documentation
    require(evdns_server_request_add_a_reply(request, question.name, 1, &address, kTimeToLive_s),
            "evdns_server_request_add_a_reply");
  }
  require(evdns_server_request_respond(request, error), "evdns_server_request_respond");
}

/// DNS asks over UDP.
Fd make_udp_socket() {
  Fd socket(check(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  const sockaddr_in address = loopback(0);
  check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return socket;
}

class Lookups {
 public:
  Lookups(event_base* base, std::uint16_t server)
      : base_(base), resolver_(evdns_base_new(base, 0)) {  // 0: not the servers of /etc/resolv.conf
    if (!resolver_) throw std::runtime_error("evdns_base_new failed");
    const std::string address = fmt::format("127.0.0.1:{}", server);
    require(evdns_base_nameserver_ip_add(resolver_.get(), address.c_str()),
            "evdns_base_nameserver_ip_add");
    ask_next();
  }

 private:
  /// Returns at once; the answer comes later, out of the loop. Or before it returns, for an address
  /// written in numbers: whatever is to be done before the answer has to be done before the call.
  void ask_next() {
    if (next_ == kNames.size()) {
      event_base_loopbreak(base_);
      return;
    }
    say("{}: asked", kNames[next_]);
    evutil_addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    const auto answered = [](int error, evutil_addrinfo* found, void* self) noexcept {
      static_cast<Lookups*>(self)->show(error, found);
    };
    evdns_getaddrinfo(resolver_.get(), kNames[next_], "80", &hints, answered, this);
  }

  void show(int error, evutil_addrinfo* found) {
    if (error != 0) {
      say("{}: {}", kNames[next_], evutil_gai_strerror(error));
    } else {
      for (const evutil_addrinfo* one = found; one != nullptr; one = one->ai_next) show(*one);
      evutil_freeaddrinfo(found);
    }
    ++next_;
    ask_next();
  }

  void show(const evutil_addrinfo& found) const {
    sockaddr_in address{};
    std::memcpy(&address, found.ai_addr, sizeof address);
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    say("{}: {} port {}", kNames[next_], text.data(), ntohs(address.sin_port));
  }

  static constexpr std::array kNames = {"echo.example", "nobody.example", "127.0.0.1"};
  event_base* base_;
  std::unique_ptr<evdns_base, FreeDns> resolver_;
  std::size_t next_ = 0;
};

}  // namespace

int main() try {
  const auto base = own(event_base_new(), "event_base_new");
  const Fd socket = make_udp_socket();
  const std::unique_ptr<evdns_server_port, FreeDns> server(
      evdns_add_server_port_with_base(base.get(), socket.get(), 0, answer, nullptr));
  if (!server) throw std::runtime_error("evdns_add_server_port_with_base failed");
  Lookups lookups(base.get(), port_of(socket.get()));
  require(event_base_dispatch(base.get()), "event_base_dispatch");
} catch (const std::exception& error) {
  fmt::print(stderr, "dns_lookup: {}\n", error.what());
  return 1;
}
