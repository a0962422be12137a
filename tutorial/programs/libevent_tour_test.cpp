#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "server/testing/server_process.hpp"
#include "tutorial/programs/test_tutorial.hpp"

/// The tour of libevent: each program as a demonstration, and those that serve as servers.
namespace muxlab::test {
namespace {

using testing::EndsWith;
using testing::StartsWith;

TEST(TutorialTour, RateLimit) {
  const Outcome outcome = run_demo("rate_limit");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  long each = 0;
  long together = 0;
  const auto begin = outcome.output.find("each receiver");
  ASSERT_NE(begin, std::string::npos) << outcome.output;
  ASSERT_EQ(std::sscanf(outcome.output.c_str() + begin,
                        "each receiver has the limit: %ld ticks\n"
                        "the two receivers share it: %ld ticks",
                        &each, &together),
            2)
      << outcome.output;
  // A limit keeps from being too fast; how slow a busy machine is, it does not know. The first
  // tick is there at once, and the next may be near.
  EXPECT_GE(each, 6);
  EXPECT_GE(together, 14);
}

TEST(TutorialTour, DnsLookup) {
  const Outcome outcome = run_demo("dns_lookup");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output,
            "echo.example: asked\n"
            "echo.example: 192.0.2.1 port 80\n"
            "nobody.example: asked\n"
            "nobody.example: nodename nor servname provided, or not known\n"
            "127.0.0.1: asked\n"
            "127.0.0.1: 127.0.0.1 port 80\n");
}

TEST(TutorialTour, FileTransfer) {
  const Outcome outcome = run_demo("file_transfer");
  EXPECT_EQ(outcome.exit_code, 0);
  long queued = 0;
  long memory = 0;
  long calls = 0;
  ASSERT_EQ(std::sscanf(outcome.output.c_str(),
                        "to be sent: %ld bytes; they take %ld bytes of memory\n"
                        "libevent called sendfile() %ld times",
                        &queued, &memory, &calls),
            3)
      << outcome.output;
  EXPECT_EQ(queued, 16 << 20);
  EXPECT_LT(memory, 64 << 10);
  EXPECT_GT(calls, 1);
  EXPECT_THAT(outcome.output, EndsWith("received: 16777216 bytes, all the same\n"));
}

TEST(TutorialTour, RpcHello) {
  const Outcome outcome = run_demo("rpc_hello");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output,
            "client: Add(19, 23)\n"
            "server: Add with 2 numbers\n"
            "client: HTTP status 200, the result is 42\n"
            "client: Multiply(19, 23)\n"
            "client: HTTP status 404, no result\n");
}

TEST(TutorialTour, HttpHello) {
  const Outcome outcome = run_demo("http_hello");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, StartsWith("listening on 127.0.0.1:"));
  EXPECT_THAT(outcome.output, EndsWith("\nGET /hello: 200 OK\n"
                                       "Hello, tutorial.example\n"
                                       "GET /nothing: 404 Not Found\n"));
}

std::string ask(const ServerProcess& server, const std::string& request) {
  const Client client(server.address());
  EXPECT_TRUE(client.send(request));
  return client.receive(64 << 10);  // until the server ends the connection
}

TEST(TutorialTour, HttpHelloAsServer) {
  ServerProcess server({"0"}, tutorial_server("http_hello"));
  ASSERT_TRUE(server.listens());
  const std::string end = "Host: here\r\nConnection: close\r\n\r\n";
  const std::string hello = ask(server, "GET /hello HTTP/1.1\r\n" + end);
  EXPECT_THAT(hello, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(hello, EndsWith("\r\n\r\nHello, here\n"));
  EXPECT_THAT(ask(server, "GET /hello HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\nHello, whoever\n"));
  EXPECT_THAT(ask(server, "POST /hello HTTP/1.1\r\nContent-Length: 0\r\n" + end),
              StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(ask(server, "GET /hello HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n" + end),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(server, "nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(kLong), 0) << server.errors();
}

TEST(TutorialTour, TlsEcho) {
  const Outcome outcome = run_demo("tls_echo");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, StartsWith("listening on 127.0.0.1:"));
  EXPECT_THAT(outcome.output,
              EndsWith("\nclient: connected with TLSv1.3; the certificate of localhost: ok\n"
                       "client: received: a secret\n"));
}

/// A client that believes any certificate.
class TlsClient {
 public:
  explicit TlsClient(const std::string& address) : client_(address) {
    SSL_set_fd(session_.get(), client_.fd());
  }

  [[nodiscard]] bool connect() { return SSL_connect(session_.get()) == 1; }

  [[nodiscard]] std::size_t send(std::string_view data) {
    std::size_t sent = 0;
    SSL_write_ex(session_.get(), data.data(), data.size(), &sent);
    return sent;
  }

  std::string receive(std::size_t size) {
    std::string data(size, '\0');
    std::size_t received = 0;
    for (std::size_t some = 0; received < size; received += some) {
      if (SSL_read_ex(session_.get(), data.data() + received, size - received, &some) != 1) break;
    }
    data.resize(received);
    return data;
  }

  /// Says that it sends no more, and is true when the server says so too.
  bool end() {
    SSL_shutdown(session_.get());
    char byte = 0;
    const int result = SSL_read(session_.get(), &byte, 1);
    return SSL_get_error(session_.get(), result) == SSL_ERROR_ZERO_RETURN;
  }

 private:
  Client client_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()),
                                                             &SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> session_{SSL_new(context_.get()), &SSL_free};
};

TEST(TutorialTour, TlsEchoAsServer) {
  ServerProcess server({"0"}, tutorial_server("tls_echo"));
  ASSERT_TRUE(server.listens());
  Client plain(server.address());
  ASSERT_TRUE(plain.send("this is no TLS at all"));
  EXPECT_TRUE(plain.is_cut_off());
  Client reset(server.address());
  reset.reset();

  TlsClient idle(server.address());
  TlsClient client(server.address());
  ASSERT_TRUE(idle.connect());
  ASSERT_TRUE(client.connect());
  // As much as the sockets hold: it is sent before anything is read.
  const std::string data = random_bytes(1 << 20, 7);
  ASSERT_EQ(client.send(data), data.size());
  EXPECT_TRUE(client.receive(data.size()) == data) << "bytes differ";
  EXPECT_TRUE(client.end());
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(kLong), 0) << server.errors();
}

}  // namespace
}  // namespace muxlab::test
