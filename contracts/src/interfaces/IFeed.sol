// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { FeedDescription, FeedRound } from "../types/Feed.sol";

/// @title Scheduled feeds of values that k of n signers report (docs/spec/feeds.md)
/// @notice Nobody owns the contract or a feed in it. Reports bind the feed and the round, not a chain: the same ones can be
/// pushed to every chain, by anyone. Rounds only go on in time.
interface IFeed {
    /// @notice A newer round stands.
    event RoundStored(bytes32 indexed id, uint64 indexed time, int128 value, uint64 count);

    /// @notice The named part of a description is not as docs/spec/feeds.md has it.
    error InvalidDescription(string field);
    /// @notice A round has as many reports as its feed's threshold, and no more than it has signers.
    error InvalidReportCount(uint256 count, uint256 minimum, uint256 maximum);
    /// @notice As many signatures as values, of 65 bytes each.
    error InvalidSignaturesLength(uint256 length, uint256 expected);
    /// @notice Not a signature with low s and v 27 or 28.
    error InvalidSignature(uint256 index);
    /// @notice The report's signature is of an account that is no signer of this feed, or signs another feed, time or value.
    error NotSigner(uint256 index, address account);
    /// @notice Reports ascend by signer, so that none counts twice.
    error SignersNotAscending(uint256 index, address account, address previous);
    /// @notice A round's time lies further ahead than clocks may differ.
    error FromFuture(uint256 time, uint256 limit);
    /// @notice No round of this feed was ever pushed here.
    error NothingReported(bytes32 id);
    /// @notice The newest round is as old as `maxAge`.
    error StaleRound(uint256 time, uint256 maxAge, uint256 nowTime);

    /// @notice Stores the value of a round. Open to everyone: signatures decide. Where a round of that time or a later one
    /// stands, nothing is checked further and nothing changes.
    /// @param description of the feed
    /// @param roundTime Unix seconds that the signers signed, at most a minute ahead of the block
    /// @param values one a report, ascending by signer
    /// @param signatures 65 bytes r ‖ s ‖ v each, in the same order
    /// @return stored false: the round is not newer
    function push(
        FeedDescription calldata description,
        uint64 roundTime,
        int128[] calldata values,
        bytes calldata signatures
    )
        external
        returns (bool stored);

    /// @notice The newest round, refused once it is as old as `maxAge`: whoever acts on a value says how old it may be.
    /// @param maxAge seconds
    function read(bytes32 id, uint64 maxAge) external view returns (FeedRound memory);

    /// @notice The newest round however old it is; all zero where there was none. For showing, not for acting on.
    function latest(bytes32 id) external view returns (FeedRound memory);

    /// @notice The id of a feed, if its description is well formed.
    function idOf(FeedDescription calldata description) external pure returns (bytes32);

    /// @notice What a signer signs: EIP-712 `Report(bytes32 feed,uint64 time,int128 value)` under the domain of name
    /// `hutong feed` and version `1`, without a chain.
    function digestOf(bytes32 id, uint64 roundTime, int128 value) external pure returns (bytes32);
}
