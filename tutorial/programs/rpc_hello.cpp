#include <event2/rpc.h>
#include <event2/rpc_struct.h>
#include <event2/tag.h>

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "tutorial/programs/libevent_handles.hpp"

/// rpc_hello: libevent's small RPC. A call is an HTTP request with its arguments as the body, each
/// written as a tag, a length and a value; the answer's body is the result, in the same form.
///
/// With libevent's sources comes a generator that writes the functions of a message, and macros
/// that pass them on. Debian has no such generator: they are written by hand here.
using namespace tutorial;

namespace {

/// What goes either way: the numbers to add, or the one that is their sum.
struct Numbers {
  std::vector<std::uint32_t> values;
};

constexpr std::uint32_t kNumberTag = 1;

Numbers& numbers(void* message) { return *static_cast<Numbers*>(message); }

void* create(void*) noexcept { return new Numbers; }
void destroy(void* message) noexcept { delete static_cast<Numbers*>(message); }
void clear(void* message) noexcept { numbers(message).values.clear(); }

void marshal(evbuffer* to, void* message) noexcept {
  for (const std::uint32_t value : numbers(message).values) {
    evtag_marshal_int(to, kNumberTag, value);
  }
}

/// -1 when these bytes are no such message: they came from somebody else.
int unmarshal(void* message, evbuffer* from) noexcept {
  while (evbuffer_get_length(from) > 0) {
    std::uint32_t value = 0;
    if (evtag_unmarshal_int(from, kNumberTag, &value) < 0) return -1;
    numbers(message).values.push_back(value);
  }
  return 0;
}

/// 0 when nothing is missing in an answer that is to be sent.
int complete(void* message) noexcept { return numbers(message).values.size() == 1 ? 0 : -1; }

void add(evrpc_req_generic* call, void*) noexcept {
  const auto& terms = numbers(evrpc_get_request(call)).values;
  say("server: Add with {} numbers", terms.size());
  numbers(evrpc_get_reply(call)).values = {
      std::accumulate(terms.begin(), terms.end(), std::uint32_t{0})};
  evrpc_request_done(call);  // might also be called later, out of the loop
}

struct FreeRpc {
  void operator()(evrpc_base* calls) const { evrpc_free(calls); }
  void operator()(evrpc_pool* pool) const { evrpc_pool_free(pool); }
};
template <typename Object>
using Rpc = std::unique_ptr<Object, FreeRpc>;

Rpc<evrpc_base> offer_add(evhttp* server) {
  Rpc<evrpc_base> calls(evrpc_init(server));
  if (!calls) throw std::runtime_error("evrpc_init failed");
  require(evrpc_register_generic(calls.get(), "Add", add, nullptr, create, nullptr, destroy,
                                 unmarshal, create, nullptr, destroy, complete, marshal),
          "evrpc_register_generic");
  return calls;
}

class Client {
 public:
  Client(event_base* base, std::uint16_t port) : base_(base), pool_(evrpc_pool_new(base)) {
    if (!pool_) throw std::runtime_error("evrpc_pool_new failed");
    evrpc_pool_set_timeout(pool_.get(), 10);
    // A pool takes only connections without a base and gives them its own, but the connection has a
    // bufferevent, and that cannot be made without one.
    auto stream = own(bufferevent_socket_new(base, -1, 0), "bufferevent_socket_new");
    auto connection = own(
        evhttp_connection_base_bufferevent_new(nullptr, nullptr, stream.get(), "127.0.0.1", port),
        "evhttp_connection_base_bufferevent_new");
    static_cast<void>(stream.release());                           // the connection owns it
    evrpc_pool_add_connection(pool_.get(), connection.release());  // and the pool owns that
    call_next();
  }

 private:
  /// Returns at once; the answer comes out of the loop.
  void call_next() {
    if (next_ == kCalls.size()) {
      event_base_loopbreak(base_);
      return;
    }
    say("client: {}({}, {})", kCalls[next_], request_.values[0], request_.values[1]);
    require(evrpc_send_request_generic(pool_.get(), &request_, &reply_, answered, this,
                                       kCalls[next_], marshal, clear, unmarshal),
            "evrpc_send_request_generic");
  }

  static void answered(evrpc_status* status, void*, void* reply, void* self) noexcept {
    const int http =
        status->http_req == nullptr ? 0 : evhttp_request_get_response_code(status->http_req);
    if (status->error == EVRPC_STATUS_ERR_NONE && complete(reply) == 0) {
      say("client: HTTP status {}, the result is {}", http, numbers(reply).values[0]);
    } else {
      say("client: HTTP status {}, no result", http);
    }
    auto& client = *static_cast<Client*>(self);
    ++client.next_;
    client.call_next();
  }

  static constexpr std::array kCalls = {"Add", "Multiply"};  // the server does not know the second
  event_base* base_;
  Rpc<evrpc_pool> pool_;
  Numbers request_{{19, 23}};
  Numbers reply_;
  std::size_t next_ = 0;
};

}  // namespace

int main() try {
  ignore_broken_pipes();
  const auto base = own(event_base_new(), "event_base_new");
  auto listener = listen_on(base.get(), 0, nullptr, nullptr);
  const std::uint16_t port = port_of(evconnlistener_get_fd(listener.get()));
  const auto server = make_http(base.get(), std::move(listener));
  const auto calls = offer_add(server.get());
  Client client(base.get(), port);
  require(event_base_dispatch(base.get()), "event_base_dispatch");
} catch (const std::exception& error) {
  fmt::print(stderr, "rpc_hello: {}\n", error.what());
  return 1;
}
