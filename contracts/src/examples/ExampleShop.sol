// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMessageReceiver, Origin } from "../interfaces/IMessageReceiver.sol";
import { Identifiers } from "../libraries/Identifiers.sol";

/// @title A shop or clinic that gives out lots until their maker, on another chain, recalls them
contract ExampleShop is IMessageReceiver {
    using Identifiers for string;

    address private immutable MAILBOX;
    string private _makerChain;
    string private _maker;

    /// @notice When this shop learned that a lot is recalled, Unix seconds; 0: it is not.
    mapping(bytes32 lot => uint256 time) public recalledAt;

    /// @notice Something of a lot went to somebody.
    event GivenOut(bytes32 indexed lot, address indexed to);
    /// @notice These lots are recalled, since `madeAt` by the maker.
    event LotsRecalled(uint256 madeAt, bytes32[] lots);

    /// @notice Only the Mailbox delivers messages.
    error OnlyMailbox(address caller);
    /// @notice Only the maker of the lots recalls them.
    error NotTheMaker(string chain, string sender);
    /// @notice The lot is recalled since then.
    error LotRecalled(bytes32 lot, uint256 since);

    /// @param mailbox Mailbox of this chain
    /// @param makerChain the maker's chain, as this chain's Mailbox calls it
    /// @param maker the maker's account there, in lower-case hex
    constructor(address mailbox, string memory makerChain, string memory maker) {
        MAILBOX = mailbox;
        _makerChain = makerChain;
        _maker = maker;
    }

    /// @notice Give out something of a lot.
    function giveOut(bytes32 lot) external {
        require(recalledAt[lot] == 0, LotRecalled(lot, recalledAt[lot]));
        emit GivenOut(lot, msg.sender);
    }

    /// @inheritdoc IMessageReceiver
    function onMessage(Origin calldata origin, string calldata sender, bytes calldata payload) external returns (bytes memory) {
        require(msg.sender == MAILBOX, OnlyMailbox(msg.sender));
        require(origin.chain.equal(_makerChain) && sender.equal(_maker), NotTheMaker(origin.chain, sender));
        (uint256 madeAt, bytes32[] memory lots) = abi.decode(payload, (uint256, bytes32[]));
        for (uint256 i = 0; i < lots.length; ++i) if (recalledAt[lots[i]] == 0) recalledAt[lots[i]] = block.timestamp;
        emit LotsRecalled(madeAt, lots);
        return "";
    }
}
