// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What became of an audit (docs/spec/storage-records.md). `Unknown` is not written by a hub.
enum AuditOutcome {
    Unknown,
    Passed,
    Failed,
    Missed
}

/// @notice What the hub's consensus says of an operator's audit of an epoch.
/// @param outcome passed, failed or missed
/// @param asked probes
/// @param held probes that were answered by their leaf
/// @param removed probes that were answered by the removal of their shard
/// @param reveals auditors who revealed for the seed; 0: the seed is weak
/// @param seed of the epoch
/// @param setRoot root of the operator's set
/// @param height of the hub
/// @param time Unix seconds of the block of that height
struct StorageVerdict {
    AuditOutcome outcome;
    uint32 asked;
    uint32 held;
    uint32 removed;
    uint8 reveals;
    bytes32 seed;
    bytes32 setRoot;
    uint64 height;
    uint64 time;
}

/// @notice What an operator is asked about in an epoch.
/// @param root of its log
/// @param size batches of its log
/// @param leaves of 1 KiB, of all batches
/// @param height of the hub at which the set stood
struct StorageSet {
    bytes32 root;
    uint64 size;
    uint64 leaves;
    uint64 height;
}

/// @notice The seed of an epoch.
/// @param seed from which probes follow
/// @param header hash of the epoch's header
/// @param headerHeight of the hub
/// @param due Unix seconds: the last in which an answer counts
/// @param probes asked of each operator
/// @param reveals auditors who revealed; 0: the seed is weak
/// @param auditors who committed
struct StorageSeed {
    bytes32 seed;
    bytes32 header;
    uint64 headerHeight;
    uint64 due;
    uint32 probes;
    uint8 reveals;
    uint8 auditors;
}

/// @notice What a caller asks of an audit.
/// @param maxAge seconds: a verdict, or a header of the hub, that is as old is refused
/// @param minProbes so many are asked at least: 459 find a hundredth that is lost in 99 of 100 cases
/// @param minReveals so many auditors revealed at least; 1 or more
struct AuditTerms {
    uint64 maxAge;
    uint32 minProbes;
    uint8 minReveals;
}

/// @notice Answers to probes that follow one another, encoded as docs/spec/storage-audits.md says.
/// @param first number of the first probe
/// @param count 1 to 1 024
/// @param answers one after the other
struct ProbeAnswers {
    uint32 first;
    uint32 count;
    bytes answers;
}

/// @notice What answers showed.
/// @param held leaves
/// @param removed probes that fell on shards which the hub recorded as removed
/// @param probes asked of the operator in the epoch, of which these are some or all
struct ProbeCount {
    uint32 held;
    uint32 removed;
    uint32 probes;
}
