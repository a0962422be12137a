#include "backends/parts/written_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {
namespace {

namespace fs = std::filesystem;

/// A folder for the files of a test.
class WrittenFile : public testing::Test {
 protected:
  WrittenFile() {
    std::string name = testing::TempDir() + "/muxlab-written-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "file";
  }
  ~WrittenFile() override { fs::remove_all(folder_); }

  static void put(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  static std::string text_of(const fs::path& path) {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static struct stat status_of(const fs::path& path) {
    struct stat found {};
    ::lstat(path.c_str(), &found);
    return found;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      all.push_back(entry.path().filename());
    }
    std::ranges::sort(all);
    return all;
  }
  static ExitCode refusal_of(const fs::path& path) {
    try {
      output_kind("--stats", path);
    } catch (const Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find("--stats"), std::string::npos) << failure.what();
      return failure.code();
    }
    return ExitCode::ok;
  }
  static constexpr int kAsRoot = 0;

  fs::path folder_;
  fs::path path_;
};

TEST_F(WrittenFile, IsMadeWithTheModeThatTheUmaskSays) {
  const mode_t before = ::umask(027);
  EXPECT_FALSE(replace_file(path_, "new"));
  ::umask(before);
  EXPECT_EQ(text_of(path_), "new");
  EXPECT_EQ(status_of(path_).st_mode, S_IFREG | 0640U);
  EXPECT_EQ(names(), std::vector<std::string>{"file"});
}

TEST_F(WrittenFile, KeepsModeAndOwner) {
  put(path_, "old");
  ::chmod(path_.c_str(), 0604);
  constexpr uid_t kOther = 12'345;
  const bool is_root = ::geteuid() == kAsRoot;
  if (is_root) {
    ASSERT_EQ(::chown(path_.c_str(), kOther, kOther), 0);
  }
  const struct stat before = status_of(path_);
  EXPECT_FALSE(replace_file(path_, "new"));
  const struct stat after = status_of(path_);
  EXPECT_EQ(text_of(path_), "new");
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_gid, before.st_gid);
  EXPECT_NE(after.st_ino, before.st_ino) << "replaced whole, and not written in place";
}

TEST_F(WrittenFile, LeavesOtherFilesOfTheFolderAlone) {
  const fs::path precious = folder_ / "precious";
  put(precious, "precious");
  put(folder_ / "file.tmp", "mine");
  fs::create_symlink(precious, folder_ / ".file.tmp");
  // The first names that this process would try, as links to a file of the user's.
  for (int i = 0; i < 3; ++i) {
    fs::create_symlink(precious, folder_ / (".muxlab-" + std::to_string(::getpid()) + "-" +
                                            std::to_string(i) + ".tmp"));
  }
  const std::vector<std::string> before = names();
  EXPECT_FALSE(replace_file(path_, "new"));
  EXPECT_EQ(text_of(path_), "new");
  EXPECT_EQ(text_of(precious), "precious");
  EXPECT_EQ(text_of(folder_ / "file.tmp"), "mine");
  EXPECT_EQ(names().size(), before.size() + 1) << "the file itself, and no temporary";
}

TEST_F(WrittenFile, ReplacesWhatALinkLeadsTo) {
  fs::create_directory(folder_ / "elsewhere");
  const fs::path target = folder_ / "elsewhere" / "target";
  put(target, "old");
  fs::create_symlink("elsewhere/target", folder_ / "middle");
  fs::create_symlink("middle", path_);
  EXPECT_FALSE(replace_file(path_, "new"));
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_TRUE(fs::is_symlink(folder_ / "middle"));
  EXPECT_EQ(text_of(target), "new");
  EXPECT_EQ(names(), (std::vector<std::string>{"elsewhere", "file", "middle"}));
}

