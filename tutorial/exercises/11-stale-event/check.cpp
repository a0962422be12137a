// The starter fails with: its connection was closed, and nobody it had to do with has left
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "tutorial/exercises/11-stale-event/relay.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

struct Scene {
  Scene() {
    UniqueFd listener = unix_listener();
    door.reset(::dup(listener.get()));
    relay = std::make_unique<Relay>(std::move(listener));
  }

  void run() const {
    constexpr int kMoreThanEnough = 1000;
    int turns = 0;
    while (relay->turn()) {
      expect(++turns < kMoreThanEnough, "the loop sleeps when there is nothing left to do",
             "it is awake after 1000 turns");
    }
  }

  /// Both directions are over, but the client's descriptor stays open: its number is not free.
  static void leave(const UniqueFd& client) { ::shutdown(client.get(), SHUT_RDWR); }

  UniqueFd door;  ///< the listener again, to connect to
  std::unique_ptr<Relay> relay;
};

void expect_heard(const UniqueFd& client, const std::string& said, const std::string& who) {
  bool ended = false;
  const std::string heard = receive_now(client, &ended);
  expect(heard == said && !ended, who + (said.empty() ? " stays" : " hears what its partner says"),
         ended ? "its connection was closed, and nobody it had to do with has left"
               : "it hears nothing");
}

}  // namespace

void check() {
  const Scene scene;
  const UniqueFd first = connect_to(scene.door);
  const UniqueFd second = connect_to(scene.door);
  scene.run();
  send_now(first, "hello");
  scene.run();
  expect_heard(second, "hello", "the second client");

  // Three things happen before the loop comes to look. In one batch, in this order: the second
  // leaves, a third comes, the first leaves.
  Scene::leave(second);
  const UniqueFd third = connect_to(scene.door);
  Scene::leave(first);
  scene.run();

  expect_heard(third, "", "the third client, who came as the first two left,");

  const UniqueFd fourth = connect_to(scene.door);
  scene.run();
  send_now(fourth, "you there?");
  scene.run();
  expect_heard(third, "you there?", "the third client, who came as the first two left,");
  send_now(third, "yes");
  scene.run();
  expect_heard(fourth, "yes", "the fourth client");

  Scene::leave(third);
  scene.run();
  bool ended = false;
  receive_now(fourth, &ended);
  expect(ended, "who is left alone is sent away", "the connection is still open");
}

}  // namespace muxlab::exercise
