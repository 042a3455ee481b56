// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Chunk trees of status lists (docs/spec/identity-status.md)
library ChunkTree {
    uint256 private constant CHUNK_SHIFT = 8;
    uint256 private constant CHUNK_BITS = 256;

    /// @notice How many statuses a list has.
    function size(uint256 bits, uint256 depth) internal pure returns (uint256) {
        return (CHUNK_BITS << depth) / bits;
    }

    /// @notice The root to which a chunk's path leads, by the place that the index has. The caller compares lengths.
    function rootOf(bytes32 chunk, uint256 bits, uint256 index, bytes32[] calldata siblings)
        internal
        view
        returns (bytes32 node)
    {
        uint256 place = index * bits >> CHUNK_SHIFT;
        assembly ("memory-safe") {
            node := chunk
            let end := add(siblings.offset, shl(5, siblings.length))
            for { let at := siblings.offset } lt(at, end) { at := add(at, 0x20) } {
                // a place that is odd has its sibling on the left
                let side := shl(5, and(place, 1))
                mstore(side, node)
                mstore(xor(side, 0x20), calldataload(at))
                if iszero(staticcall(gas(), 2, 0, 0x40, 0, 0x20)) { revert(0, 0) }
                node := mload(0)
                place := shr(1, place)
            }
        }
    }

    /// @notice The status of an index in its chunk. Bit 0 is the least significant of the first byte.
    function statusIn(bytes32 chunk, uint256 bits, uint256 index) internal pure returns (uint256) {
        uint256 bit = index * bits % CHUNK_BITS;
        return uint8(chunk[bit >> 3]) >> (bit & 7) & (1 << bits) - 1;
    }
}
