// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubClient } from "../interfaces/IHubClient.sol";
import { Multiproof } from "../types/Record.sol";

/// @title Many keys, and absences, under one root of the hub (docs/spec/records.md)
/// @notice The tree is that of `Ics23Smt`. The path of a key is its hash, so a proof says no directions: a leaf at another
/// place than its key's cannot be said. `light_clients/records/multiproof.py` is the same walk and refuses by the same names.
library SmtMultiproof {
    uint256 private constant MAX_CLAIMS = 256;
    uint256 private constant MAX_SIBLINGS = 16_384;
    uint256 private constant CLAIMED = 0;
    uint256 private constant NEIGHBOUR = 1;
    uint256 private constant VOID = 2;
    uint256 private constant HEAD_BYTES = 2;
    uint256 private constant NEIGHBOUR_BYTES = 64;
    uint256 private constant WORD_BITS = 256;

    /// @dev Where a walk stands. `claim` and `claimsEnd` are memory addresses of path and value hash, two words a claim; `cursor`,
    /// `end` and `sibling` are calldata offsets; `top` is that of a stack of (depth, hash) in memory, under which a depth of
    /// zero is, which no node has. Three words from `buffer` on are for hashing.
    struct Walk {
        uint256 claim;
        uint256 claimsEnd;
        uint256 cursor;
        uint256 end;
        uint256 sibling;
        uint256 top;
        uint256 buffer;
    }

    /// @notice Refuses unless every claim is true under the root, and every byte of the proof is needed for that.
    /// @param claims H(key) and H(value) of each claim, one after the other, ascending; H(value) zero for absence
    function verify(bytes32 root, bytes32[] memory claims, Multiproof calldata proof) internal view {
        unchecked {
            _requireAscending(claims);
            require(proof.siblings.length <= MAX_SIBLINGS, IHubClient.InvalidProof("siblings_are_bounded"));
            Walk memory walk = _open(claims, proof);
            uint256 depth = 0;
            bytes32 path;
            bytes32 node;
            bool any = false;
            while (walk.cursor < walk.end) {
                (uint256 nextDepth, bytes32 nextPath, bytes32 nextNode) = _readTerminal(walk);
                if (any) {
                    // two nodes of which neither is above the other part where their paths do
                    uint256 parted = _firstDifference(path, nextPath) + 1;
                    require(
                        path < nextPath && parted <= depth && parted <= nextDepth,
                        IHubClient.InvalidProof("terminals_ascend")
                    );
                    node = _climb(walk, path, node, depth, parted);
                    _push(walk, parted, node);
                }
                any = true;
                (depth, path, node) = (nextDepth, nextPath, nextNode);
            }
            require(any && walk.claim == walk.claimsEnd, IHubClient.InvalidProof("every_claim_ends"));
            node = _climb(walk, path, node, depth, 0);
            require(
                walk.sibling == _siblingsAt(proof) + proof.siblings.length * 32,
                IHubClient.InvalidProof("every_sibling_is_used")
            );
            require(node == root, IHubClient.InvalidProof("root_matches"));
        }
    }

    function _requireAscending(bytes32[] memory claims) private pure {
        uint256 words = claims.length;
        require(words != 0 && words <= 2 * MAX_CLAIMS, IHubClient.InvalidProof("claims_are_bounded"));
        bool ascending = true;
        assembly ("memory-safe") {
            let last := add(claims, shl(5, sub(words, 1)))
            for { let claim := add(claims, 0x20) } lt(claim, last) { claim := add(claim, 0x40) } {
                // the last claim has none after it
                if lt(add(claim, 0x20), last) {
                    if iszero(lt(mload(claim), mload(add(claim, 0x40)))) { ascending := 0 }
                }
            }
        }
        require(ascending, IHubClient.InvalidProof("claims_ascend"));
    }

    function _open(bytes32[] memory claims, Multiproof calldata proof) private pure returns (Walk memory walk) {
        bytes calldata terminals = proof.terminals;
        walk.sibling = _siblingsAt(proof);
        // a terminal ends a claim at least, so the stack has room for one node a claim
        bytes32[] memory space = new bytes32[](claims.length + 5);
        assembly ("memory-safe") {
            mstore(walk, add(claims, 0x20))
            mstore(add(walk, 0x20), add(add(claims, 0x20), shl(5, mload(claims))))
            mstore(add(walk, 0x40), terminals.offset)
            mstore(add(walk, 0x60), add(terminals.offset, terminals.length))
            // the tag of an inner node is the last byte of the first word
            mstore(add(space, 0x20), 1)
            mstore(add(walk, 0xa0), add(space, 0x80))
            mstore(add(walk, 0xc0), add(space, 0x20))
        }
    }

    function _siblingsAt(Multiproof calldata proof) private pure returns (uint256 offset) {
        bytes32[] calldata siblings = proof.siblings;
        assembly ("memory-safe") {
            offset := siblings.offset
        }
    }

    /// @dev Reads the next terminal and passes the claims that end there.
    function _readTerminal(Walk memory walk) private view returns (uint256 depth, bytes32 path, bytes32 node) {
        unchecked {
            uint256 cursor = walk.cursor + HEAD_BYTES;
            require(cursor <= walk.end, IHubClient.InvalidProof("terminal_is_whole"));
            uint256 head = uint256(_calldataWord(cursor - HEAD_BYTES)) >> 240;
            depth = head & 0xff;
            uint256 kind = head >> 8;
            uint256 claim = walk.claim;
            require(kind <= VOID, IHubClient.InvalidProof("terminal_kind_is_known"));
            require(claim < walk.claimsEnd, IHubClient.InvalidProof("terminal_ends_a_claim"));
            if (kind == CLAIMED) {
                (path, claim) = _findPresent(walk, depth);
                node = _leafHash(walk.buffer, path, _word(claim + 0x20));
                walk.claim = claim + 0x40;
            } else if (kind == VOID) {
                path = _word(claim);
            } else {
                cursor += NEIGHBOUR_BYTES;
                require(cursor <= walk.end, IHubClient.InvalidProof("terminal_is_whole"));
                path = _calldataWord(cursor - NEIGHBOUR_BYTES);
                node = _leafHash(walk.buffer, path, _calldataWord(cursor - NEIGHBOUR_BYTES / 2));
            }
            walk.cursor = cursor;
            _passAbsent(walk, path, depth, kind == NEIGHBOUR);
            require(walk.claim > claim || kind == CLAIMED, IHubClient.InvalidProof("terminal_ends_a_claim"));
        }
    }

    /// @dev The next claim that something is there; absent ones before it must lead to the same place.
    function _findPresent(Walk memory walk, uint256 depth) private pure returns (bytes32 path, uint256 claim) {
        unchecked {
            claim = walk.claim;
            bytes32 first = _word(claim);
            uint256 end = walk.claimsEnd;
            while (claim < end && _word(claim + 0x20) == 0) claim += 0x40;
            require(claim < end, IHubClient.InvalidProof("terminal_ends_a_claim"));
            path = _word(claim);
            // paths ascend, so what lies between two that begin alike begins like them
            require(_share(first, path, depth), IHubClient.InvalidProof("claim_ends_at_its_place"));
        }
    }

    /// @dev Passes the claims that lead to the node at `depth` on `path`: none of them may say that something is there.
    function _passAbsent(Walk memory walk, bytes32 path, uint256 depth, bool isNeighbour) private pure {
        unchecked {
            uint256 claim = walk.claim;
            uint256 end = walk.claimsEnd;
            while (claim < end) {
                bytes32 claimed = _word(claim);
                if (!_share(claimed, path, depth)) break;
                require(
                    _word(claim + 0x20) == 0 && !(isNeighbour && claimed == path),
                    IHubClient.InvalidProof("claim_is_absent")
                );
                claim += 0x40;
            }
            walk.claim = claim;
        }
    }

    /// @dev The node's ancestor at depth `end`, of left children that wait and of the proof's siblings. What is read beyond
    /// the siblings is found by the count at the end. Written for gas: a step costs the hash, its call and 32 instructions.
    function _climb(
        Walk memory walk,
        bytes32 path,
        bytes32 node,
        uint256 depth,
        uint256 end
    )
        private
        view
        returns (bytes32 ancestor)
    {
        assembly ("memory-safe") {
            let left := add(mload(add(walk, 0xc0)), 0x20)
            let sibling := mload(add(walk, 0x80))
            let ok := 1
            let bits := shr(sub(256, depth), path)
            // 0x20: a right child. Each hash is written where the next step reads it
            let side := shl(5, and(bits, 1))
            mstore(add(left, side), node)
            for { } gt(depth, end) { } {
                let top := mload(add(walk, 0xa0))
                let pause := mload(top)
                if lt(pause, end) { pause := end }
                let runEnd := add(sibling, shl(5, sub(depth, pause)))
                for { } lt(sibling, runEnd) { sibling := add(sibling, 0x20) } {
                    mstore(sub(add(left, 0x20), side), calldataload(sibling))
                    bits := shr(1, bits)
                    side := shl(5, and(bits, 1))
                    ok := and(ok, staticcall(gas(), 2, sub(left, 1), 0x41, add(left, side), 0x20))
                }
                depth := pause
                // a left child waits here
                if gt(depth, end) {
                    mstore(sub(add(left, 0x20), side), mload(add(top, 0x20)))
                    mstore(add(walk, 0xa0), sub(top, 0x40))
                    bits := shr(1, bits)
                    side := shl(5, and(bits, 1))
                    ok := and(ok, staticcall(gas(), 2, sub(left, 1), 0x41, add(left, side), 0x20))
                    depth := sub(depth, 1)
                }
            }
            if iszero(ok) { revert(0, 0) }
            mstore(add(walk, 0x80), sibling)
            ancestor := mload(add(left, side))
        }
    }

    /// @dev The node waits for its right sibling.
    function _push(Walk memory walk, uint256 depth, bytes32 node) private pure {
        assembly ("memory-safe") {
            let top := add(mload(add(walk, 0xa0)), 0x40)
            mstore(top, depth)
            mstore(add(top, 0x20), node)
            mstore(add(walk, 0xa0), top)
        }
    }

    /// @dev SHA-256(00 ‖ path ‖ value hash).
    function _leafHash(uint256 buffer, bytes32 path, bytes32 valueHash) private view returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(add(buffer, 0x20), path)
            mstore(add(buffer, 0x40), valueHash)
            mstore(buffer, 0)
            if iszero(staticcall(gas(), 2, add(buffer, 0x1f), 0x41, 0, 0x20)) { revert(0, 0) }
            hash := mload(0)
            mstore(buffer, 1)
        }
    }

    /// @dev How many leading bits two words have in common; 256 of equal ones.
    function _firstDifference(bytes32 one, bytes32 two) private pure returns (uint256 bits) {
        assembly ("memory-safe") {
            let rest := xor(one, two)
            switch rest
            case 0 { bits := 256 }
            default {
                // halves, as far as the upper one is equal
                if iszero(shr(128, rest)) { bits := 128 rest := shl(128, rest) }
                if iszero(shr(192, rest)) { bits := add(bits, 64) rest := shl(64, rest) }
                if iszero(shr(224, rest)) { bits := add(bits, 32) rest := shl(32, rest) }
                if iszero(shr(240, rest)) { bits := add(bits, 16) rest := shl(16, rest) }
                if iszero(shr(248, rest)) { bits := add(bits, 8) rest := shl(8, rest) }
                if iszero(shr(252, rest)) { bits := add(bits, 4) rest := shl(4, rest) }
                if iszero(shr(254, rest)) { bits := add(bits, 2) rest := shl(2, rest) }
                if iszero(shr(255, rest)) { bits := add(bits, 1) }
            }
        }
    }

    function _share(bytes32 one, bytes32 two, uint256 bits) private pure returns (bool) {
        unchecked {
            return uint256(one ^ two) >> (WORD_BITS - bits) == 0;
        }
    }

    function _calldataWord(uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(offset)
        }
    }

    function _word(uint256 place) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }
}
