// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Roots of archives of proof bundles, one growing list for each publisher.
/// @notice Nothing is believed here: a root says only that its publisher said it, and when. What a list holds is never
/// changed, so that a proof from any later block shows every earlier root (docs/spec/archive.md).
contract ArchiveAnchor {
    /// @notice An RFC 6962 root over the first `size` entries of a log, at the time of its block in seconds.
    struct Anchor {
        uint64 size;
        uint64 time;
        bytes32 root;
    }

    /// @dev Slot 0. A proof reads it from outside: neither its place nor the form of Anchor may change.
    mapping(address publisher => Anchor[] anchors) private _anchors;

    /// @notice A publisher's log has grown to `size` entries.
    event Anchored(address indexed publisher, uint256 indexed index, uint64 size, uint64 time, bytes32 root);

    /// @notice A log only grows.
    error SizeMustGrow(uint64 size, uint64 anchoredSize);

    /// @notice Write down the root of the caller's log.
    /// @param size How many entries the root is over, more than at the call before.
    /// @param root The root over them.
    /// @return index Of the anchor in the caller's list.
    function publish(uint64 size, bytes32 root) external returns (uint256 index) {
        Anchor[] storage anchors = _anchors[msg.sender];
        index = anchors.length;
        uint64 anchoredSize = index == 0 ? 0 : anchors[index - 1].size;
        if (size <= anchoredSize) {
            revert SizeMustGrow(size, anchoredSize);
        }
        anchors.push(Anchor(size, uint64(block.timestamp), root));
        emit Anchored(msg.sender, index, size, uint64(block.timestamp), root);
    }

    /// @notice How many anchors a publisher has.
    function count(address publisher) external view returns (uint256) {
        return _anchors[publisher].length;
    }

    /// @notice One anchor of a publisher, the oldest at index 0.
    function anchorAt(address publisher, uint256 index) external view returns (Anchor memory) {
        return _anchors[publisher][index];
    }
}
