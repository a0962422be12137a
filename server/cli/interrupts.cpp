#include "server/cli/interrupts.hpp"

#include <sys/signalfd.h>

namespace muxlab {

Interrupts::Interrupts() {
  sigset_t watched;
  ::sigemptyset(&watched);
  ::sigaddset(&watched, SIGINT);
  ::sigaddset(&watched, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &watched, &before_);
  fd_ = UniqueFd(checked(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
}

Interrupts::~Interrupts() { let_the_next_one_end_us(); }

std::optional<ExitCode> Interrupts::take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof(info)) != sizeof(info)) return std::nullopt;
  return info.ssi_signo == SIGINT ? ExitCode::interrupted : ExitCode::terminated;
}

void Interrupts::let_the_next_one_end_us() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace muxlab
