#include "server/bind_cure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxlab {
namespace {

using testing::HasSubstr;

TEST(BindCure, FitsTheError) {
  const ListenAddress tcp{.host = "192.0.2.1", .port = 80, .unix_path = std::nullopt};
  const ListenAddress unix_socket{.host = "", .port = 0, .unix_path = "/nowhere/socket"};
  EXPECT_THAT(bind_cure(tcp, EACCES), HasSubstr("ip_unprivileged_port_start=80"));
  EXPECT_THAT(bind_cure(tcp, EADDRNOTAVAIL), HasSubstr("--host"));
  EXPECT_THAT(bind_cure(unix_socket, EACCES), HasSubstr("may write to"));
  EXPECT_THAT(bind_cure(unix_socket, ENOENT), HasSubstr("that exists"));
  EXPECT_EQ(bind_cure(tcp, EINVAL), "");
}

}  // namespace
}  // namespace muxlab