TEST_F(WrittenFile, FollowsNoLinkToNothing) {
  fs::create_symlink("nothing", path_);
  EXPECT_EQ(replace_file(path_, "new").value(), ENOENT);
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_EQ(refusal_of(path_), ExitCode::usage);
  fs::create_symlink("circle", folder_ / "circle");
  EXPECT_EQ(replace_file(folder_ / "circle", "new").value(), ELOOP);
  EXPECT_EQ(refusal_of(folder_ / "circle"), ExitCode::unavailable);
}

TEST_F(WrittenFile, WritesThroughAPipeAndADevice) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(output_kind("--stats", path_), OutputKind::stream);
  EXPECT_EQ(replace_file(path_, "new").value(), ENXIO) << "it has no reader, and nothing waits";
  const UniqueFd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_FALSE(replace_file(path_, "new"));
  std::string text(3, '\0');
  EXPECT_EQ(::read(reader.get(), text.data(), text.size()), 3);
  EXPECT_EQ(text, "new");
  EXPECT_TRUE(fs::is_fifo(path_));

  const fs::path link = folder_ / "null";
  fs::create_symlink("/dev/null", link);
  EXPECT_EQ(output_kind("--stats", link), OutputKind::stream);
  EXPECT_FALSE(replace_file(link, "new"));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  fs::create_symlink("/dev/full", folder_ / "full");
  EXPECT_EQ(replace_file(folder_ / "full", "new").value(), ENOSPC);
}

TEST_F(WrittenFile, KeepsAllNamesOfAFile) {
  put(path_, "old");
  fs::create_hard_link(path_, folder_ / "other");
  EXPECT_FALSE(replace_file(path_, "new"));
  EXPECT_EQ(text_of(folder_ / "other"), "new");
  EXPECT_EQ(status_of(path_).st_nlink, 2U);
}

TEST_F(WrittenFile, KeepsTheOldTextWhenItCannotBeWritten) {
  put(path_, "old");
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{.rlim_cur = 1000, .rlim_max = limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::error_code error = replace_file(path_, std::string(2000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::signal(SIGXFSZ, before);
  EXPECT_EQ(error.value(), EFBIG);
  EXPECT_EQ(text_of(path_), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"file"});
}

TEST_F(WrittenFile, SaysThatItsFolderIsGone) {
  fs::remove_all(folder_);
  EXPECT_EQ(replace_file(path_, "new").value(), ENOENT);
  EXPECT_EQ(refusal_of(path_), ExitCode::unavailable);
}

TEST_F(WrittenFile, KeepsToPermissions) {
  if (::geteuid() == kAsRoot) GTEST_SKIP() << "root may write everywhere";
  put(path_, "old");
  ::chmod(path_.c_str(), 0400);
  EXPECT_EQ(replace_file(path_, "new").value(), EACCES) << "though its folder could replace it";
  EXPECT_EQ(text_of(path_), "old");
  EXPECT_EQ(refusal_of(path_), ExitCode::unavailable);
  ::chmod(path_.c_str(), 0600);
  ::chmod(folder_.c_str(), 0500);
  EXPECT_FALSE(replace_file(path_, "new")) << "in place: the folder takes no new file";
  ::chmod(folder_.c_str(), 0700);
  EXPECT_EQ(text_of(path_), "new");
}

TEST_F(WrittenFile, IsRefusedWhereItCanNeverBe) {
  EXPECT_EQ(refusal_of(""), ExitCode::usage);
  EXPECT_EQ(refusal_of(folder_), ExitCode::usage);
  EXPECT_EQ(refusal_of(folder_ / "no" / "folder"), ExitCode::unavailable);
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  path_.string().copy(name.sun_path, sizeof name.sun_path - 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  EXPECT_EQ(refusal_of(path_), ExitCode::usage);
  EXPECT_EQ(refusal_of(folder_ / "new"), ExitCode::ok);
  EXPECT_EQ(names(), std::vector<std::string>{"file"}) << "looking changes nothing";
}

}  // namespace
}  // namespace muxlab
