// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IFeed } from "../interfaces/IFeed.sol";
import { Feeds } from "../libraries/Feeds.sol";
import { FeedDescription, FeedRound } from "../types/Feed.sol";

/// @title Scheduled feeds of values that k of n signers report (docs/spec/feeds.md)
/// @notice Has no owner, no roles and no port: a description is its feed's only authority.
contract Feed is IFeed {
    /// @dev Seconds by which clocks of signers and chain may differ.
    uint256 private constant MAX_CLOCK_DRIFT = 60;

    /// @dev Slot 0. A proof reads it from outside: neither its place nor the form of FeedRound may change.
    mapping(bytes32 id => FeedRound round) private _rounds;

    /// @inheritdoc IFeed
    function push(
        FeedDescription calldata description,
        uint64 roundTime,
        int128[] calldata values,
        bytes calldata signatures
    )
        external
        returns (bool stored)
    {
        bytes32 id = Feeds.idOf(description);
        uint256 limit = block.timestamp + MAX_CLOCK_DRIFT;
        require(roundTime <= limit, FromFuture(roundTime, limit));
        if (roundTime <= _rounds[id].time) return false;
        Feeds.checkReports(description, id, roundTime, values, signatures);
        FeedRound memory round = FeedRound(Feeds.median(values), roundTime, uint64(values.length));
        _rounds[id] = round;
        emit RoundStored(id, roundTime, round.value, round.count);
        return true;
    }

    /// @inheritdoc IFeed
    function read(bytes32 id, uint64 maxAge) external view returns (FeedRound memory round) {
        round = _rounds[id];
        require(round.time != 0, NothingReported(id));
        require(block.timestamp < uint256(round.time) + maxAge, StaleRound(round.time, maxAge, block.timestamp));
    }

    /// @inheritdoc IFeed
    function latest(bytes32 id) external view returns (FeedRound memory) {
        return _rounds[id];
    }

    /// @inheritdoc IFeed
    function idOf(FeedDescription calldata description) external pure returns (bytes32) {
        return Feeds.idOf(description);
    }

    /// @inheritdoc IFeed
    function digestOf(bytes32 id, uint64 roundTime, int128 value) external pure returns (bytes32) {
        return Feeds.digest(id, roundTime, value);
    }
}
