// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Paths of RFC 6962 trees over SHA-256
/// @notice As `light_clients/proofs/merkle/proof.py`: index and total fix how many siblings a path has, and their sides.
library Rfc6962 {
    /// @notice SHA-256 of 00 and the entry.
    function leafHash(bytes calldata leaf) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(0), leaf));
    }

    /// @notice The root to which a path leads; zero, which no path leads to, where it has another length than its place.
    function rootOf(bytes32 node, uint256 index, uint256 total, bytes32[] calldata siblings)
        internal
        pure
        returns (bytes32)
    {
        if (index >= total) return 0;
        uint256 used = 0;
        for (uint256 width = total; width > 1; width = (width + 1) / 2) {
            // a lone last node has no sibling: it stands again on the level above
            if (index % 2 == 1 || index + 1 < width) {
                if (used == siblings.length) return 0;
                bytes32 sibling = siblings[used++];
                node = index % 2 == 1
                    ? sha256(abi.encodePacked(uint8(1), sibling, node))
                    : sha256(abi.encodePacked(uint8(1), node, sibling));
            }
            index /= 2;
        }
        return used == siblings.length ? node : bytes32(0);
    }
}
