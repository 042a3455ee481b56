// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IFeed } from "../interfaces/IFeed.sol";
import { IMailbox } from "../interfaces/IMailbox.sol";
import { FeedRound } from "../types/Feed.sol";

/// @title A road's toll: a published rule over a feed of how many vehicles pass
contract ExampleToll {
    IFeed private immutable FEED;
    bytes32 private immutable ID;
    IMailbox private immutable MAILBOX;
    uint64 private immutable MAX_AGE;
    int128 private immutable FREE;
    uint128 private immutable BASE;
    uint128 private immutable RATE;

    struct Price {
        uint128 price;
        uint64 time;
        uint64 count;
    }

    /// @notice Slot 0: a hash over all prices so far, so that none can be left out or changed.
    bytes32 public day;
    Price private _current;

    /// @notice The feed's round is the one that the price is of.
    error NothingNewer(uint64 time);

    /// @param rule free vehicles an hour, then the price up to there, then what each one more adds; in cents
    constructor(IFeed feed, bytes32 id, IMailbox mailbox, uint64 maxAge, uint128[3] memory rule) {
        (FEED, ID, MAILBOX, MAX_AGE) = (feed, id, mailbox, maxAge);
        (FREE, BASE, RATE) = (int128(rule[0]), rule[1], rule[2]);
    }

    /// @notice Takes the price of the newest round. Anybody may call it; a stale round is refused, and the old price stays.
    function update() external {
        FeedRound memory round = FEED.read(ID, MAX_AGE);
        require(round.time > _current.time, NothingNewer(round.time));
        uint128 price = round.value <= FREE ? BASE : BASE + uint128(round.value - FREE) * RATE;
        day = keccak256(abi.encode(day, round.time, round.value, price));
        _current = Price(price, round.time, _current.count + 1);
    }

    /// @notice Tells a board on another chain the price, over the hub.
    function announce(string calldata nextClient, string calldata board, uint64 timeout) external {
        bytes memory said = abi.encode(_current.price, _current.time);
        MAILBOX.sendForwarded(MAILBOX.hubClientId(), nextClient, board, said, timeout);
    }

    /// @notice The price, of when it is, and whether it is stale.
    function quote() external view returns (uint128 price, uint64 time, bool stale) {
        return (_current.price, _current.time, block.timestamp >= uint256(_current.time) + MAX_AGE);
    }
}
