#include <string>
#include <vector>

#include "tutorial/programs/libevent_handles.hpp"

/// event_methods: the ways to wait that this libevent was built with, and which of them can really
/// be had here and now. These are two questions: try it with EVENT_NOEPOLL=1 in the environment.
using namespace tutorial;

namespace {

std::vector<std::string> compiled_in() {
  std::vector<std::string> names;
  for (const char** name = event_get_supported_methods(); *name != nullptr; ++name) {
    names.emplace_back(*name);
  }
  return names;
}

/// A base that waits with `method`, or nothing. There is no call to ask for a method: one avoids
/// all others.
Owned<event_base> make_base(const std::string& method, int flags = 0) {
  const auto config = own(event_config_new(), "event_config_new");
  require(event_config_set_flag(config.get(), flags), "event_config_set_flag");
  for (const std::string& other : compiled_in()) {
    if (other == method) continue;
    require(event_config_avoid_method(config.get(), other.c_str()), "event_config_avoid_method");
  }
  return Owned<event_base>(event_base_new_with_config(config.get()));
}

/// What the method can do beyond what all can.
std::string features(const event_base* base) {
  const int known = event_base_get_features(base);
  std::string text;
  const auto add = [&](int feature, const char* name) {
    if ((known & feature) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(EV_FEATURE_ET, "edge-triggered");
  add(EV_FEATURE_O1, "finding what is ready takes the same time with many descriptors");
  add(EV_FEATURE_FDS, "takes any kind of file");
  add(EV_FEATURE_EARLY_CLOSE, "tells of a closed connection before its data is read");
  return text;
}

void describe(const std::string& method) {
  if (const auto base = make_base(method)) {
    say("{:<7} works: {}", method, features(base.get()));
  } else if (make_base(method, EVENT_BASE_FLAG_IGNORE_ENV)) {
    say("{:<7} compiled in, but switched off by an environment variable", method);
  } else {
    say("{:<7} compiled in, but does not work here", method);
  }
}

}  // namespace

int main() try {
  // Else libevent prints a warning for each base that cannot be made; here that is an answer.
  event_set_log_callback([](int, const char*) {});
  say("libevent {}", event_get_version());
  std::string names;
  for (const std::string& name : compiled_in()) names += ' ' + name;
  say("event_get_supported_methods():{}", names);
  for (const std::string& name : compiled_in()) describe(name);
  const auto base = own(event_base_new(), "event_base_new");
  say("event_base_new() takes {}", event_base_get_method(base.get()));
} catch (const std::exception& error) {
  fmt::print(stderr, "event_methods: {}\n", error.what());
  return 1;
}
