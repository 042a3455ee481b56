// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a feed is. Its hash is the feed's id, so that nobody can change it and no chain need be told of it.
/// @param signers 1 to 64 addresses, ascending, none of them zero
/// @param threshold reports that a round needs: more than half of the signers
/// @param rule how reports become one value; 1: their median, of an even number the lower of the two in the middle
/// @param decimals a value is in units of ten to the minus `decimals`, at most 38
/// @param heartbeat seconds after which the signers promise the next round; not zero
/// @param label 1 to 64 printable ASCII characters without spaces, for people
struct FeedDescription {
    address[] signers;
    uint8 threshold;
    uint8 rule;
    uint8 decimals;
    uint32 heartbeat;
    string label;
}

/// @notice A round that stands, in one word of storage.
/// @param value in the feed's units; lowest 128 bits of the word
/// @param time Unix seconds of the round, as the signers signed it; zero: no round was ever pushed
/// @param count reports that the value was taken of; highest 64 bits
struct FeedRound {
    int128 value;
    uint64 time;
    uint64 count;
}
