#pragma once

#include <cstdint>

namespace muxlab {

/// Detects whether a client still receives bytes sent before. The kernel continues to send a
/// socket's buffer while no call of the server moves a byte.
///
/// Compares the number of bytes that the client has not acknowledged (SIOCOUTQ, tcp(7)) between
/// looks. A client that receives slowly, but without a pause, acknowledges in steps, because its
/// receive window opens in steps: over loopback of 100 KiB, nearly three seconds for a client with
/// 40 kB/s. So only kLooks looks in a row without a change mean that it is stuck.
class SendProgress {
 public:
  static constexpr int kLooks = 8;

  /// Call it when nothing else has moved for a time-out. Returns true if the connection is not idle
  /// and gets another time-out.
  bool goes_on(int socket);

 private:
  std::int32_t unacknowledged_ = 0;  ///< at the last look
  std::uint8_t unchanged_ = 0;       ///< looks in a row
};

}  // namespace muxlab
