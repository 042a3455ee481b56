// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AnchoredRoot } from "../types/Anchor.sol";

/// @title Roots over the entries of a window of time, a list for each publisher (docs/spec/anchors.md)
interface IAnchor {
    /// @notice A publisher has anchored a root.
    event RootAnchored(
        address indexed publisher,
        uint256 indexed index,
        bytes32 indexed root,
        uint64 count,
        uint64 fromTime,
        uint64 toTime,
        uint64 anchoredAt
    );

    /// @notice No tree has this root: a slot that holds zero could not be shown.
    error ZeroRoot();
    /// @notice A tree has between 1 and 2**63 - 1 entries.
    error InvalidCount(uint64 count);
    /// @notice A window ends after it begins.
    error EmptyWindow(uint64 fromTime, uint64 toTime);
    /// @notice The window begins before the end of the publisher's last one.
    error WindowGoesBack(uint64 fromTime, uint64 anchoredTo);
    /// @notice The window ends after this block's time.
    error WindowNotOver(uint64 toTime, uint64 blockTime);
    /// @notice The publisher has no anchor of this index.
    error UnknownAnchor(address publisher, uint256 index, uint256 count);

    /// @notice Write down the root over the caller's entries from `fromTime` until before `toTime`.
    /// @param root RFC 6962, with SHA-256, over the entries in their order
    /// @param count of entries under the root, 1 to 2**63 - 1
    /// @param fromTime Unix seconds, not before the end of the caller's last window
    /// @param toTime Unix seconds, after `fromTime` and not after this block's time
    /// @return index of the anchor in the caller's list
    function anchor(bytes32 root, uint64 count, uint64 fromTime, uint64 toTime) external returns (uint256 index);

    /// @notice How many anchors a publisher has.
    function countOf(address publisher) external view returns (uint256);
    /// @notice One anchor of a publisher, the oldest at index 0.
    function anchorAt(address publisher, uint256 index) external view returns (AnchoredRoot memory);
    /// @notice Whether `leaf` is entry `leafIndex` under a publisher's anchor. False for whatever does not lead to the root
    /// by the one path that the place has.
    /// @param leaf bytes of the entry, which are hashed here
    /// @param leafIndex of the entry, from 0
    /// @param siblings of the path, lowest first (RFC 6962, section 2.1.1)
    function includes(
        address publisher,
        uint256 index,
        bytes calldata leaf,
        uint64 leafIndex,
        bytes32[] calldata siblings
    )
        external
        view
        returns (bool);
}
