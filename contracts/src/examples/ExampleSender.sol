// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMailbox } from "../interfaces/IMailbox.sol";
import { IMessageSender } from "../interfaces/IMessageReceiver.sol";

/// @title Smallest sender: sends over the hub and learns how each message ended
contract ExampleSender is IMessageSender {
    IMailbox private immutable MAILBOX;
    uint64 private constant TIMEOUT = 1 hours;
    /// @dev Storing more than three words does not fit the 150 000 gas of a settlement, and its outcome would be lost with it.
    uint256 private constant MAX_STORED_RESULT = 96;

    /// @notice How far a message has come.
    enum Outcome {
        Unknown,
        Waiting,
        Delivered,
        Failed
    }

    /// @notice How a message ended.
    mapping(bytes32 messageId => Outcome outcome) public outcomes;
    /// @notice What the receiver of a delivered message returned; longer than 96 bytes it is in the Mailbox's event only.
    mapping(bytes32 messageId => bytes result) public results;

    /// @notice Only the Mailbox tells how messages ended.
    error OnlyMailbox(address caller);

    /// @param mailbox Mailbox of this chain
    constructor(IMailbox mailbox) {
        MAILBOX = mailbox;
    }

    /// @notice Sends a message to a contract of the chain behind the hub's client `nextClient`.
    function send(
        string calldata nextClient,
        string calldata receiver,
        bytes calldata payload
    )
        external
        returns (bytes32 messageId)
    {
        (messageId,) = MAILBOX.sendForwarded(
            MAILBOX.hubClientId(), nextClient, receiver, payload, uint64(block.timestamp) + TIMEOUT
        );
        outcomes[messageId] = Outcome.Waiting;
    }

    /// @inheritdoc IMessageSender
    function onMessageSettled(bytes32 messageId, bool delivered, bytes calldata result) external {
        require(msg.sender == address(MAILBOX), OnlyMailbox(msg.sender));
        outcomes[messageId] = delivered ? Outcome.Delivered : Outcome.Failed;
        if (result.length <= MAX_STORED_RESULT) results[messageId] = result;
    }
}
