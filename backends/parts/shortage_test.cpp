#include "backends/parts/shortage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::system_error error_of(int error, const char* call) {
  return {error, std::system_category(), call};
}

TEST(Shortage, NamesWhatRanOutAndTheCure) {
  EXPECT_THAT(explain(error_of(EMFILE, "pipe2")),
              AllOf(StartsWith("pipe2: Too many open files: the limit of "),
                    HasSubstr("raise it with ulimit -n")));
  EXPECT_THAT(explain(error_of(ENFILE, "socket")), HasSubstr("raise fs.file-max"));
  EXPECT_THAT(explain(error_of(ENOMEM, "mmap")), HasSubstr("no memory left"));
  EXPECT_THAT(explain(error_of(EAGAIN, "fork")), HasSubstr("no further thread or process"));
  EXPECT_THAT(explain(error_of(EPERM, "eventfd")), HasSubstr("eventfd is forbidden"));
  EXPECT_THAT(explain(error_of(ENOSYS, "signalfd")), HasSubstr("seccomp"));
}

TEST(Shortage, KnowsTheErrorOfStdThread) {
  const std::system_error error(std::make_error_code(std::errc::resource_unavailable_try_again));
  EXPECT_THAT(explain(error), HasSubstr("no further thread or process"));
}

TEST(Shortage, LeavesOtherErrorsAsTheyAre) {
  EXPECT_EQ(explain(error_of(EAGAIN, "send")), "send: Resource temporarily unavailable");
  EXPECT_EQ(explain(error_of(ECONNREFUSED, "connect")), "connect: Connection refused");
}

TEST(Shortage, NamesTheFileAndNotTheLibrary) {
  const std::filesystem::filesystem_error error("temp_directory_path", "/gone",
                                                std::make_error_code(std::errc::not_a_directory));
  EXPECT_EQ(explain(error), "/gone: Not a directory");
}

}  // namespace
}  // namespace muxlab
