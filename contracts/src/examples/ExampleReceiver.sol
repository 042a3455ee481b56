// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMessageReceiver, Origin } from "../interfaces/IMessageReceiver.sol";

/// @title Smallest receiver: records who said what, and answers with the same bytes
contract ExampleReceiver is IMessageReceiver {
    address private immutable MAILBOX;

    /// @notice Messages received from a sender of a chain.
    mapping(string chain => mapping(string sender => uint256 count)) public received;

    /// @notice A message came in.
    event Received(string chain, string sender, bytes payload);

    /// @notice Only the Mailbox delivers messages.
    error OnlyMailbox(address caller);

    /// @param mailbox Mailbox of this chain
    constructor(address mailbox) {
        MAILBOX = mailbox;
    }

    /// @inheritdoc IMessageReceiver
    function onMessage(
        Origin calldata origin,
        string calldata sender,
        bytes calldata payload
    )
        external
        returns (bytes memory result)
    {
        require(msg.sender == MAILBOX, OnlyMailbox(msg.sender));
        ++received[origin.chain][sender];
        emit Received(origin.chain, sender, payload);
        return payload;
    }
}
