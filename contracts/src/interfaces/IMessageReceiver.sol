// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice Proven origin of a message.
/// @param chain name that this chain's administrators gave the origin
/// @param clientId direct: this router's client of the origin; forwarded: the hub's client of the origin
/// @param sourcePort port of the sending application on the origin
/// @param sequence sequence of the origin's packet
/// @param forwarded whether the message came over the hub
struct Origin {
    string chain;
    string clientId;
    string sourcePort;
    uint64 sequence;
    bool forwarded;
}

/// @title What a contract implements to receive messages
interface IMessageReceiver {
    /// @notice Handles a message. Must accept calls from the Mailbox only.
    /// @dev Called with at least 200 000 gas, or what the sender asked for. A revert with a reason refuses the message for good and tells the sender so;
    /// a revert without one, or one that leaves less than a quarter of the gas, leaves it to be delivered again. Never decide
    /// by `gasleft()`: the relayer chooses it. Sending inside this call is refused by the router.
    /// @param origin where the message provably comes from
    /// @param sender sender on the origin chain, as that chain's Mailbox wrote it (EVM: lower-case hex address)
    /// @param payload what the sender sent
    /// @return result at most 8 KiB, carried back to the sender
    function onMessage(
        Origin calldata origin,
        string calldata sender,
        bytes calldata payload
    )
        external
        returns (bytes memory result);
}

/// @title What a contract may implement to learn how its messages ended
interface IMessageSender {
    /// @notice Learns the end of a message. Must accept calls from the Mailbox only.
    /// @dev Called with exactly 150 000 gas; a revert is recorded in an event and changes nothing.
    /// @param messageId as `sendMessage` or `sendForwarded` returned it
    /// @param delivered true if the receiver returned, false if it refused or the message timed out
    /// @param result what the receiver returned; empty where not delivered
    function onMessageSettled(bytes32 messageId, bool delivered, bytes calldata result) external;
}
