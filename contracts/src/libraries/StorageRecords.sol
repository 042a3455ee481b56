// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStorageAudit } from "../interfaces/IStorageAudit.sol";
import { AuditOutcome, StorageSeed, StorageSet, StorageVerdict } from "../types/Storage.sol";

/// @title Keys and values of storage records (docs/spec/storage-records.md)
/// @notice The same bounds as `relay/services/storage/rules/records`, which writes one canonical encoding of each: a version
/// byte, then static words.
library StorageRecords {
    uint256 private constant WORD_BYTES = 32;
    uint256 private constant SET_WORDS = 4;
    uint256 private constant SEED_WORDS = 7;
    uint256 private constant VERDICT_WORDS = 9;
    uint256 private constant REMOVAL_WORDS = 3;
    uint256 private constant MAX_PROBES = 4096;
    uint256 private constant MAX_AUDITORS = 16;
    uint256 private constant MAX_LOG_ENTRIES = 1 << 24;
    uint256 private constant MAX_SET_LEAVES = 1 << 56;
    bytes1 private constant VERSION = 0x01;

    /// @notice Key of an operator's set as it is asked about in an epoch.
    function setKey(bytes32 operator, uint64 epoch) internal pure returns (bytes memory) {
        return abi.encodePacked("storage/set/", operator, epoch);
    }

    /// @notice Key of an epoch's seed.
    function seedKey(uint64 epoch) internal pure returns (bytes memory) {
        return abi.encodePacked("storage/seed/", epoch);
    }

    /// @notice Key of the verdict of an operator's audit.
    function verdictKey(bytes32 operator, uint64 epoch) internal pure returns (bytes memory) {
        return abi.encodePacked("storage/verdict/", operator, epoch);
    }

    /// @notice Key of what was removed of a pack, in a batch.
    function removalKey(uint64 batch, bytes32 pack) internal pure returns (bytes memory) {
        return abi.encodePacked("storage/removal/", batch, pack);
    }

    /// @notice Reads a verdict.
    function readVerdict(bytes calldata value) internal pure returns (StorageVerdict memory verdict) {
        _requireWords(value, VERDICT_WORDS);
        uint256 outcome = uint256(_word(value, 0));
        _require(outcome != uint256(AuditOutcome.Unknown) && outcome <= uint256(AuditOutcome.Missed));
        verdict.outcome = AuditOutcome(outcome);
        verdict.asked = uint32(_number(value, 1, MAX_PROBES));
        verdict.held = uint32(_number(value, 2, verdict.asked));
        verdict.removed = uint32(_number(value, 3, verdict.asked - verdict.held));
        verdict.reveals = uint8(_number(value, 4, MAX_AUDITORS));
        (verdict.seed, verdict.setRoot) = (_word(value, 5), _word(value, 6));
        verdict.height = uint64(_number(value, 7, type(uint64).max));
        verdict.time = uint64(_number(value, 8, type(uint64).max));
        bool isWhole = verdict.held + verdict.removed == verdict.asked;
        _require(verdict.asked != 0 && verdict.height != 0 && isWhole == (verdict.outcome == AuditOutcome.Passed));
    }

    /// @notice Reads an operator's set.
    function readSet(bytes calldata value) internal pure returns (StorageSet memory set) {
        _requireWords(value, SET_WORDS);
        set.root = _word(value, 0);
        set.size = uint64(_number(value, 1, MAX_LOG_ENTRIES));
        set.leaves = uint64(_number(value, 2, MAX_SET_LEAVES));
        set.height = uint64(_number(value, 3, type(uint64).max));
        _require(set.size != 0 && set.leaves >= set.size && set.height != 0);
    }

    /// @notice Reads an epoch's seed.
    function readSeed(bytes calldata value) internal pure returns (StorageSeed memory seed) {
        _requireWords(value, SEED_WORDS);
        (seed.seed, seed.header) = (_word(value, 0), _word(value, 1));
        seed.headerHeight = uint64(_number(value, 2, type(uint64).max));
        seed.due = uint64(_number(value, 3, type(uint64).max));
        seed.probes = uint32(_number(value, 4, MAX_PROBES));
        seed.auditors = uint8(_number(value, 6, MAX_AUDITORS));
        seed.reveals = uint8(_number(value, 5, seed.auditors));
        _require(seed.headerHeight != 0 && seed.probes != 0);
    }

    /// @notice Reads which shards of a pack were removed, as bits, and when the last of them was, in Unix seconds.
    function readRemoval(bytes calldata value) internal pure returns (uint64 shards, uint64 time) {
        _requireWords(value, REMOVAL_WORDS);
        shards = uint64(_number(value, 0, type(uint64).max));
        uint256 height = _number(value, 1, type(uint64).max);
        time = uint64(_number(value, 2, type(uint64).max));
        _require(shards != 0 && height != 0);
    }

    function _requireWords(bytes calldata value, uint256 count) private pure {
        _require(value.length == 1 + count * WORD_BYTES && value[0] == VERSION);
    }

    /// @dev A word of a value whose length was checked.
    function _word(bytes calldata value, uint256 index) private pure returns (bytes32 found) {
        assembly ("memory-safe") {
            found := calldataload(add(add(value.offset, 1), shl(5, index)))
        }
    }

    function _number(bytes calldata value, uint256 index, uint256 most) private pure returns (uint256 found) {
        found = uint256(_word(value, index));
        _require(found <= most);
    }

    function _require(bool holds) private pure {
        require(holds, IStorageAudit.MalformedStorageRecord());
    }
}
