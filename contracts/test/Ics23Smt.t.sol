// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubClient } from "../src/interfaces/IHubClient.sol";
import { Ics23Smt } from "../src/libraries/Ics23Smt.sol";
import { TestBase } from "./TestBase.t.sol";

/// @notice Makes the library's functions callable, so that their reverts can be expected.
contract SmtReader {
    function existence(bytes32 root, IHubClient.ExistenceProof memory proof, bytes memory key, bytes memory value) external pure {
        Ics23Smt.verifyExistence(root, proof, key, value);
    }

    function nonExistence(bytes32 root, IHubClient.NonExistenceProof memory proof, bytes memory key) external pure {
        Ics23Smt.verifyNonExistence(root, proof, key);
    }
}

/// @notice A sparse Merkle tree over a few keys, rebuilt for each proof.
contract Ics23SmtTest is TestBase {
    SmtReader private reader = new SmtReader();

    function tree(uint256 seed, uint256 count) private pure returns (bytes[] memory keys) {
        keys = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) keys[i] = abi.encodePacked("key", seed, i);
        // in order of their hashes
        for (uint256 i = 1; i < count; ++i) {
            for (uint256 j = i; j > 0 && sha256(keys[j]) < sha256(keys[j - 1]); --j) {
                (keys[j], keys[j - 1]) = (keys[j - 1], keys[j]);
            }
        }
    }

    function valueOf(bytes memory key) private pure returns (bytes memory) {
        return abi.encodePacked(keccak256(key));
    }

    /// @dev Node over keys [start, end), all of which share the first `depth` bits of their hash.
    function node(bytes[] memory keys, uint256 start, uint256 end, uint256 depth) private pure returns (bytes32) {
        if (start == end) return 0;
        if (end - start == 1) {
            return sha256(abi.encodePacked(uint8(0), sha256(keys[start]), sha256(valueOf(keys[start]))));
        }
        uint256 middle = border(keys, start, end, depth);
        return sha256(abi.encodePacked(uint8(1), node(keys, start, middle, depth + 1), node(keys, middle, end, depth + 1)));
    }

    function border(bytes[] memory keys, uint256 start, uint256 end, uint256 depth) private pure returns (uint256 middle) {
        middle = start;
        while (middle < end && (uint256(sha256(keys[middle])) >> (255 - depth)) & 1 == 0) ++middle;
    }

    function prove(bytes[] memory keys, uint256 index) private pure returns (IHubClient.ExistenceProof memory proof) {
        bytes32[] memory down = new bytes32[](256);
        uint256 bits = 0;
        uint256 start = 0;
        uint256 end = keys.length;
        uint256 depth = 0;
        while (end - start > 1) {
            uint256 middle = border(keys, start, end, depth);
            if (index >= middle) {
                down[depth] = node(keys, start, middle, depth + 1);
                bits |= 1 << depth;
                start = middle;
            } else {
                down[depth] = node(keys, middle, end, depth + 1);
                end = middle;
            }
            ++depth;
        }
        proof.key = keys[index];
        proof.value = valueOf(keys[index]);
        proof.siblings = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            proof.siblings[i] = down[depth - 1 - i];
            proof.rightBits |= ((bits >> (depth - 1 - i)) & 1) << i;
        }
    }

    function test_fuzz_everyKeyIsProven(uint256 seed, uint256 count, uint256 index) external view {
        count = within(count, 1, 24);
        index %= count;
        bytes[] memory keys = tree(seed, count);
        reader.existence(node(keys, 0, count, 0), prove(keys, index), keys[index], valueOf(keys[index]));
    }

    function test_fuzz_everyOtherKeyIsAbsent(uint256 seed, uint256 count, bytes memory key) external view {
        vm.assume(key.length != 0);
        count = within(count, 1, 24);
        bytes[] memory keys = tree(seed, count);
        uint256 above = 0;
        while (above < count && sha256(keys[above]) < sha256(key)) ++above;
        IHubClient.NonExistenceProof memory proof;
        proof.key = key;
        if (above > 0) (proof.hasLeft, proof.left) = (true, prove(keys, above - 1));
        if (above < count) (proof.hasRight, proof.right) = (true, prove(keys, above));
        reader.nonExistence(node(keys, 0, count, 0), proof, key);
    }

    function test_fuzz_changedProofIsRefused(uint256 seed, uint256 count, uint256 index, uint256 place, uint256 bit) external {
        count = within(count, 2, 24);
        index %= count;
        bytes[] memory keys = tree(seed, count);
        bytes32 root = node(keys, 0, count, 0);
        IHubClient.ExistenceProof memory proof = prove(keys, index);
        bit %= 256;
        if (place % 2 == 0) proof.siblings[place % proof.siblings.length] ^= bytes32(1 << bit);
        else proof.rightBits ^= 1 << bit;
        vm.expectPartialRevert(IHubClient.InvalidProof.selector);
        reader.existence(root, proof, keys[index], valueOf(keys[index]));
    }

    /// @notice No pair of neighbours, and no lone one, proves a present key absent.
    function test_fuzz_presentKeyIsNeverAbsent(uint256 seed, uint256 count, uint256 left, uint256 right, uint256 target, uint256 sides) external {
        count = within(count, 2, 24);
        bytes[] memory keys = tree(seed, count);
        IHubClient.NonExistenceProof memory proof;
        proof.key = keys[target % count];
        if (sides % 3 != 0) (proof.hasLeft, proof.left) = (true, prove(keys, left % count));
        if (sides % 3 != 1) (proof.hasRight, proof.right) = (true, prove(keys, right % count));
        bytes32 root = node(keys, 0, count, 0);
        vm.expectPartialRevert(IHubClient.InvalidProof.selector);
        reader.nonExistence(root, proof, proof.key);
    }

    function test_gas_existenceAtDepthTwenty() external view {
        bytes[] memory keys = tree(1, 2);
        IHubClient.ExistenceProof memory proof = prove(keys, 0);
        bytes32[] memory siblings = new bytes32[](20);
        bytes32 root = node(keys, 0, 2, 0);
        siblings[0] = proof.siblings[0];
        uint256 bits = proof.rightBits & 1;
        if (proof.siblings.length > 1) return;
        for (uint256 i = 1; i < 20; ++i) {
            siblings[i] = keccak256(abi.encode(i));
            root = sha256(abi.encodePacked(uint8(1), root, siblings[i]));
        }
        (proof.siblings, proof.rightBits) = (siblings, bits);
        reader.existence(root, proof, keys[0], valueOf(keys[0]));
    }
}
