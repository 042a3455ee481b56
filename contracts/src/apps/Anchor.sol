// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAnchor } from "../interfaces/IAnchor.sol";
import { Rfc6962 } from "../libraries/Rfc6962.sol";
import { AnchoredRoot } from "../types/Anchor.sol";

/// @title Roots over the entries of a window of time, a list for each publisher (docs/spec/anchors.md)
/// @notice Nothing is believed here, and nobody owns it: a root says only that its publisher said it, and by when. What a
/// list holds is never changed, and its windows never overlap, so that an entry cannot be put in or taken out later.
contract Anchor is IAnchor {
    uint64 private constant MAX_COUNT = 2 ** 63 - 1;

    /// @dev Slot 0. Proofs read it from outside: neither its place nor the form of AnchoredRoot may change.
    mapping(address publisher => AnchoredRoot[] roots) private _roots;

    /// @inheritdoc IAnchor
    function anchor(bytes32 root, uint64 count, uint64 fromTime, uint64 toTime) external returns (uint256 index) {
        AnchoredRoot[] storage roots = _roots[msg.sender];
        index = roots.length;
        uint64 blockTime = uint64(block.timestamp);
        require(root != 0, ZeroRoot());
        require(count != 0 && count <= MAX_COUNT, InvalidCount(count));
        require(fromTime < toTime, EmptyWindow(fromTime, toTime));
        require(toTime <= blockTime, WindowNotOver(toTime, blockTime));
        if (index != 0) {
            uint64 anchoredTo = roots[index - 1].toTime;
            require(fromTime >= anchoredTo, WindowGoesBack(fromTime, anchoredTo));
        }
        roots.push(AnchoredRoot(root, count, fromTime, toTime, blockTime));
        emit RootAnchored(msg.sender, index, root, count, fromTime, toTime, blockTime);
    }

    /// @inheritdoc IAnchor
    function countOf(address publisher) external view returns (uint256) {
        return _roots[publisher].length;
    }

    /// @inheritdoc IAnchor
    function anchorAt(address publisher, uint256 index) external view returns (AnchoredRoot memory) {
        return _at(publisher, index);
    }

    /// @inheritdoc IAnchor
    function includes(
        address publisher,
        uint256 index,
        bytes calldata leaf,
        uint64 leafIndex,
        bytes32[] calldata siblings
    )
        external
        view
        returns (bool)
    {
        AnchoredRoot storage anchored = _at(publisher, index);
        return Rfc6962.rootOf(Rfc6962.leafHash(leaf), leafIndex, anchored.count, siblings) == anchored.root;
    }

    function _at(address publisher, uint256 index) private view returns (AnchoredRoot storage) {
        AnchoredRoot[] storage roots = _roots[publisher];
        require(index < roots.length, UnknownAnchor(publisher, index, roots.length));
        return roots[index];
    }
}
