// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStorageAudit } from "../interfaces/IStorageAudit.sol";
import { StorageRecords } from "./StorageRecords.sol";
import { Record } from "../types/Record.sol";

/// @title Answers to probes, judged each by itself (docs/spec/storage-audits.md)
/// @notice The same rules in the same order, by the same names, as `relay/services/storage/rules/audits`. Lengths of paths are
/// not said: they follow from numbers and sizes, so no byte of an answer is free.
library StorageProbes {
    uint256 private constant LEAF_ANSWER = 1;
    uint256 private constant REMOVED_ANSWER = 2;
    uint256 private constant SHARD_KIND = 1;
    uint256 private constant LOG_KIND = 2;
    /// @dev Kind, the two numbers, the shard's entry and the log's.
    uint256 private constant SHARD_AT = 7;
    uint256 private constant SHARD_BYTES = 83;
    uint256 private constant LOG_AT = 90;
    uint256 private constant LOG_BYTES = 61;
    uint256 private constant HEAD_BYTES = 151;
    uint256 private constant LEAF_BYTES = 1024;
    uint256 private constant MAX_HEIGHT = 13;
    uint256 private constant MAX_SHARD = 63;
    uint256 private constant MAX_BATCH_ENTRIES = 1024;
    uint256 private constant MAX_SET_LEAVES = 1 << 56;
    uint256 private constant MAX_PROBES = 4096;
    uint256 private constant MAX_ANSWERS = 1024;

    /// @dev What an operator is asked: `size` batches and `leaves` of its set, and how many probes.
    struct Challenge {
        bytes32 seed;
        bytes32 operator;
        bytes32 root;
        uint256 size;
        uint256 leaves;
        uint256 probes;
    }

    /// @dev An answer, read, with the three roots that its paths lead to.
    struct Read {
        uint256 kind;
        uint256 first;
        uint256 leaves;
        bytes32 pack;
        uint256 shard;
        bytes32 root;
        uint256 retainUntil;
        uint256 batch;
        uint256 logFirst;
        uint256 logLeaves;
        bytes32 logRoot;
        uint256 leafIndex;
        bytes32 entryLeadsTo;
        bytes32 logLeadsTo;
        bytes32 leafLeadsTo;
    }

    /// @notice Judges answers to `count` probes from `first` on.
    /// @param records in which removals are looked up; they are proven
    /// @return removed how many of them were answered by the removal of their shard
    function judge(
        Challenge memory challenge,
        uint256 first,
        uint256 count,
        bytes calldata answers,
        Record[] calldata records
    )
        internal
        view
        returns (uint256 removed)
    {
        require(count <= MAX_ANSWERS, IStorageAudit.MalformedAnswer(first));
        uint256 end = 0;
        Read memory answer;
        bytes memory scratch = new bytes(1 + LEAF_BYTES);
        for (uint256 i = 0; i < count; ++i) {
            uint256 number = first + i;
            end = _read(answer, challenge.size, answers, end, scratch);
            bool isLast = i + 1 == count;
            require(
                isLast ? end == answers.length : end <= answers.length, IStorageAudit.MalformedAnswer(number)
            );
            _judge(challenge, number, answer, records);
            if (answer.kind == REMOVED_ANSWER) ++removed;
        }
        require(count != 0 || answers.length == 0, IStorageAudit.MalformedAnswer(first));
    }

    /// @dev The rules, in their order.
    function _judge(Challenge memory challenge, uint256 number, Read memory answer, Record[] calldata records)
        private
        pure
    {
        uint256 leaf = _probeLeaf(challenge, number);
        _rule(answer.logLeadsTo == challenge.root, number, "batch_stands_in_log");
        _rule(answer.entryLeadsTo == answer.logRoot, number, "entry_stands_in_batch");
        _rule(answer.first + answer.leaves <= answer.logLeaves, number, "entry_ends_within_batch");
        bool isHeld = leaf >= answer.logFirst && leaf - answer.logFirst < answer.logLeaves;
        _rule(isHeld, number, "batch_holds_the_leaf");
        leaf -= answer.logFirst;
        _rule(leaf >= answer.first && leaf - answer.first < answer.leaves, number, "shard_holds_the_leaf");
        if (answer.kind == REMOVED_ANSWER) {
            _rule(_isRemoved(answer, records), number, "removal_is_recorded");
            return;
        }
        _rule(answer.leafIndex == leaf - answer.first, number, "answer_is_of_the_leaf");
        _rule(answer.leafLeadsTo == answer.root, number, "leaf_stands_in_shard");
    }

    /// @dev Drawn over leaves, not shards.
    function _probeLeaf(Challenge memory challenge, uint256 number) private pure returns (uint256) {
        _rule(number < challenge.probes && challenge.probes <= MAX_PROBES, number, "probe_is_asked");
        bytes32 drawn = sha256(
            abi.encodePacked(
                "hutong/storage/probe/1", challenge.seed, challenge.operator, challenge.root, uint32(number)
            )
        );
        return uint256(drawn) % challenge.leaves;
    }

    /// @dev After the retention of this very entry, for a writer could have made another one with a shorter retention.
    function _isRemoved(Read memory answer, Record[] calldata records) private pure returns (bool) {
        bytes32 key = keccak256(StorageRecords.removalKey(uint64(answer.batch), answer.pack));
        for (uint256 i = 0; i < records.length; ++i) {
            if (keccak256(records[i].key) != key || records[i].value.length == 0) continue;
            (uint64 shards, uint64 time) = StorageRecords.readRemoval(records[i].value);
            return shards >> answer.shard & 1 == 1 && time > answer.retainUntil;
        }
        return false;
    }

    /// @dev Reads the answer at a place, and climbs its paths. What lies beyond the answers is read as it is: the caller
    /// compares where the answer ends with their length before it looks at anything.
    /// @return end where the answer ends
    function _read(Read memory answer, uint256 size, bytes calldata answers, uint256 start, bytes memory scratch)
        private
        view
        returns (uint256 end)
    {
        unchecked {
            // numbers have so many bytes each, and the cursor is below 2^32: nothing here is near 2^256
            end = start + HEAD_BYTES;
            if (end > answers.length) return end;
            uint256 place;
            assembly ("memory-safe") {
                place := add(answers.offset, start)
            }
            answer.kind = _number(place, 1);
            uint256 entryIndex = _number(place + 1, 2);
            uint256 logIndex = _number(place + 3, 4);
            uint256 entries = _readEntries(answer, place);
            bool isKnown = answer.kind == LEAF_ANSWER || answer.kind == REMOVED_ANSWER;
            // beyond the end of all answers: refused by the caller
            if (!isKnown || entries == 0 || entryIndex >= entries || logIndex >= size) return type(uint256).max;
            bytes32 node = _hash(scratch, place + SHARD_AT, SHARD_BYTES);
            uint256 cursor = place + HEAD_BYTES;
            (answer.entryLeadsTo, cursor) = _climb(node, entryIndex, entries, cursor);
            node = _hash(scratch, place + LOG_AT, LOG_BYTES);
            (answer.logLeadsTo, cursor) = _climb(node, logIndex, size, cursor);
            if (answer.kind == LEAF_ANSWER) {
                answer.leafIndex = _number(cursor, 2);
                if (answer.leafIndex >= answer.leaves) return type(uint256).max;
                node = _hash(scratch, cursor + 2, LEAF_BYTES);
                (answer.leafLeadsTo, cursor) =
                    _climb(node, answer.leafIndex, answer.leaves, cursor + 2 + LEAF_BYTES);
            }
            end = start + cursor - place;
        }
    }

    /// @return entries of the batch; 0 where a member is out of its bounds
    function _readEntries(Read memory answer, uint256 place) private pure returns (uint256 entries) {
        unchecked {
            uint256 entry = place + SHARD_AT;
            answer.first = _number(entry + 1, 8);
            uint256 height = _number(entry + 9, 1);
            answer.leaves = 1 << height;
            answer.pack = bytes32(_number(entry + 10, 32));
            answer.shard = _number(entry + 42, 1);
            answer.root = bytes32(_number(entry + 43, 32));
            answer.retainUntil = _number(entry + 75, 8);
            bool isShard = _number(entry, 1) == SHARD_KIND && answer.first < MAX_BATCH_ENTRIES << MAX_HEIGHT;
            if (!isShard || height > MAX_HEIGHT || answer.pack == 0 || answer.shard > MAX_SHARD) return 0;
            entry = place + LOG_AT;
            answer.logFirst = _number(entry + 1, 8);
            answer.logLeaves = _number(entry + 9, 8);
            entries = _number(entry + 17, 4);
            answer.batch = _number(entry + 21, 8);
            answer.logRoot = bytes32(_number(entry + 29, 32));
            if (_number(entry, 1) != LOG_KIND || answer.logFirst >= MAX_SET_LEAVES) return 0;
            bool isBatch = entries <= MAX_BATCH_ENTRIES && answer.logLeaves >= entries;
            if (!isBatch || answer.logLeaves > entries << MAX_HEIGHT) return 0;
        }
    }

    /// @dev As `Rfc6962.rootOf`, over siblings that lie in calldata from `cursor` on, which moves past them.
    function _climb(bytes32 node, uint256 index, uint256 total, uint256 cursor)
        private
        view
        returns (bytes32, uint256)
    {
        assembly ("memory-safe") {
            // 65 bytes above what is allocated: 01, left, right
            let pair := mload(0x40)
            mstore8(pair, 1)
            let left := add(pair, 1)
            let right := add(pair, 33)
            for { } gt(total, 1) { } {
                // a lone last node has no sibling: it stands again on the level above
                switch and(index, 1)
                case 1 {
                    mstore(left, calldataload(cursor))
                    mstore(right, node)
                    if iszero(staticcall(gas(), 2, pair, 65, 0, 0x20)) { revert(0, 0) }
                    node := mload(0)
                    cursor := add(cursor, 0x20)
                }
                default {
                    if lt(add(index, 1), total) {
                        mstore(left, node)
                        mstore(right, calldataload(cursor))
                        if iszero(staticcall(gas(), 2, pair, 65, 0, 0x20)) { revert(0, 0) }
                        node := mload(0)
                        cursor := add(cursor, 0x20)
                    }
                }
                index := shr(1, index)
                total := shr(1, add(total, 1))
            }
        }
        return (node, cursor);
    }

    /// @dev SHA-256 of 00 and so many bytes of calldata: a leaf of a tree of RFC 6962. `scratch` begins with a zero.
    function _hash(bytes memory scratch, uint256 place, uint256 length) private view returns (bytes32 node) {
        assembly ("memory-safe") {
            let start := add(scratch, 0x20)
            calldatacopy(add(start, 1), place, length)
            if iszero(staticcall(gas(), 2, start, add(length, 1), 0, 0x20)) { revert(0, 0) }
            node := mload(0)
        }
    }

    /// @dev A big-endian number of 1 to 32 bytes at a place of calldata.
    function _number(uint256 place, uint256 length) private pure returns (uint256 found) {
        assembly ("memory-safe") {
            found := shr(sub(256, shl(3, length)), calldataload(place))
        }
    }

    function _rule(bool holds, uint256 number, string memory name) private pure {
        require(holds, IStorageAudit.AnswerRefused(number, name));
    }
}
