#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/11-stale-event/relay.hpp"

namespace muxlab::exercise {

Relay::Relay(UniqueFd listener)
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      listener_(std::move(listener)) {
  watch(listener_.get());
}

bool Relay::turn() {
  std::array<epoll_event, 64> batch{};
  const int count =
      checked(::epoll_wait(epoll_.get(), batch.data(), batch.size(), 0), "epoll_wait");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = batch[static_cast<std::size_t>(i)];
    handle(event.data.fd, event.events);
  }
  // Only now: a number that is closed within a batch would be handed out again by the next accept,
  // and the events that still stand in the batch for the old connection would hit the new one.
  spare_.clear();
  return count > 0;
}

void Relay::handle(int fd, std::uint32_t events) {
  if (fd == listener_.get()) return accept();
  const auto client = clients_.find(fd);
  if (client == clients_.end()) return;  // closed earlier in this batch
  if ((events & EPOLLHUP) != 0) return send_away(fd);
  pass_on(client->second);
}

void Relay::accept() {
  const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  Client& client = clients_[fd];
  client.socket = UniqueFd(fd);
  client.partner = std::exchange(waits_for_partner_, -1);
  if (client.partner >= 0) {
    clients_[client.partner].partner = fd;
  } else {
    waits_for_partner_ = fd;
  }
  watch(fd);
}

void Relay::pass_on(const Client& client) {
  std::array<char, 4096> buffer{};
  const ssize_t received = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
  if (received <= 0 || client.partner < 0) return;  // alone, nobody hears it
  // Short messages, for which there is room: what if not is another exercise.
  static_cast<void>(
      ::send(client.partner, buffer.data(), static_cast<std::size_t>(received), MSG_NOSIGNAL));
}

void Relay::send_away(int fd) {
  const int partner = clients_[fd].partner;
  close(fd);
  if (partner >= 0) close(partner);
  if (waits_for_partner_ == fd) waits_for_partner_ = -1;
}

void Relay::close(int fd) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  spare_.push_back(std::move(clients_[fd].socket));
  clients_.erase(fd);
}

void Relay::watch(int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

}  // namespace muxlab::exercise
