// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a publisher has anchored: the root over `count` entries of a window of time.
/// @param root RFC 6962, with SHA-256, over the entries in their order
/// @param count of entries under the root
/// @param fromTime first second of the window, Unix time
/// @param toTime first second after the window, Unix time
/// @param anchoredAt time of the block that took it, Unix seconds
struct AnchoredRoot {
    bytes32 root;
    uint64 count;
    uint64 fromTime;
    uint64 toTime;
    uint64 anchoredAt;
}
