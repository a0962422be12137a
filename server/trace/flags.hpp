#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace muxlab::trace {

/// A bit of a set, or a value of an enumeration, and its name without the common prefix.
struct Flag {
  std::uint64_t value;
  std::string_view name;
};

/// "IN|RDHUP"; bits without a name as a number; "0" for none.
std::string bits_text(std::uint64_t bits, std::span<const Flag> flags);
/// The name, or the number where it has none.
std::string value_text(std::uint64_t value, std::span<const Flag> flags);

std::string epoll_events(std::uint32_t events);
std::string poll_events(std::uint32_t events);

}  // namespace muxlab::trace
