#include "backends/parts/shortage.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/thread_limit.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {
namespace {

std::optional<rlim_t> limit_of(__rlimit_resource resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

/// "pipe2" of "pipe2: Too many open files"; std::thread names no call.
std::string_view call_of(const std::system_error& error) {
  const std::string_view text = error.what();
  const std::size_t colon = text.find(": ");
  return colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
}

/// The C library reports a stack that it cannot map as EAGAIN, too.
Shortage shortage_of_threads() {
  const ThreadLimit limit = thread_limit();
  std::string reason = "no further thread or process can be started";
  if (!limit.reason.empty()) reason += ", and " + limit.reason;
  if (const auto memory = limit_of(RLIMIT_AS)) {
    reason += fmt::format(", and ulimit -v is {} KiB", *memory >> 10);
  }
  return {reason, "raise that limit, or end other processes of this user or control group"};
}

Shortage shortage_of_descriptors() {
  const auto limit = limit_of(RLIMIT_NOFILE);
  return {limit ? fmt::format("the limit of {} descriptors is used up", *limit)
                : "the limit of descriptors is used up",
          "raise it with ulimit -n"};
}

Shortage shortage_of_permission(std::string_view call) {
  return {fmt::format("{} is forbidden or unknown here",
                      call.empty() ? "starting a thread" : std::string(call)),
          "a seccomp filter of the container may do that: start it with a profile that allows the "
          "call"};
}

}  // namespace

Shortage shortage_of_memory() {
  const auto limit = limit_of(RLIMIT_AS);
  return {limit ? fmt::format("there is no memory left: ulimit -v is {} KiB", *limit >> 10)
                : "there is no memory left",
          "raise ulimit -v or the memory limit of the control group, or ask for less"};
}

void require_descriptors(std::size_t count) {
  std::vector<UniqueFd> room(count);
  for (UniqueFd& fd : room) fd = UniqueFd(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"));
}

std::optional<Shortage> shortage_of(const std::system_error& error) {
  if (dynamic_cast<const std::filesystem::filesystem_error*>(&error) != nullptr) {
    return std::nullopt;  // permissions of a file are another matter
  }
  const std::string_view call = call_of(error);
  switch (error.code().value()) {
    case EMFILE:
      return shortage_of_descriptors();
    case ENFILE:
      return Shortage{"the descriptors of the whole machine are used up",
                      "raise fs.file-max with sysctl"};
    case ENOMEM:
      return shortage_of_memory();
    case EFBIG:
      return Shortage{"ulimit -f allows no larger file, in memory either",
                      "raise it with ulimit -f"};
    case EAGAIN:
      if (!call.empty() && call != "fork" && call != "pthread_create") return std::nullopt;
      return shortage_of_threads();
    case EPERM:
    case ENOSYS:
      return shortage_of_permission(call);
    default:
      return std::nullopt;
  }
}

std::string explain(const std::system_error& error) {
  if (const auto* const file = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    return fmt::format("{}: {}", file->path1().empty() ? "a file" : file->path1().string(),
                       error.code().message());
  }
  const auto shortage = shortage_of(error);
  if (!shortage) return error.what();
  return fmt::format("{}: {}; {}", error.what(), shortage->reason, shortage->cure);
}

}  // namespace muxlab
