#pragma once

#include <cstdint>

namespace muxlab {

/// Whether a client still receives what was sent to it before: the kernel goes on to send a
/// socket's buffer while no call of the server moves a byte.
///
/// Compares how many bytes the client has not acknowledged (SIOCOUTQ, tcp(7)) from one look to the
/// next. A client that receives slowly, but without a pause, acknowledges in steps, because its
/// receive window opens in steps: over loopback of 100 KiB, which take a client with 40 kB/s nearly
/// three seconds. So only several looks in a row without a change mean that it is stuck.
class SendProgress {
 public:
  static constexpr int kLooks = 8;

  /// To be asked when nothing else has moved for a time-out. True: the connection is not idle, and
  /// has one time-out more.
  bool goes_on(int socket);

 private:
  std::int32_t unacknowledged_ = 0;  ///< at the last look
  std::uint8_t unchanged_ = 0;       ///< looks in a row
};

}  // namespace muxlab
