#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <thread>

#include "backends/io_uring_features.hpp"
#include "backends/ring.hpp"
#include "server/inspect/io_uring_operations.hpp"
#include "server/inspect/mechanism_cards.hpp"

namespace muxlab {
namespace {

using RingJson = nlohmann::ordered_json;

/// IORING_FEAT_ by bit, io_uring_setup(2). The list includes bits that newer headers define.
constexpr std::array<std::string_view, 18> kFeatures = {
    "SINGLE_MMAP", "NODROP",      "SUBMIT_STABLE",   "RW_CUR_POS",   "CUR_PERSONALITY",
    "FAST_POLL",   "POLL_32BITS", "SQPOLL_NONFIXED", "EXT_ARG",      "NATIVE_WORKERS",
    "RSRC_TAGS",   "CQE_SKIP",    "LINKED_FILE",     "REG_REG_RING", "RECVSEND_BUNDLE",
    "MIN_TIMEOUT", "RW_ATTR",     "NO_IOWAIT",
};

struct RingSetUp {
  std::string_view name;
  unsigned flags;
};
constexpr std::array kRingSetUps = {
    RingSetUp{"SQPOLL", IORING_SETUP_SQPOLL},
    RingSetUp{"COOP_TASKRUN", IORING_SETUP_COOP_TASKRUN},
    RingSetUp{"SINGLE_ISSUER", IORING_SETUP_SINGLE_ISSUER},
    RingSetUp{"DEFER_TASKRUN", IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN},
};

struct RingFeature {
  std::string_view name;
  bool (*works)();
};
constexpr std::array kTried = {
    RingFeature{"multishot accept", accepts_many_times},
    RingFeature{"multishot poll", polls_many_times},
    RingFeature{"buffer ring", receives_into_buffer_ring},
    RingFeature{"multishot receive", receives_many_times},
};

template <typename Try>
RingJson tried(std::string_view name, Try attempt) {
  RingJson result = {{"name", name}, {"works", false}, {"reason", ""}};
  try {
    result["works"] = attempt();
    if (!result["works"]) result["reason"] = "the kernel accepts it, but it does not work";
  } catch (const std::system_error& error) {
    result["reason"] = error.what();
  }
  return result;
}

RingJson features_json(unsigned bits) {
  RingJson names = RingJson::array();
  for (unsigned bit = 0; bit < 32; ++bit) {
    if ((bits >> bit & 1) == 0) continue;
    names.push_back(bit < kFeatures.size() ? std::string(kFeatures[bit])
                                           : fmt::format("bit {}", bit));
  }
  return names;
}

struct FreeProbe {
  void operator()(io_uring_probe* probe) const { io_uring_free_probe(probe); }
};

RingJson operations_json(io_uring* ring) {
  const std::unique_ptr<io_uring_probe, FreeProbe> probe(io_uring_get_probe_ring(ring));
  if (!probe) return nullptr;
  RingJson only_kernel = RingJson::array(), only_headers = RingJson::array();
  unsigned known = 0;
  for (unsigned number = 0; number < 256; ++number) {
    const bool in_kernel = io_uring_opcode_supported(probe.get(), static_cast<int>(number)) != 0;
    const bool in_headers = number < IORING_OP_LAST;
    known += in_kernel ? 1 : 0;
    if (in_kernel && !in_headers) only_kernel.push_back(io_uring_operation(number));
    if (in_headers && !in_kernel) only_headers.push_back(io_uring_operation(number));
  }
  return {{"kernel", known},
          {"headers", static_cast<unsigned>(IORING_OP_LAST)},
          {"only_kernel", only_kernel},
          {"only_headers", only_headers}};
}

void describe_ring(RingJson& card) {
  io_uring ring{};
  const int result = ::io_uring_queue_init(4, &ring, 0);
  if (result < 0) throw std::system_error(-result, std::system_category(), "io_uring_setup");
  card["features"] = features_json(ring.features);
  card["operations"] = operations_json(&ring);
  ::io_uring_queue_exit(&ring);
  for (const RingSetUp& one : kRingSetUps) {
    card["setup"].push_back(tried(one.name, [&] { return ring_works(one.flags); }));
  }
  for (const RingFeature& one : kTried) card["tried"].push_back(tried(one.name, one.works));
}

}  // namespace

nlohmann::ordered_json io_uring_card(const std::filesystem::path& root) {
  RingJson card = {{"status", "works"},
                   {"reason", ""},
                   {"fix", ""},
                   {"features", RingJson::array()},
                   {"operations", nullptr},
                   {"setup", RingJson::array()},
                   {"tried", RingJson::array()}};
  const auto fail = [&](const std::system_error& error) {
    const Availability why = why_no_ring(error.code().value(), root);
    card["status"] = "unavailable";
    card["reason"] = why.reason;
    card["fix"] = why.fix;
  };
  try {
    std::thread([&] {  // see Ring: the kernel may interrupt a thread after the end of its ring
      try {
        describe_ring(card);
      } catch (const std::system_error& error) {
        fail(error);
      }
    })
        .join();
  } catch (const std::system_error& error) {  // no thread is left
    fail(error);
  }
  return card;
}

}  // namespace muxlab
