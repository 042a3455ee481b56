// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubClient } from "../interfaces/IHubClient.sol";

/// @title ICS-23 proofs under the SMT specification
/// @notice Leaf SHA-256(00 ‖ SHA-256(key) ‖ SHA-256(value)), inner SHA-256(01 ‖ left ‖ right), an empty subtree is 32
/// zero bytes, keys are ordered by their hash. Prefixes, lengths and hash functions are not in the encoding, so a proof
/// cannot choose them.
library Ics23Smt {
    uint256 private constant MAX_DEPTH = 256;

    /// @notice `value` is stored under `key`.
    function verifyExistence(
        bytes32 root,
        IHubClient.ExistenceProof memory proof,
        bytes memory key,
        bytes memory value
    )
        internal
        pure
    {
        require(keccak256(proof.key) == keccak256(key), IHubClient.InvalidProof("key"));
        require(keccak256(proof.value) == keccak256(value), IHubClient.InvalidProof("value"));
        require(_rootOf(proof) == root, IHubClient.InvalidProof("root"));
    }

    /// @notice Nothing is stored under `key`: its neighbours in the order of key hashes are, with nothing between.
    function verifyNonExistence(
        bytes32 root,
        IHubClient.NonExistenceProof memory proof,
        bytes memory key
    )
        internal
        pure
    {
        bytes32 hashedKey = sha256(key);
        // as in the public vectors of ics23, an SMT prover writes the key's hash; some write the key (strictness rule I6)
        require(
            keccak256(proof.key) == keccak256(abi.encodePacked(hashedKey)) || keccak256(proof.key) == keccak256(key),
            IHubClient.InvalidProof("key")
        );
        require(proof.hasLeft || proof.hasRight, IHubClient.InvalidProof("no neighbour"));
        if (proof.hasLeft) {
            require(_rootOf(proof.left) == root, IHubClient.InvalidProof("left root"));
            require(sha256(proof.left.key) < hashedKey, IHubClient.InvalidProof("left order"));
        }
        if (proof.hasRight) {
            require(_rootOf(proof.right) == root, IHubClient.InvalidProof("right root"));
            require(hashedKey < sha256(proof.right.key), IHubClient.InvalidProof("right order"));
        }
        if (!proof.hasLeft) {
            require(_isLeftMost(proof.right, proof.right.siblings.length), IHubClient.InvalidProof("not left-most"));
        } else if (!proof.hasRight) {
            require(_isRightMost(proof.left, proof.left.siblings.length), IHubClient.InvalidProof("not right-most"));
        } else {
            _requireAdjacent(proof.left, proof.right);
        }
    }

    function _rootOf(IHubClient.ExistenceProof memory proof) private pure returns (bytes32 node) {
        uint256 depth = proof.siblings.length;
        require(proof.key.length != 0 && proof.value.length != 0, IHubClient.InvalidProof("empty key or value"));
        require(depth <= MAX_DEPTH, IHubClient.InvalidProof("depth"));
        require(depth == MAX_DEPTH || proof.rightBits >> depth == 0, IHubClient.InvalidProof("right bits"));
        node = sha256(abi.encodePacked(uint8(0), sha256(proof.key), sha256(proof.value)));
        for (uint256 i = 0; i < depth; ++i) {
            bytes32 sibling = proof.siblings[i];
            node = _isRight(proof, i)
                ? sha256(abi.encodePacked(uint8(1), sibling, node))
                : sha256(abi.encodePacked(uint8(1), node, sibling));
        }
    }

    /// @dev The paths share their upper steps; below them left goes left and right goes right, each along the inner edge.
    function _requireAdjacent(
        IHubClient.ExistenceProof memory left,
        IHubClient.ExistenceProof memory right
    )
        private
        pure
    {
        uint256 i = left.siblings.length;
        uint256 j = right.siblings.length;
        while (
            i != 0 && j != 0 && left.siblings[i - 1] == right.siblings[j - 1]
                && _isRight(left, i - 1) == _isRight(right, j - 1)
        ) {
            --i;
            --j;
        }
        require(i != 0 && j != 0, IHubClient.InvalidProof("same path"));
        --i;
        --j;
        require(!_isRight(left, i) && _isRight(right, j), IHubClient.InvalidProof("not neighbours"));
        require(_isRightMost(left, i), IHubClient.InvalidProof("left not right-most"));
        require(_isLeftMost(right, j), IHubClient.InvalidProof("right not left-most"));
    }

    /// @dev No leaf stands to the left within the lowest `steps` steps.
    function _isLeftMost(IHubClient.ExistenceProof memory proof, uint256 steps) private pure returns (bool) {
        for (uint256 i = 0; i < steps; ++i) {
            if (_isRight(proof, i) && proof.siblings[i] != 0) return false;
        }
        return true;
    }

    /// @dev No leaf stands to the right within the lowest `steps` steps.
    function _isRightMost(IHubClient.ExistenceProof memory proof, uint256 steps) private pure returns (bool) {
        for (uint256 i = 0; i < steps; ++i) {
            if (!_isRight(proof, i) && proof.siblings[i] != 0) return false;
        }
        return true;
    }

    function _isRight(IHubClient.ExistenceProof memory proof, uint256 step) private pure returns (bool) {
        return (proof.rightBits >> step) & 1 == 1;
    }
}
