// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Height } from "./Client.sol";

/// @notice A value under a key of the hub's state, as the caller says that it is.
/// @param key 1 to 200 bytes
/// @param value empty: nothing is written under the key
struct Record {
    bytes key;
    bytes value;
}

/// @notice A proof of several keys and absences under one root.
/// @param terminals from left to right: kind and depth in one byte each; a neighbour's H(key) and H(value) follow
/// @param siblings roots of the subtrees beside the paths, in the order in which a walk up meets them
struct Multiproof {
    bytes terminals;
    bytes32[] siblings;
}

/// @notice The epoch of a client of the hub.
/// @param clientId identifier on the hub
/// @param value the record under `observation/client/<id>`, 18 bytes
struct EpochRecord {
    string clientId;
    bytes value;
}

/// @notice What shows records under a root of the hub.
/// @param epochs of the clients that the records are of, ascending by the hash of their keys; one that the reader has kept at
/// the same height may be left out
/// @param nodes of records and epochs together
struct RecordProof {
    EpochRecord[] epochs;
    Multiproof nodes;
}

/// @notice What a record says: nothing is written under the key, which tells nothing about the observed chain; the observed
/// chain has nothing there; or a value.
enum Presence {
    Unwritten,
    Absent,
    Present
}

/// @notice A record that passed every rule of reading. Members from `sourceTime` on are zero where nothing was observed.
/// @param value what the observed chain has there, or the value of a record that is not an observation
/// @param headerTime Unix seconds of the hub's header
/// @param sourceTime Unix seconds of the observed chain's block
/// @param sourceHeight height of that block
/// @param threshold how many attestors stand for it; 0: the chain's own consensus proves it
/// @param attestors of how many
struct Answer {
    Presence presence;
    bytes value;
    uint64 headerTime;
    uint64 sourceTime;
    Height sourceHeight;
    uint8 threshold;
    uint8 attestors;
}
