#include "bench/data/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CampaignFilesTest : public testing::Test {
 protected:
  CampaignFilesTest() {
    std::string name = testing::TempDir() + "files-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  template <typename Step>
  static std::string refusal(ExitCode code, Step step) {
    try {
      step();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), code) << failure.what();
      return failure.what();
    }
    return "";
  }
  /// Makes one of each kind of non-regular file, named after its kind.
  void make_others() const {
    std::filesystem::create_directory(folder_ / "folder");
    ASSERT_EQ(::mkfifo((folder_ / "FIFO").c_str(), 0600), 0);
    write_whole(folder_ / "other", "mine");
    std::filesystem::create_symlink("other", folder_ / "symbolic link");
  }

  std::filesystem::path folder_;
};

TEST_F(CampaignFilesTest, AFileKeepsItsModeAndNothingIsLeftBeside) {
  const auto file = folder_ / "report.md";
  write_whole(file, "old");
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  write_whole(folder_ / "report.md.tmp", "the user's");
  write_whole(file, "new");
  EXPECT_EQ(read_whole(file), "new");
  EXPECT_EQ(read_whole(folder_ / "report.md.tmp"), "the user's");
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0640));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 2U);
}

TEST_F(CampaignFilesTest, WhatIsNoFileIsNeverReplaced) {
  make_others();
  for (const std::string kind : {"folder", "FIFO", "symbolic link"}) {
    const auto type = std::filesystem::symlink_status(folder_ / kind).type();
    const auto says_so = AllOf(HasSubstr((folder_ / kind).string()), HasSubstr("it is a " + kind));
    EXPECT_THAT(refusal(ExitCode::unavailable, [&] { write_whole(folder_ / kind, "x"); }), says_so);
    EXPECT_THAT(refusal(ExitCode::unavailable, [&] { append_to(folder_ / kind, "x"); }), says_so);
    EXPECT_EQ(std::filesystem::symlink_status(folder_ / kind).type(), type);
  }
  EXPECT_EQ(read_whole(folder_ / "other"), "mine");
}

TEST_F(CampaignFilesTest, ReadingNeverWaitsAndTakesNoMoreThanItMay) {
  make_others();
  for (const std::string kind : {"folder", "FIFO"}) {
    EXPECT_THAT(refusal(ExitCode::usage, [&] { read_whole(folder_ / kind); }),
                AllOf(HasSubstr((folder_ / kind).string()), HasSubstr("it is a " + kind)));
  }
  EXPECT_THAT(refusal(ExitCode::usage, [&] { read_whole(folder_ / "nothing"); }),
              HasSubstr("No such file or directory"));
  std::ofstream(folder_ / "large").close();
  std::filesystem::resize_file(folder_ / "large", std::uintmax_t{1} << 30);
  EXPECT_THAT(refusal(ExitCode::usage, [&] { read_whole(folder_ / "large"); }),
              HasSubstr("1073741824 bytes"));
  EXPECT_EQ(read_whole(folder_ / "other", 4), "mine");
  EXPECT_THAT(refusal(ExitCode::usage, [&] { read_whole(folder_ / "other", 3); }),
              HasSubstr("at most 3"));
}

TEST_F(CampaignFilesTest, AppendingMakesTheFileAndGoesOn) {
  append_to(folder_ / "slices.csv", "a\n");
  append_to(folder_ / "slices.csv", "b\n");
  EXPECT_EQ(read_whole(folder_ / "slices.csv"), "a\nb\n");
  sync_results(folder_);
}

}  // namespace
}  // namespace muxlab
