#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "backends/parts/failure.hpp"
#include "bench/campaign/sliced_campaign.hpp"
#include "bench/data/files.hpp"

namespace muxlab {
namespace {

using testing::HasSubstr;
using Path = std::filesystem::path;

class FolderOfResults : public testing::Test {
 protected:
  FolderOfResults() {
    std::string name = testing::TempDir() + "folder-XXXXXX";
    root_ = ::mkdtemp(name.data());
    out_ = root_ / "a" / "results";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  static void fill(const Path& folder) { write_whole(folder / "machine.json", "{}"); }

  [[nodiscard]] std::string refusal(ExitCode code) const {
    try {
      (void)create_result_folder(out_, fill);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), code) << failure.what();
      return failure.what();
    }
    return "";
  }

  Path root_, out_;
};

TEST_F(FolderOfResults, IsThereWithItsFirstFiles) {
  const FolderLock lock = create_result_folder(out_, [&](const Path& folder) {
    EXPECT_FALSE(std::filesystem::exists(out_));
    fill(folder);
    EXPECT_FALSE(std::filesystem::exists(out_));
  });
  EXPECT_EQ(read_whole(out_ / "machine.json"), "{}");
}

/// Kills the program at each step of making the folder.
TEST_F(FolderOfResults, IsNotThereWhenItsMakerIsKilled) {
  for (const bool is_filled : {false, true}) {
    const pid_t maker = ::fork();
    if (maker == 0) {
      (void)create_result_folder(out_, [&](const Path& folder) {
        if (is_filled) fill(folder);
        ::raise(SIGKILL);
      });
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(maker, &status, 0), maker);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(std::filesystem::exists(out_));
    EXPECT_EQ(refusal(ExitCode::usage), "") << "and can be made now";
    std::filesystem::remove_all(out_);
  }
}

TEST_F(FolderOfResults, HasOneWriter) {
  std::optional<FolderLock> lock(create_result_folder(out_, fill));
  const auto refused = [&]() -> std::string {
    try {
      const FolderLock second(out_);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::unavailable);
      return failure.what();
    }
    return "";
  };
  EXPECT_THAT(refused(), HasSubstr(fmt::format("process {} ", ::getpid())));
  lock.reset();
  EXPECT_EQ(refused(), "");
  EXPECT_FALSE(std::filesystem::exists(out_ / ".muxlab-lock"));
  write_whole(out_ / ".muxlab-lock", "12345\n");  // as a process that was killed leaves it
  EXPECT_EQ(refused(), "");
}

TEST_F(FolderOfResults, MixesWithNothing) {
  std::filesystem::create_directories(out_);
  write_whole(out_ / "mine", "");
  EXPECT_THAT(refusal(ExitCode::usage), HasSubstr("is not empty"));
  std::filesystem::remove_all(out_);
  write_whole(out_, "a file");
  EXPECT_THAT(refusal(ExitCode::usage), HasSubstr("is no folder"));
  EXPECT_EQ(read_whole(out_), "a file");
  std::filesystem::remove(out_);
  std::filesystem::create_symlink("nowhere", out_);
  EXPECT_THAT(refusal(ExitCode::usage), HasSubstr("is no folder"));
  EXPECT_TRUE(std::filesystem::is_symlink(out_));
}

TEST_F(FolderOfResults, MayBeThereAndEmpty) {
  std::filesystem::create_directories(out_);
  ASSERT_EQ(::chmod(out_.c_str(), 0750), 0);
  EXPECT_EQ(refusal(ExitCode::usage), "");
  EXPECT_EQ(std::filesystem::status(out_).permissions(), std::filesystem::perms(0750));
  std::filesystem::remove(out_ / "machine.json");
  write_whole(out_ / ".muxlab-lock", "12345\n");
  EXPECT_EQ(refusal(ExitCode::usage), "") << "what a killed process has left is nothing";
  const Path link = root_ / "link";
  std::filesystem::remove_all(out_);
  std::filesystem::create_directory(out_);
  std::filesystem::create_directory_symlink(out_, link);
  (void)create_result_folder(link, fill);
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_whole(out_ / "machine.json"), "{}");
}

}  // namespace
}  // namespace muxlab
