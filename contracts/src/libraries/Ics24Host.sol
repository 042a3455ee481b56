// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Packet, Payload } from "../types/Packet.sol";

/// @title Keys and values of the provable store (ICS-24 v2, ICS-04 v2)
library Ics24Host {
    /// @notice SHA-256 of `UNIVERSAL_ERROR_ACKNOWLEDGEMENT`: the only failure that v2 knows.
    bytes32 internal constant ERROR_ACKNOWLEDGEMENT =
        0x4774d4a575993f963b1c06573736617a457abef8589178db8d10c94b4ab511ab;

    /// @notice `client ‖ 0x01 ‖ BE8(sequence)`, on the sending chain.
    function commitmentKey(string memory clientId, uint64 sequence) internal pure returns (bytes memory) {
        return abi.encodePacked(clientId, uint8(1), sequence);
    }

    /// @notice `client ‖ 0x02 ‖ BE8(sequence)`, on the receiving chain.
    function receiptKey(string memory clientId, uint64 sequence) internal pure returns (bytes memory) {
        return abi.encodePacked(clientId, uint8(2), sequence);
    }

    /// @notice `client ‖ 0x03 ‖ BE8(sequence)`, on the receiving chain.
    function acknowledgementKey(string memory clientId, uint64 sequence) internal pure returns (bytes memory) {
        return abi.encodePacked(clientId, uint8(3), sequence);
    }

    /// @notice Value under the commitment key.
    /// @dev Every preimage is a row of 32-byte hashes, so that no byte can move between two fields. The source client
    /// and the sequence are bound by the key.
    function packetCommitment(Packet memory packet) internal pure returns (bytes32) {
        bytes32[] memory payloadHashes = new bytes32[](packet.payloads.length);
        for (uint256 i = 0; i < payloadHashes.length; ++i) {
            payloadHashes[i] = _payloadHash(packet.payloads[i]);
        }
        return sha256(
            abi.encodePacked(
                uint8(2),
                sha256(bytes(packet.destClient)),
                sha256(abi.encodePacked(packet.timeoutTimestamp)),
                sha256(abi.encodePacked(payloadHashes))
            )
        );
    }

    /// @notice Value under the acknowledgement key, for a packet of one payload.
    function acknowledgementCommitment(bytes memory acknowledgement) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(2), sha256(acknowledgement)));
    }

    /// @notice Value under the receipt key.
    function receipt(Packet memory packet) internal pure returns (bytes32) {
        return keccak256(abi.encode(packet));
    }

    /// @notice Applies the counterparty's prefix: the key is appended to its last element.
    function path(bytes[] memory merklePrefix, bytes memory key) internal pure returns (bytes[] memory) {
        uint256 last = merklePrefix.length - 1;
        merklePrefix[last] = bytes.concat(merklePrefix[last], key);
        return merklePrefix;
    }

    function _payloadHash(Payload memory payload) private pure returns (bytes32) {
        return sha256(
            abi.encodePacked(
                sha256(bytes(payload.sourcePort)),
                sha256(bytes(payload.destPort)),
                sha256(bytes(payload.version)),
                sha256(bytes(payload.encoding)),
                sha256(payload.value)
            )
        );
    }
}
