// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IFeed } from "../interfaces/IFeed.sol";
import { FeedDescription } from "../types/Feed.sol";
import { Attested } from "./Attested.sol";
import { Identifiers } from "./Identifiers.sol";

/// @title Feeds: descriptions, what signers sign, and the value of a round (docs/spec/feeds.md)
library Feeds {
    uint256 internal constant MAX_SIGNERS = 64;
    uint256 internal constant SIGNATURE_LENGTH = 65;

    string private constant VERSION = "hutong-feed-1";
    uint256 private constant MAX_LABEL_LENGTH = 64;
    uint256 private constant MAX_DECIMALS = 38;
    uint8 private constant MEDIAN = 1;
    bytes32 private constant REPORT_TYPEHASH = keccak256("Report(bytes32 feed,uint64 time,int128 value)");
    bytes32 private constant DOMAIN_SEPARATOR = keccak256(
        abi.encode(keccak256("EIP712Domain(string name,string version)"), keccak256("hutong feed"), keccak256("1"))
    );

    /// @notice A feed's name on every chain.
    function idOf(FeedDescription calldata feed) internal pure returns (bytes32) {
        check(feed);
        return keccak256(
            abi.encode(
                VERSION, feed.signers, feed.threshold, feed.rule, feed.decimals, feed.heartbeat, feed.label
            )
        );
    }

    /// @notice Refuses what is no feed: a threshold that two disjoint halves could reach, signers that are there twice.
    function check(FeedDescription calldata feed) internal pure {
        uint256 count = feed.signers.length;
        require(count != 0 && count <= MAX_SIGNERS, IFeed.InvalidDescription("signers"));
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            require(feed.signers[i] > last, IFeed.InvalidDescription("signers"));
            last = feed.signers[i];
        }
        uint256 threshold = feed.threshold;
        require(threshold <= count && 2 * threshold > count, IFeed.InvalidDescription("threshold"));
        require(feed.rule == MEDIAN, IFeed.InvalidDescription("rule"));
        require(feed.decimals <= MAX_DECIMALS, IFeed.InvalidDescription("decimals"));
        require(feed.heartbeat != 0, IFeed.InvalidDescription("heartbeat"));
        require(Identifiers.isPlainText(feed.label, MAX_LABEL_LENGTH), IFeed.InvalidDescription("label"));
    }

    /// @notice What a signer signs.
    function digest(bytes32 id, uint64 time, int128 value) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, keccak256(abi.encode(REPORT_TYPEHASH, id, time, value)))
        );
    }

    /// @notice Refuses reports of which one is not signed by a signer of the feed, or two by the same.
    function checkReports(
        FeedDescription calldata feed,
        bytes32 id,
        uint64 time,
        int128[] calldata values,
        bytes calldata signatures
    )
        internal
        pure
    {
        uint256 count = values.length;
        address[] calldata signers = feed.signers;
        require(
            count >= feed.threshold && count <= signers.length,
            IFeed.InvalidReportCount(count, feed.threshold, signers.length)
        );
        require(
            signatures.length == count * SIGNATURE_LENGTH,
            IFeed.InvalidSignaturesLength(signatures.length, count * SIGNATURE_LENGTH)
        );
        address last = address(0);
        uint256 next = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 start = i * SIGNATURE_LENGTH;
            address account =
                Attested.recover(digest(id, time, values[i]), signatures[start:start + SIGNATURE_LENGTH]);
            require(account != address(0), IFeed.InvalidSignature(i));
            require(account > last, IFeed.SignersNotAscending(i, account, last));
            // both ascend, so that one walk over the signers finds all
            while (next < signers.length && signers[next] < account) ++next;
            require(next < signers.length && signers[next] == account, IFeed.NotSigner(i, account));
            last = account;
        }
    }

    /// @notice The value in the middle; of an even number the lower of both, so that it is always one that was signed.
    function median(int128[] memory values) internal pure returns (int128) {
        uint256 count = values.length;
        for (uint256 i = 1; i < count; ++i) {
            int128 value = values[i];
            uint256 place = i;
            for (; place != 0 && values[place - 1] > value; --place) {
                values[place] = values[place - 1];
            }
            values[place] = value;
        }
        return values[(count - 1) / 2];
    }
}
