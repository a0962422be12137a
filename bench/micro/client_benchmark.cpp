#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "bench/load/load.hpp"
#include "bench/micro/micro.hpp"

/// Compares the load client's processor time per echo with that of a loop that only echoes: no
/// clock, no histogram, no verification. The reported time is that of one echo.
///
///   muxlab_micro --benchmark_filter=client --benchmark_repetitions=9
///     --benchmark_enable_random_interleaving=true
namespace {

using muxlab::checked;
using muxlab::thread_cpu_s;
using muxlab::UniqueFd;

constexpr std::size_t kSize = 64;
constexpr int kEvents = 256;

void pin_to(int processor) {
  cpu_set_t set{};
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::sched_setaffinity(0, sizeof set, &set);  // without effect on a machine with one processor
}

UniqueFd stream_socket() {
  UniqueFd fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  constexpr char reno[] = "reno";
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, reno, sizeof reno - 1);
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  checked(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/// Echoes all received bytes, for ever.
[[noreturn]] void serve(int listener) {
  const UniqueFd epoll(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  watch(epoll.get(), listener);
  std::array<epoll_event, kEvents> events{};
  std::array<char, 1 << 16> buffer{};
  while (true) {
    const int count = ::epoll_wait(epoll.get(), events.data(), kEvents, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        watch(epoll.get(), ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
        continue;
      }
      const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (size <= 0 ||
          ::send(fd, buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) < 0) {
        ::close(fd);
      }
    }
  }
}

/// An echo server in its own process, on the first processor. During its lifetime this thread, and
/// threads that it starts, run on the second.
class Server {
 public:
  Server() : listener_(stream_socket()) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    checked(::bind(listener_.get(), name(), size), "bind");
    checked(::listen(listener_.get(), SOMAXCONN), "listen");
    checked(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address_), &size),
            "getsockname");
    pid_ = checked(::fork(), "fork");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      pin_to(0);
      serve(listener_.get());
    }
    ::sched_getaffinity(0, sizeof before_, &before_);
    pin_to(1);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::sched_setaffinity(0, sizeof before_, &before_);
  }

  const sockaddr* name() const { return reinterpret_cast<const sockaddr*>(&address_); }
  std::string text() const { return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }

 private:
  UniqueFd listener_;
  sockaddr_in address_{};
  cpu_set_t before_{};
  pid_t pid_;
};

/// The minimal client on epoll(7).
class BareClient {
 public:
  BareClient(const Server& server, std::size_t connections) : connections_(connections) {
    for (UniqueFd& fd : connections_) {
      fd = stream_socket();
      checked(::connect(fd.get(), server.name(), sizeof(sockaddr_in)), "connect");
      watch(epoll_.get(), fd.get());
    }
    for (const UniqueFd& fd : connections_) ::send(fd.get(), buffer_.data(), kSize, MSG_NOSIGNAL);
  }

  void echo(std::int64_t echoes) {
    std::array<epoll_event, kEvents> events{};
    while (echoes > 0) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), kEvents, -1);
      for (int i = 0; i < count; ++i, --echoes) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        ::recv(fd, buffer_.data(), buffer_.size(), 0);
        ::send(fd, buffer_.data(), kSize, MSG_NOSIGNAL);
      }
    }
  }

 private:
  UniqueFd epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::vector<UniqueFd> connections_;
  std::array<char, 4096> buffer_{};
};

void client_bare_epoll(benchmark::State& state) {
  const Server server;
  BareClient client(server, static_cast<std::size_t>(state.range(0)));
  constexpr std::int64_t kEchoes = 40'000;
  client.echo(kEchoes);
  for (auto _ : state) {
    const double began_s = thread_cpu_s();
    client.echo(kEchoes);
    state.SetIterationTime((thread_cpu_s() - began_s) / kEchoes);
  }
}

void client_load(benchmark::State& state, muxlab::LoadEngine engine) {
  const Server server;
  muxlab::LoadOptions options;
  options.connect = server.text();
  options.connections = static_cast<std::uint64_t>(state.range(0));
  options.size_bytes = kSize;
  options.engine = engine;
  options.warmup = std::chrono::milliseconds(100);
  options.duration = std::chrono::milliseconds(300);
  for (auto _ : state) {
    const muxlab::LoadReport report = muxlab::run_load(options);
    state.SetIterationTime(static_cast<double>(report.client_cpu.count()) / 1e9 /
                           static_cast<double>(report.tally.echoes));
  }
}

void at_two_counts(benchmark::internal::Benchmark* registered) {
  registered->Arg(100)->Arg(1000)->UseManualTime()->Iterations(1);
}
BENCHMARK(client_bare_epoll)->Apply(at_two_counts);
BENCHMARK_CAPTURE(client_load, epoll, muxlab::LoadEngine::epoll)->Apply(at_two_counts);
BENCHMARK_CAPTURE(client_load, auto, muxlab::LoadEngine::any) -> Apply(at_two_counts);

}  // namespace
