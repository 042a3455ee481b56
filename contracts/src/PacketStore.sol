// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRouter } from "./interfaces/IRouter.sol";
import { Ics24Host } from "./libraries/Ics24Host.sol";
import { Packet } from "./types/Packet.sol";

/// @title The provable store of a router
/// @notice Light clients of this chain prove `keccak256(keccak256(key) ‖ base slot)`, so the slot and the mapping's place
/// as the first member are part of the protocol.
abstract contract PacketStore is IRouter {
    /// @custom:storage-location erc7201:ibc.storage.IBCStore
    struct IBCStore {
        mapping(bytes32 hashedPath => bytes32 value) values;
        mapping(string clientId => uint64 sequence) lastSequenceSent;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("ibc.storage.IBCStore")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant IBC_STORE_SLOT = 0x1260944489272988d9df285149b5aa1b0f48f2136d6f416159f840a3e0747600;

    /// @inheritdoc IRouter
    function getCommitment(bytes32 hashedPath) external view returns (bytes32) {
        return _store().values[hashedPath];
    }

    /// @notice Counts a client's packets from 1.
    function _nextSequence(string memory clientId) internal returns (uint64) {
        return ++_store().lastSequenceSent[clientId];
    }

    /// @notice Stores the commitment of a packet that is being sent.
    function _commitPacket(Packet memory packet) internal {
        bytes memory key = Ics24Host.commitmentKey(packet.sourceClient, packet.sequence);
        mapping(bytes32 => bytes32) storage values = _store().values;
        bytes32 slot = keccak256(key);
        require(values[slot] == 0, IBCPacketCommitmentAlreadyExists(key));
        values[slot] = Ics24Host.packetCommitment(packet);
    }

    /// @notice Deletes the commitment of a packet that is being settled.
    /// @return false if there is none: the packet was settled before, or never sent
    function _deleteCommitment(Packet memory packet) internal returns (bool) {
        mapping(bytes32 => bytes32) storage values = _store().values;
        bytes32 slot = keccak256(Ics24Host.commitmentKey(packet.sourceClient, packet.sequence));
        bytes32 stored = values[slot];
        if (stored == 0) return false;
        bytes32 commitment = Ics24Host.packetCommitment(packet);
        require(stored == commitment, IBCPacketCommitmentMismatch(stored, commitment));
        delete values[slot];
        return true;
    }

    /// @notice Stores the receipt of a packet that is being received. Receipts are never deleted.
    /// @return false if this very packet was received before
    function _writeReceipt(Packet memory packet) internal returns (bool) {
        mapping(bytes32 => bytes32) storage values = _store().values;
        bytes32 slot = keccak256(Ics24Host.receiptKey(packet.destClient, packet.sequence));
        bytes32 receipt = Ics24Host.receipt(packet);
        bytes32 stored = values[slot];
        if (stored == receipt) return false;
        require(stored == 0, IBCPacketReceiptMismatch(stored, receipt));
        values[slot] = receipt;
        return true;
    }

    /// @notice Stores the commitment of an acknowledgement.
    function _commitAcknowledgement(Packet memory packet, bytes memory acknowledgement) internal {
        bytes memory key = Ics24Host.acknowledgementKey(packet.destClient, packet.sequence);
        mapping(bytes32 => bytes32) storage values = _store().values;
        bytes32 slot = keccak256(key);
        require(values[slot] == 0, IBCPacketAcknowledgementAlreadyExists(key));
        values[slot] = Ics24Host.acknowledgementCommitment(acknowledgement);
    }

    function _store() private pure returns (IBCStore storage store) {
        assembly ("memory-safe") {
            store.slot := IBC_STORE_SLOT
        }
    }
}
