#include "server/faults/faults.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <fstream>

namespace muxlab::faults {

using namespace std::chrono_literals;

SharedPlan::SharedPlan() : file_(checked(::memfd_create("plan", MFD_CLOEXEC), "memfd_create")) {
  checked(::ftruncate(file_.get(), sizeof(FaultPlan)), "ftruncate");
  void* const page =
      ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (page == MAP_FAILED) throw_errno("mmap");
  plan_ = static_cast<FaultPlan*>(page);
}

SharedPlan::~SharedPlan() { ::munmap(plan_, sizeof(FaultPlan)); }

std::string SharedPlan::path() const {
  return fmt::format("/proc/{}/fd/{}", ::getpid(), file_.get());
}

const std::vector<Cell>& every_cell() {
  static const std::vector<Cell> cells = [] {
    std::vector<Cell> found = test::all_cells();
    // Without unix sockets: the faults of this suite do not affect them differently.
    std::erase_if(found, [](const Cell& cell) { return cell.options.unix_path.has_value(); });
    return found;
  }();
  return cells;
}

bool whole_suite() {
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  return std::string_view(test->test_suite_name()).starts_with("Whole/");
}

int slowness() { return MUXLAB_SLOWNESS; }

int Faults::bearable(int connections) const {
  constexpr int kMostThreads = 2000;
  const bool bounded = has_thread_per_connection() && slowness() > 1;
  return bounded ? std::min(connections, kMostThreads) : connections;
}

std::vector<std::string> Faults::options() const {
  const ServeOptions& wanted = cell().options;
  std::vector<std::string> words = {
      "--backend",   std::string(cell().backend->name),
      "--threading", std::string(name_of(wanted.threading)),
      "--threads",   std::to_string(wanted.threads),
      "--notify",    wanted.notify == Notify::pipe ? "pipe" : "eventfd"};
  if (wanted.threading == Threading::half_sync) {
    words.insert(words.end(), {"--rearm", wanted.rearm == Rearm::worker ? "worker" : "waiter"});
  }
  return words;
}

test::Surroundings Faults::surroundings() const {
  const std::string shims =
      with_allocation_faults_ ? MUXLAB_ALLOCATION_SHIM ":" MUXLAB_FAULT_SHIM : MUXLAB_FAULT_SHIM;
  return {.environment = {"LD_PRELOAD=" + shims, fmt::format("{}={}", kPlanVariable, plan_.path()),
                          "ASAN_OPTIONS=verify_asan_link_order=0"}};
}

void Faults::start(const std::vector<std::string>& more_options) {
  std::vector<std::string> words = options();
  words.insert(words.end(), {"--stats", "-"});
  words.insert(words.end(), more_options.begin(), more_options.end());
  started_at_ = std::chrono::steady_clock::now();
  server_ = std::make_unique<test::ServerProcess>(words, surroundings());
  if (!server_->listens()) {
    server_->wait();
    throw std::runtime_error("the server did not start: " + server_->errors());
  }
  expect_waiting_threads();
  descriptors_ = server_->descriptors();
}

/// Waits until all threads wait. Before that, a thread may still open descriptors. Half-sync's
/// workers wait for none.
void Faults::expect_waiting_threads() {
  EXPECT_TRUE(eventually([&] {
    const auto stats = server_->stats();
    if (!stats.contains("threads")) return false;
    const auto waits = [](const nlohmann::json& thread) { return thread["syscalls"]["wait"] > 0; };
    return threading() == Threading::half_sync ? waits(stats["threads"].back())
                                               : std::ranges::all_of(stats["threads"], waits);
  })) << "the server's threads do not begin to wait";
}

Client Faults::connect(int receive_buffer) const {
  return Client(server_->address(), receive_buffer);
}

std::vector<Client> Faults::ask(int count) const {
  std::vector<Client> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(connect());
    EXPECT_TRUE(clients.back().send("?"));
  }
  return clients;
}

std::uint64_t Faults::count(const std::string& key) {
  const auto stats = server_->stats();
  return stats.contains(key) ? stats[key].get<std::uint64_t>() : UINT64_MAX;
}

bool Faults::settles_at(double share) {
  return eventually([&] { return cpu_share(100ms) <= share; });
}

/// Returns the share of one processor that the server uses during `duration`.
double Faults::cpu_share(std::chrono::milliseconds duration) {
  const auto begin = std::chrono::steady_clock::now();
  const auto used_before = server_->cpu_time();
  std::this_thread::sleep_for(duration);
  const std::chrono::duration<double> used = server_->cpu_time() - used_before;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  return used / passed;
}

void Faults::begin_stop() {
  server_->signal(SIGTERM);
  EXPECT_TRUE(eventually([&] {
    try {
      static_cast<void>(connect());
      return false;
    } catch (const std::system_error&) {
      return true;
    }
  })) << "it still listens";
}

void Faults::expect_end(int signal, int exit_code, std::chrono::milliseconds patience) {
  server_->signal(signal);
  EXPECT_EQ(server_->wait(patience), exit_code) << server_->errors();
}

std::chrono::nanoseconds Faults::time_to_end(int signal, int exit_code) {
  const auto begin = std::chrono::steady_clock::now();
  expect_end(signal, exit_code, soon(10'000));
  return std::chrono::steady_clock::now() - begin;
}

void Faults::TearDown() {
  if (!server_ || IsSkipped()) return;
  if (!server_->has_ended()) {
    ASSERT_FALSE(server_->wait(0ms)) << "the server died: " << server_->errors();
    expect_idle_balance();
    EXPECT_TRUE(eventually([&] { return server_->descriptors() <= descriptors_; }))
        << server_->descriptors() << " descriptors are open, " << descriptors_ << " were";
    // Idle timers tick, and a tick costs more under a sanitizer.
    EXPECT_TRUE(eventually([&] { return cpu_share(50ms) < 0.01 * slowness(); }))
        << "it is not idle";
    expect_end(SIGTERM, 0, soon(10'000));
  }
  expect_quiet_log();
}

void Faults::expect_idle_balance() {
  nlohmann::json stats;
  EXPECT_TRUE(eventually([&] {
    stats = server_->stats();
    return stats.contains("accepted") && stats["accepted"] == stats["closed"];
  })) << "accepted and closed do not balance: "
      << stats.dump();
}

void Faults::expect_quiet_log() {
  const std::string log = server_->errors();
  EXPECT_EQ(log.find("Sanitizer"), std::string::npos) << log;
  const auto passed = std::chrono::steady_clock::now() - started_at_;
  const auto allowed = may_log_ ? std::chrono::ceil<std::chrono::seconds>(passed).count() : 0;
  EXPECT_LE(std::ranges::count(log, '\n'), allowed + lines_of_libevent_) << log;
}

Stopped::Stopped(const test::ServerProcess& server) : server_(server) {
  server_.signal(SIGSTOP);
  EXPECT_TRUE(eventually([&] {
    std::ifstream status(server_.proc() / "stat");
    const std::string text{std::istreambuf_iterator<char>(status), {}};
    return text.find(") T ") != std::string::npos;
  })) << "the server does not stop";
}

std::size_t push_until_stuck(const Client& client, std::string_view data) {
  std::size_t pushed = 0;
  pollfd writable{.fd = client.fd(), .events = POLLOUT, .revents = 0};
  while (pushed < data.size() && ::poll(&writable, 1, 100) > 0) {
    const ssize_t sent = ::send(client.fd(), data.data() + pushed, data.size() - pushed,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) break;
    if (sent > 0) pushed += static_cast<std::size_t>(sent);
  }
  return pushed;
}

}  // namespace muxlab::faults
