#include "backends/parts/say.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {
namespace {

/// Both ends of a pipe.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  UniqueFd reader, writer;
};

/// Returns the status of a child that says a line; its stderr is `fd`, or closed for -1.
int status_after_saying(int fd, const std::string& line) {
  const pid_t child = checked(::fork(), "fork");
  if (child == 0) {
    ::signal(SIGPIPE, SIG_DFL);
    ::alarm(60);
    if (fd < 0) {
      ::close(STDERR_FILENO);
    } else {
      ::dup2(fd, STDERR_FILENO);
    }
    say(line);
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

std::string read_some(int fd) {
  std::string text(1 << 16, '\0');
  const ssize_t size = ::read(fd, text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

TEST(Say, WritesALine) {
  const Pipe pipe;
  EXPECT_EQ(status_after_saying(pipe.writer.get(), "file \x1b[1m\nname"), 0);
  EXPECT_EQ(read_some(pipe.reader.get()), "muxlab: file  [1m name\n");
}

TEST(Say, CutsALongLine) {
  const Pipe pipe;
  EXPECT_EQ(status_after_saying(pipe.writer.get(), std::string(100'000, 'x')), 0);
  const std::string text = read_some(pipe.reader.get());
  EXPECT_LE(text.size(), 4096U);
  EXPECT_GE(text.size(), 4000U);
  EXPECT_EQ(text.back(), '\n');
}

TEST(Say, SurvivesAStderrThatCannotBeWritten) {
  EXPECT_EQ(status_after_saying(-1, "closed"), 0);
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  EXPECT_EQ(status_after_saying(full.get(), "full"), 0);
  Pipe without_reader;
  without_reader.reader.reset();
  EXPECT_EQ(status_after_saying(without_reader.writer.get(), "no reader"), 0)
      << "SIGPIPE is not for it";
}

TEST(Say, WaitsForNoReader) {
  const Pipe pipe;
  ::fcntl(pipe.writer.get(), F_SETFL, O_NONBLOCK);
  const std::string page(4096, 'x');
  while (::write(pipe.writer.get(), page.data(), page.size()) > 0) {
  }
  ::fcntl(pipe.writer.get(), F_SETFL, 0);
  EXPECT_EQ(status_after_saying(pipe.writer.get(), "a line without a reader"), 0);
}

}  // namespace
}  // namespace muxlab
