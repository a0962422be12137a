#include <array>
#include <cstdlib>
#include <string>

#include "tutorial/programs/libevent_handles.hpp"

/// http_hello [PORT]: a small HTTP server on libevent's evhttp. Without a port, a client in the
/// same loop asks it for two pages and the program ends; with one, it serves until it is stopped.
using namespace tutorial;

namespace {

/// Answers GET /hello. For any other path evhttp answers with 404 itself.
void answer(evhttp_request* request, void*) noexcept {
  if (evhttp_request_get_command(request) != EVHTTP_REQ_GET) {
    return evhttp_send_error(request, HTTP_BADMETHOD, nullptr);
  }
  const char* const host = evhttp_request_get_host(request);  // none in HTTP/1.0
  const auto body = own(evbuffer_new(), "evbuffer_new");
  require(evbuffer_add_printf(body.get(), "Hello, %s\n", host != nullptr ? host : "whoever"),
          "evbuffer_add_printf");
  evkeyvalq* const headers = evhttp_request_get_output_headers(request);
  require(evhttp_add_header(headers, "Content-Type", "text/plain"), "evhttp_add_header");
  evhttp_send_reply(request, HTTP_OK, "OK", body.get());
}

/// Asks for one page after the other over the same connection.
class Client {
 public:
  Client(event_base* base, std::uint16_t port)
      : base_(base),
        connection_(own(evhttp_connection_base_new(base, nullptr, "127.0.0.1", port),
                        "evhttp_connection_base_new")) {
    ask_next();
  }

 private:
  void ask_next() {
    if (next_ == kPaths.size()) {
      event_base_loopbreak(base_);
      return;
    }
    const auto answered = [](evhttp_request* request, void* self) noexcept {
      static_cast<Client*>(self)->show(request);
    };
    evhttp_request* const request = evhttp_request_new(answered, this);
    if (request == nullptr) throw std::runtime_error("evhttp_request_new failed");
    // HTTP/1.1 wants to know which host is asked: one server may be many.
    evkeyvalq* const headers = evhttp_request_get_output_headers(request);
    require(evhttp_add_header(headers, "Host", "tutorial.example"), "evhttp_add_header");
    // The connection owns the request from here on, also when this fails.
    require(evhttp_make_request(connection_.get(), request, EVHTTP_REQ_GET, kPaths[next_]),
            "evhttp_make_request");
  }

  /// `request` is null when there was no answer: a time-out, or a connection that failed.
  void show(evhttp_request* request) {
    const int status = request == nullptr ? 0 : evhttp_request_get_response_code(request);
    if (status == 0) {
      say("GET {}: no answer", kPaths[next_]);
      event_base_loopbreak(base_);
      return;
    }
    evbuffer* const body = evhttp_request_get_input_buffer(request);
    std::string first_line;
    if (char* const line = evbuffer_readln(body, nullptr, EVBUFFER_EOL_CRLF)) {
      first_line = line;
      std::free(line);
    }
    say("GET {}: {} {}", kPaths[next_], status, evhttp_request_get_response_code_line(request));
    if (status == HTTP_OK) say("{}", first_line);
    ++next_;
    ask_next();
  }

  static constexpr std::array kPaths = {"/hello", "/nothing"};
  event_base* base_;
  Owned<evhttp_connection> connection_;
  std::size_t next_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  ignore_broken_pipes();
  const auto base = own(event_base_new(), "event_base_new");
  const StopSignals stop(base.get());
  auto listener = listen_on(base.get(), port_argument(argc, argv), nullptr, nullptr);
  const std::uint16_t port = port_of(evconnlistener_get_fd(listener.get()));
  say_port(listener.get());
  const auto server = make_http(base.get(), std::move(listener));
  require(evhttp_set_cb(server.get(), "/hello", answer, nullptr), "evhttp_set_cb");
  std::unique_ptr<Client> client;
  if (argc == 1) client = std::make_unique<Client>(base.get(), port);
  require(event_base_dispatch(base.get()), "event_base_dispatch");
} catch (const std::exception& error) {
  fmt::print(stderr, "http_hello: {}\n", error.what());
  return 1;
}
