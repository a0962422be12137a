#include <stdexcept>
#include <string>

#include "tutorial/exercises/21-own-poller/own_poller.hpp"

namespace muxlab::exercise {
namespace {

class OwnPoller final : public Poller {
 public:
  void add(int /*fd*/, Interest /*interest*/) override { to_be_written("add()"); }
  void modify(int /*fd*/, Interest /*interest*/) override { to_be_written("modify()"); }
  void remove(int /*fd*/) override { to_be_written("remove()"); }
  std::span<const int> wait(int /*timeout_ms*/) override { to_be_written("wait()"); }

 private:
  [[noreturn]] static void to_be_written(const char* what) {
    throw std::logic_error(std::string(what) + " is to be written");
  }
};

}  // namespace

std::unique_ptr<Poller> make_own_poller() { return std::make_unique<OwnPoller>(); }

}  // namespace muxlab::exercise
