// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAttestationClient } from "../interfaces/IAttestationClient.sol";
import { CanonicalAbi } from "./CanonicalAbi.sol";

/// @title Digests and bytes of attestations (docs/spec/attestation.md), each in its one canonical form
library Attested {
    uint256 internal constant KIND_STATE = 1;
    uint256 internal constant KIND_PACKETS = 2;
    uint256 internal constant SIGNATURE_LENGTH = 65;

    uint256 private constant WORD = 32;
    uint256 private constant MAX_PACKETS = 256;
    uint256 private constant ENTRY_LENGTH = 64;
    uint256 private constant PACKETS_HEAD = 128;
    uint256 private constant MAX_DATA_LENGTH = PACKETS_HEAD + ENTRY_LENGTH * MAX_PACKETS;
    /// @dev Year 36 812: milliseconds of our days are above.
    uint256 private constant TIMESTAMP_LIMIT = 1 << 40;
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    bytes private constant SCOPE_TYPE =
        "Scope(string sourceChainId,bytes sourceRouter,string destinationChainId,bytes destinationRouter,string destinationClientId)";
    bytes32 private constant SCOPE_TYPEHASH = keccak256(SCOPE_TYPE);
    bytes32 private constant ATTESTATION_TYPEHASH =
        keccak256(abi.encodePacked("Attestation(Scope scope,uint8 kind,bytes data)", SCOPE_TYPE));
    bytes32 private constant DOMAIN_SEPARATOR = keccak256(
        abi.encode(
            keccak256("EIP712Domain(string name,string version)"), keccak256("hutong attestation"), keccak256("1")
        )
    );

    /// @notice EIP-712 `hashStruct` of a scope.
    function scopeHash(IAttestationClient.Scope memory scope) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                SCOPE_TYPEHASH,
                keccak256(bytes(scope.sourceChainId)),
                keccak256(scope.sourceRouter),
                keccak256(bytes(scope.destinationChainId)),
                keccak256(scope.destinationRouter),
                keccak256(bytes(scope.destinationClientId))
            )
        );
    }

    /// @notice What is signed.
    function digest(bytes32 scopeHash_, uint256 kind, bytes calldata data) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                hex"1901",
                DOMAIN_SEPARATOR,
                keccak256(abi.encode(ATTESTATION_TYPEHASH, scopeHash_, kind, keccak256(data)))
            )
        );
    }

    /// @notice The signer of one 65-byte signature r ‖ s ‖ v; zero where it is none with low s and v 27 or 28.
    function recover(bytes32 digest_, bytes calldata signature) internal pure returns (address) {
        uint256 s = uint256(bytes32(signature[WORD:2 * WORD]));
        uint8 v = uint8(signature[2 * WORD]);
        if (s > HALF_ORDER || (v != 27 && v != 28)) return address(0);
        return ecrecover(digest_, v, bytes32(signature[:WORD]), bytes32(s));
    }

    /// @notice Opens `abi.encode((bytes data, bytes signatures))`.
    function open(bytes calldata message) internal pure returns (bytes calldata data, bytes calldata signatures) {
        CanonicalAbi.expectWord(message, 0, WORD);
        uint256 end;
        (data, signatures, end) = _open(message, WORD);
        CanonicalAbi.expectEnd(message, end);
    }

    /// @notice Opens `abi.encode((uint8 kind, (bytes, bytes) first, (bytes, bytes) second))`.
    function openEvidence(bytes calldata message)
        internal
        pure
        returns (
            uint256 kind,
            bytes calldata data1,
            bytes calldata signatures1,
            bytes calldata data2,
            bytes calldata signatures2
        )
    {
        CanonicalAbi.expectWord(message, 0, WORD);
        kind = CanonicalAbi.word(message, WORD);
        require(
            kind == KIND_STATE || kind == KIND_PACKETS, IAttestationClient.InvalidAttestedData("kind")
        );
        CanonicalAbi.expectWord(message, 2 * WORD, 3 * WORD);
        uint256 end;
        (data1, signatures1, end) = _open(message, 4 * WORD);
        CanonicalAbi.expectWord(message, 3 * WORD, end - WORD);
        (data2, signatures2, end) = _open(message, end);
        CanonicalAbi.expectEnd(message, end);
    }

    /// @notice Parses the data of a state attestation.
    function parseState(bytes calldata data) internal pure returns (uint64 height, uint64 timestamp) {
        require(data.length == 2 * WORD, IAttestationClient.InvalidAttestedData("state"));
        height = _height(data, 0);
        uint256 time = CanonicalAbi.word(data, WORD);
        require(time != 0 && time < TIMESTAMP_LIMIT, IAttestationClient.InvalidAttestedData("timestamp"));
        timestamp = uint64(time);
    }

    /// @notice Parses the data of a packet attestation: the list is not empty, bounded and strictly ascending by path.
    /// @return height the attested height
    /// @return entries rows of path and commitment
    function parsePackets(bytes calldata data) internal pure returns (uint64 height, bytes calldata entries) {
        CanonicalAbi.expectWord(data, 0, WORD);
        height = _height(data, WORD);
        CanonicalAbi.expectWord(data, 2 * WORD, 2 * WORD);
        uint256 count = CanonicalAbi.word(data, 3 * WORD);
        require(count != 0 && count <= MAX_PACKETS, IAttestationClient.InvalidAttestedData("packets"));
        CanonicalAbi.expectEnd(data, PACKETS_HEAD + ENTRY_LENGTH * count);
        entries = data[PACKETS_HEAD:];
        for (uint256 row = ENTRY_LENGTH; row < entries.length; row += ENTRY_LENGTH) {
            require(
                bytes32(entries[row - ENTRY_LENGTH:]) < bytes32(entries[row:]),
                IAttestationClient.InvalidAttestedData("order of packets")
            );
        }
    }

    /// @notice The commitment listed for a path.
    /// @return found false where the path is not listed
    /// @return commitment zero: nothing is stored
    function commitmentOf(
        bytes calldata entries,
        bytes32 path
    )
        internal
        pure
        returns (bool found, bytes32 commitment)
    {
        for (uint256 row = 0; row < entries.length; row += ENTRY_LENGTH) {
            if (bytes32(entries[row:]) == path) return (true, bytes32(entries[row + WORD:]));
        }
    }

    /// @notice Whether one path has two commitments in two lists, both ascending.
    function packetsConflict(bytes calldata entries1, bytes calldata entries2) internal pure returns (bool) {
        uint256 row1 = 0;
        uint256 row2 = 0;
        while (row1 < entries1.length && row2 < entries2.length) {
            bytes32 path1 = bytes32(entries1[row1:]);
            bytes32 path2 = bytes32(entries2[row2:]);
            if (path1 == path2 && bytes32(entries1[row1 + WORD:]) != bytes32(entries2[row2 + WORD:])) return true;
            if (path1 <= path2) row1 += ENTRY_LENGTH;
            if (path2 <= path1) row2 += ENTRY_LENGTH;
        }
        return false;
    }

    function _open(
        bytes calldata message,
        uint256 base
    )
        private
        pure
        returns (bytes calldata data, bytes calldata signatures, uint256 end)
    {
        (data, end) = CanonicalAbi.tail(message, base, base, base + 2 * WORD);
        require(data.length <= MAX_DATA_LENGTH, IAttestationClient.InvalidAttestedData("length"));
        (signatures, end) = CanonicalAbi.tail(message, base + WORD, base, end);
    }

    function _height(bytes calldata data, uint256 offset) private pure returns (uint64) {
        uint256 height = CanonicalAbi.word(data, offset);
        require(height != 0 && height <= type(uint64).max, IAttestationClient.InvalidAttestedData("height"));
        return uint64(height);
    }
}
