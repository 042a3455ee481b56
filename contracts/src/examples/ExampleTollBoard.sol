// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMessageReceiver, Origin } from "../interfaces/IMessageReceiver.sol";

/// @title Shows the toll of another chain to drivers, as that chain's toll contract announced it
contract ExampleTollBoard is IMessageReceiver {
    address private immutable MAILBOX;
    uint64 private immutable MAX_AGE;
    bytes32 private immutable TOLL;

    struct Price {
        uint128 price;
        uint64 time;
    }

    Price private _shown;

    /// @notice Only the Mailbox delivers messages.
    error OnlyMailbox(address caller);
    /// @notice Only the toll contract of the other chain announces prices.
    error OnlyToll(string clientId, string sender);
    /// @notice The board shows a price of that time or a later one.
    error NothingNewer(uint64 time);

    /// @param mailbox Mailbox of this chain
    /// @param origin the hub's client of the toll's chain
    /// @param toll contract there, `0x` and 40 lower-case digits
    constructor(address mailbox, string memory origin, string memory toll, uint64 maxAge) {
        (MAILBOX, MAX_AGE, TOLL) = (mailbox, maxAge, keccak256(abi.encode(true, origin, toll)));
    }

    /// @inheritdoc IMessageReceiver
    function onMessage(Origin calldata origin, string calldata sender, bytes calldata payload)
        external
        returns (bytes memory)
    {
        require(msg.sender == MAILBOX, OnlyMailbox(msg.sender));
        bytes32 said = keccak256(abi.encode(origin.forwarded, origin.clientId, sender));
        require(said == TOLL, OnlyToll(origin.clientId, sender));
        (uint128 price, uint64 time) = abi.decode(payload, (uint128, uint64));
        require(time > _shown.time, NothingNewer(time));
        _shown = Price(price, time);
        return "";
    }

    /// @notice The price, of when it is, and whether it is stale.
    function quote() external view returns (uint128 price, uint64 time, bool stale) {
        return (_shown.price, _shown.time, block.timestamp >= uint256(_shown.time) + MAX_AGE);
    }
}
