// The starter fails with: and the outbox says that it is empty
#include "tutorial/exercises/01-partial-write/outbox.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

void nothing_is_lost(std::size_t size) {
  const Pair pair = unix_pair();
  const std::string message = some_bytes(size);
  Outbox outbox;
  bool works = outbox.send(pair.near.get(), std::string_view(message).substr(0, size / 2));
  works = works && outbox.send(pair.near.get(), std::string_view(message).substr(size / 2));

  std::string arrived = receive_now(pair.far);
  while (works && !outbox.empty()) {
    works = outbox.flush(pair.near.get());
    const std::string more = receive_now(pair.far);
    if (more.empty()) break;
    arrived += more;
  }
  const std::string expected = "all " + std::to_string(size) + " bytes arrive, in their order";
  expect(works, expected, "the outbox says that the connection is broken, and it is not");
  expect(arrived.size() == size, expected,
         std::to_string(arrived.size()) + " arrive, and the outbox says that it is " +
             (outbox.empty() ? "empty" : "not empty but sends no more"));
  expect(arrived == message, expected, "they arrive, but not in their order");
  expect(outbox.empty(), "the outbox is empty at the end", "it is not");
}

void a_broken_connection_is_told() {
  Pair pair = unix_pair();
  pair.far.reset();
  Outbox outbox;
  expect(!outbox.send(pair.near.get(), "x"), "send() to a peer that is gone returns false",
         "it returns true");
}

}  // namespace

void check() {
  nothing_is_lost(100);
  nothing_is_lost(2'000'000);
  a_broken_connection_is_told();
}

}  // namespace muxlab::exercise
