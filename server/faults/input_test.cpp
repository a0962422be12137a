#include <algorithm>
#include <cerrno>

#include "server/faults/faults.hpp"

/// Tests bad options and input, and failing allocations.
namespace muxlab::faults {
namespace {

TEST_P(Faults, J54RejectsOptionsThatMakeNoSense) {
  const std::vector<std::vector<std::string>> mistakes = {
      {"--threads", "0"},
      {"--threads", "-1"},
      {"--threads", "99999999999999999999"},
      {"--threads", "two"},
      {"--port", "70000"},
      {"--port", "http"},
      {"--max-connections", "-5"},
      {"--idle-timeout", "soon"},
      {"--drain", "-1s"},
      {"--when-full", "panic"},
      {"--notify", "telepathy"},
      {"--threading", "fibers"},
      {"--backend", "kqueue"},
      {"--no-such-option"},
      {"--unix", ""},
  };
  for (const auto& mistake : mistakes) {
    std::vector<std::string> words = options();
    const auto given = std::ranges::find(words, mistake.front());
    if (given != words.end()) words.erase(given, given + 2);
    words.insert(words.end(), mistake.begin(), mistake.end());
    test::ServerProcess server(words);
    EXPECT_FALSE(server.listens()) << mistake.front();
    EXPECT_EQ(server.wait(), 2) << mistake.front() << ": " << server.errors();
    EXPECT_FALSE(server.errors().empty());
  }
}

TEST_P(Faults, J55ListensOnLoopbackUnlessToldOtherwise) {
  start();
  EXPECT_TRUE(server().address().starts_with("127.0.0.1:")) << server().address();
  EXPECT_THROW(Client("127.0.0.2:" + server().port()), std::system_error);
}

TEST_P(Faults, J56EchoesOtherProtocolsAsBytes) {
  start();
  using namespace std::string_literals;
  for (const std::string& sent :
       {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"s,
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, "SSH-2.0-OpenSSH_9.2\r\n"s,
        "*1\r\n$4\r\nPING\r\n"s, std::string(1000, '\0'), std::string(1000, '\xff')}) {
    EXPECT_EQ(connect().exchange(sent), sent);
  }
}

/// Runs a client that makes the server allocate: a connection, a tail, and their ends.
void use(const std::string& address) {
  try {
    Client client(address, kSmallBuffer);
    push_until_stuck(client, random_bytes(8 << 20, 1));
    client.reset();
  } catch (const std::system_error&) {  // refused
  }
}

TEST_P(Faults, L59DropsAConnectionForWhichThereIsNoMemory) {
  if (slowness() > 1) GTEST_SKIP() << "a sanitizer has an allocator of its own";
  if (cell().backend->name == "bufferevent") {
    GTEST_SKIP() << "libevent goes on when it has no memory to wait for room to send, and tells "
                    "nobody: that connection is stuck";
  }
  with_allocation_faults_ = true;
  start();
  const int allocations = repeat(6, 16);
  for (int failing = 1; failing <= allocations; ++failing) {
    plan_[Site::allocate].fail(ENOMEM, static_cast<std::uint64_t>(failing), 1);
    use(server().address());
    plan_[Site::allocate].stop_failing();
    ASSERT_TRUE(serves()) << "after allocation " << failing << " failed: " << server().errors();
  }
  plan_[Site::allocate].fail(ENOMEM, 2);  // every second one
  use(server().address());
  plan_[Site::allocate].stop_failing();
  EXPECT_TRUE(serves()) << server().errors();
}

}  // namespace
}  // namespace muxlab::faults
