#include <event2/event.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "backends/libevent_base.hpp"
#include "backends/parts/shortage.hpp"
#include "server/inspect/mechanism_cards.hpp"

namespace muxlab {
namespace {

using LibeventJson = nlohmann::ordered_json;

struct FeatureName {
  int bit;
  std::string_view name;
};
constexpr std::array kFeatureNames = {
    FeatureName{EV_FEATURE_ET, "ET"},
    FeatureName{EV_FEATURE_O1, "O1"},
    FeatureName{EV_FEATURE_FDS, "FDS"},
    FeatureName{EV_FEATURE_EARLY_CLOSE, "EARLY_CLOSE"},
};

LibeventJson features_of(event_base* base) {
  LibeventJson names = LibeventJson::array();
  for (const FeatureName& feature : kFeatureNames) {
    if ((event_base_get_features(base) & feature.bit) != 0) names.push_back(feature.name);
  }
  return names;
}

LibeventJson method_json(const std::string& method) {
  const Availability found = libevent::probe(method);
  const bool bounded = found.max_descriptor < std::numeric_limits<int>::max();
  return {{"name", method},
          {"usable", found.works},
          {"reason", found.works ? found.bound_reason : found.reason},
          {"fix", found.fix},
          {"features",
           found.works ? features_of(libevent::make_base(method).get()) : LibeventJson::array()},
          {"max_descriptor", bounded ? LibeventJson(found.max_descriptor) : LibeventJson()}};
}

/// Returns the method that libevent chooses by default, which the environment affects.
LibeventJson default_method() {
  const libevent::Silence silence;
  require_descriptors(libevent::kDescriptorsOfBase);
  const libevent::Base base(event_base_new());
  return base ? LibeventJson(event_base_get_method(base.get())) : LibeventJson();
}

void add_switch(LibeventJson& in_force, const std::string& name, const std::string& effect) {
  const char* const value = ::getenv(name.c_str());
  if (value == nullptr) return;
  in_force.push_back({{"name", name}, {"value", value}, {"effect", effect}});
}

LibeventJson switches_in_force() {
  LibeventJson in_force = LibeventJson::array();
  for (const std::string& method : libevent::methods()) {
    add_switch(in_force, libevent::switch_of(method), "the method " + method + " is not used");
  }
  add_switch(in_force, libevent::kChangelistSwitch,
             "epoll's changes are collected and handed over with the next wait");
  add_switch(in_force, "EVENT_PRECISE_TIMER", "timers use a finer and more expensive clock");
  add_switch(in_force, "EVENT_SHOW_METHOD", "each base says on stderr which method it uses");
  return in_force;
}

}  // namespace

nlohmann::ordered_json libevent_card() {
  LibeventJson methods = LibeventJson::array();
  for (const std::string& method : libevent::methods()) methods.push_back(method_json(method));
  return {{"version_header", LIBEVENT_VERSION},
          {"version_library", event_get_version()},
          {"methods", methods},
          {"default_method", default_method()},
          {"environment", switches_in_force()}};
}

}  // namespace muxlab
