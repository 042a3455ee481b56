// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubClient } from "../interfaces/IHubClient.sol";

/// @title What CometBFT 0.38 hashes and signs
/// @notice Protobuf encodings of the header's 14 fields, of validators and of votes, and the RFC 6962 tree over them.
/// Zero hashes stand for empty ones: no SHA-256 output is zero.
library TendermintHash {
    uint256 private constant MAX_SECONDS = 253_402_300_799;
    uint256 private constant NANOS = 1_000_000_000;

    /// @notice Merkle root of a header whose chain identifier has at most 50 bytes.
    function headerHash(IHubClient.BlockHeader memory header) internal pure returns (bytes32) {
        bytes memory chainId = bytes(header.chainId);
        bytes32[] memory leaves = new bytes32[](14);
        leaves[0] = _leaf(bytes.concat(_varintField(0x08, header.versionBlock), _varintField(0x10, header.versionApp)));
        leaves[1] = _leaf(bytes.concat(hex"0a", bytes1(uint8(chainId.length)), chainId));
        leaves[2] = _leaf(_varintField(0x08, header.height));
        leaves[3] = _leaf(timestamp(header.time));
        leaves[4] = _leaf(blockId(header.lastBlockId));
        leaves[5] = _leaf(_hashField(header.lastCommitHash));
        leaves[6] = _leaf(_hashField(header.dataHash));
        leaves[7] = _leaf(_hashField(header.validatorsHash));
        leaves[8] = _leaf(_hashField(header.nextValidatorsHash));
        leaves[9] = _leaf(_hashField(header.consensusHash));
        leaves[10] = _leaf(_hashField(header.appHash));
        leaves[11] = _leaf(_hashField(header.lastResultsHash));
        leaves[12] = _leaf(_hashField(header.evidenceHash));
        leaves[13] = _leaf(
            header.proposerAddress == 0 ? bytes("") : bytes.concat(hex"0a14", header.proposerAddress)
        );
        return root(leaves);
    }

    /// @notice Merkle root of a validator set in the order given.
    /// @dev The leaf holds the compressed key, so it commits to x and to the parity of y.
    function validatorsHash(IHubClient.Validator[] memory validators) internal pure returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](validators.length);
        for (uint256 i = 0; i < validators.length; ++i) {
            IHubClient.Validator memory validator = validators[i];
            leaves[i] = _leaf(
                bytes.concat(
                    hex"0a231221",
                    bytes1(uint8(2 + (validator.y & 1))),
                    bytes32(validator.x),
                    _varintField(0x10, validator.power)
                )
            );
        }
        return root(leaves);
    }

    /// @notice Parts of a precommit's sign bytes before and after the timestamp, which is all that differs in a commit.
    function voteParts(
        IHubClient.Commit memory commit,
        string memory chainId
    )
        internal
        pure
        returns (bytes memory prefix, bytes memory suffix)
    {
        bytes memory encodedBlockId = blockId(commit.blockId);
        prefix = bytes.concat(
            hex"080211",
            _littleEndian(commit.height),
            commit.round == 0 ? bytes("") : bytes.concat(hex"19", _littleEndian(commit.round)),
            hex"22",
            bytes1(uint8(encodedBlockId.length)),
            encodedBlockId
        );
        suffix = bytes.concat(hex"32", bytes1(uint8(bytes(chainId).length)), bytes(chainId));
    }

    /// @notice SHA-256 of the sign bytes of a precommit: what a secp256k1 validator signs.
    function voteDigest(
        bytes memory prefix,
        bytes memory suffix,
        IHubClient.Timestamp memory time
    )
        internal
        pure
        returns (bytes32)
    {
        bytes memory encodedTime = timestamp(time);
        uint256 length = prefix.length + 2 + encodedTime.length + suffix.length;
        return sha256(
            bytes.concat(
                _varint(uint64(length)), prefix, hex"2a", bytes1(uint8(encodedTime.length)), encodedTime, suffix
            )
        );
    }

    /// @notice Protobuf Timestamp, within its range from 1970 on.
    function timestamp(IHubClient.Timestamp memory time) internal pure returns (bytes memory) {
        require(
            time.secs <= MAX_SECONDS && time.nanos < NANOS, IHubClient.InvalidTimestamp(time.secs, time.nanos)
        );
        return bytes.concat(_varintField(0x08, time.secs), _varintField(0x10, time.nanos));
    }

    /// @notice Protobuf BlockID, whose part-set header is always written.
    function blockId(IHubClient.BlockId memory id) internal pure returns (bytes memory) {
        bytes memory partSet =
            bytes.concat(_varintField(0x08, id.partSetTotal), id.partSetHash == 0 ? bytes("") : bytes.concat(hex"1220", id.partSetHash));
        return bytes.concat(_hashField(id.hash), hex"12", bytes1(uint8(partSet.length)), partSet);
    }

    /// @notice Nanoseconds since 1970.
    function nanoseconds(IHubClient.Timestamp memory time) internal pure returns (uint256) {
        return uint256(time.secs) * NANOS + time.nanos;
    }

    /// @notice RFC 6962 root over hashed leaves; overwrites them. Pairing neighbours and letting an odd one rise gives
    /// the same tree as splitting at the largest power of two.
    function root(bytes32[] memory nodes) internal pure returns (bytes32) {
        uint256 count = nodes.length;
        while (count > 1) {
            uint256 pairs = count / 2;
            for (uint256 i = 0; i < pairs; ++i) {
                nodes[i] = sha256(abi.encodePacked(uint8(1), nodes[2 * i], nodes[2 * i + 1]));
            }
            if (count % 2 == 1) {
                nodes[pairs] = nodes[count - 1];
                ++pairs;
            }
            count = pairs;
        }
        return nodes[0];
    }

    function _leaf(bytes memory content) private pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", content));
    }

    /// @dev Field 1, wire type 2; empty where the hash is.
    function _hashField(bytes32 hash) private pure returns (bytes memory) {
        return hash == 0 ? bytes("") : bytes.concat(hex"0a20", hash);
    }

    /// @dev Empty for zero, as protobuf has it.
    function _varintField(uint8 tag, uint64 value) private pure returns (bytes memory) {
        return value == 0 ? bytes("") : bytes.concat(bytes1(tag), _varint(value));
    }

    function _varint(uint64 value) private pure returns (bytes memory encoded) {
        uint256 length = 1;
        for (uint64 rest = value >> 7; rest != 0; rest >>= 7) ++length;
        encoded = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            encoded[i] = bytes1(uint8(value & 0x7f) | (i + 1 < length ? 0x80 : 0));
            value >>= 7;
        }
    }

    function _littleEndian(uint64 value) private pure returns (bytes8) {
        value = ((value & 0xff00ff00ff00ff00) >> 8) | ((value & 0x00ff00ff00ff00ff) << 8);
        value = ((value & 0xffff0000ffff0000) >> 16) | ((value & 0x0000ffff0000ffff) << 16);
        return bytes8((value >> 32) | (value << 32));
    }
}
