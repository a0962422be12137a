#include "backends/parts/send_progress.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <utility>

namespace muxlab {

bool SendProgress::goes_on(int socket) {
  int left = 0;
  if (::ioctl(socket, SIOCOUTQ, &left) != 0) return false;
  const std::int32_t before = std::exchange(unacknowledged_, left);
  const bool moved = before > 0 && left != before;
  if (left == 0) return moved;
  unchanged_ = moved ? std::uint8_t{0} : static_cast<std::uint8_t>(unchanged_ + 1);
  return unchanged_ < kLooks;
}

}  // namespace muxlab
