// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Height of a chain: ordered by revision first (ICS-02).
struct Height {
    uint64 revisionNumber;
    uint64 revisionHeight;
}

/// @notice What a client knows about the chain at its other end.
/// @param clientId identifier of the client that the counterparty chain holds of this chain
/// @param merklePrefix store prefix of the counterparty; the ICS-24 key is appended to its last element
struct CounterpartyInfo {
    string clientId;
    bytes[] merklePrefix;
}

/// @notice Asks a light client to verify that `value` is stored under `path`.
/// @param path root to leaf, with the counterparty's prefix applied
struct MsgVerifyMembership {
    bytes proof;
    Height proofHeight;
    bytes[] path;
    bytes value;
}

/// @notice Asks a light client to verify that nothing is stored under `path`.
struct MsgVerifyNonMembership {
    bytes proof;
    Height proofHeight;
    bytes[] path;
}

/// @notice What an update did: a new state, proof of misbehaviour (the client is now frozen), or nothing new.
enum UpdateResult {
    Update,
    Misbehaviour,
    NoOp
}

/// @notice ICS-02 status. Frozen has precedence over Expired.
enum ClientStatus {
    Active,
    Frozen,
    Expired
}
