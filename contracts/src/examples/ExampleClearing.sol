// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { IMessageReceiver, Origin } from "../interfaces/IMessageReceiver.sol";
import { ExampleOperators } from "./ExampleOperators.sol";

/// @title Clearing of one ticket between three licensed operators, who report each day's trips by messages from elsewhere
contract ExampleClearing is ExampleOperators, IMessageReceiver {
    address private immutable MAILBOX;
    IERC20 private immutable TOKEN;
    mapping(uint256 day => bytes32[3] hashes) public reports;
    mapping(uint256 day => bytes32[3] seen) private _confirmed;
    mapping(uint256 day => int256[3] units) private _nets;

    /// @notice The place is not the caller's; or has reported; or not all have confirmed what all reported.
    error NotNow(uint256 day, uint256 place);

    constructor(IIdentityCache cache, uint64 age, address mailbox, IERC20 token, bytes32 licence) ExampleOperators(cache, age, licence) {
        (MAILBOX, TOKEN) = (mailbox, token);
    }

    /// @dev `abi.encode(day, root of the trips, number of their batches, fares owed for the riders of each operator)`.
    function onMessage(Origin calldata origin, string calldata sender, bytes calldata payload) external returns (bytes memory) {
        (uint256 day,,, int256[3] memory owed) = abi.decode(payload, (uint256, bytes32, uint64, int256[3]));
        uint256 place = 0;
        while (place < 3 && sources[place] != keccak256(abi.encode(origin.chain, sender))) ++place;
        require(msg.sender == MAILBOX && place < 3 && reports[day][place] == 0, NotNow(day, place));
        reports[day][place] = keccak256(payload);
        for (uint256 i = 0; i < 3; ++i) _nets[day][i] -= owed[i];
        _nets[day][place] += owed[0] + owed[1] + owed[2];
        return "";
    }

    /// @notice The operator has counted what all reported.
    function confirm(uint256 day, uint256 place) external {
        require(accounts[place] == msg.sender, NotNow(day, place));
        _confirmed[day][place] = keccak256(abi.encode(reports[day]));
    }

    /// @notice Who owes pays, who is owed is paid, and nothing is owed any more.
    function settle(uint256 day) external {
        for (uint256 i = 0; i < 6; ++i) {
            (int256 net, bytes32 seen) = (_nets[day][i % 3], _confirmed[day][i % 3]);
            require(reports[day][i % 3] != 0 && seen == keccak256(abi.encode(reports[day])), NotNow(day, i % 3));
            if (i < 3 && net < 0) require(TOKEN.transferFrom(accounts[i], address(this), uint256(-net)));
            if (i > 2 && net > 0) require(TOKEN.transfer(accounts[i % 3], uint256(net)));
        }
        delete _nets[day];
    }
}
