// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    OnAcknowledgementPacketCallback,
    OnRecvPacketCallback,
    OnTimeoutPacketCallback
} from "../types/Packet.sol";

/// @title IBC application: the owner of a port
/// @notice Every function must accept calls from the router only.
interface IIBCApp {
    /// @notice Handles a proven packet.
    /// @dev A revert with a reason becomes the error acknowledgement. A revert without one, or one that leaves less than a
    /// quarter of the gas (as when gas runs out), reverts the whole receive, and the packet can be received again.
    /// @param msg_ the packet's payload and where it came from
    /// @return acknowledgement, not empty, at most 16 KiB, and never the error sentinel
    function onRecvPacket(OnRecvPacketCallback calldata msg_) external returns (bytes memory);

    /// @notice Learns the proven acknowledgement of a packet that it sent; the commitment is gone already.
    /// @param msg_ the packet's payload and its acknowledgement
    function onAcknowledgementPacket(OnAcknowledgementPacketCallback calldata msg_) external;

    /// @notice Learns that a packet that it sent was provably not received in time; the commitment is gone already.
    /// @param msg_ the packet's payload
    function onTimeoutPacket(OnTimeoutPacketCallback calldata msg_) external;
}
