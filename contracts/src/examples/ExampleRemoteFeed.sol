// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubReader } from "../interfaces/IHubReader.sol";
import { Height } from "../types/Client.sol";
import { Answer, Presence, RecordProof } from "../types/Record.sol";

/// @title Reads a feed of another chain by a record of the hub
contract ExampleRemoteFeed {
    uint8 private constant PROVEN_ALONE = 255;
    IHubReader private immutable READER;
    address private immutable FEED;
    bytes32 private immutable ID;
    string private _feedChain;

    /// @notice Nothing was ever pushed there, or nobody observed it.
    error NoRound();
    /// @notice The record is new enough, and the round that it shows is not.
    error RoundTooOld(uint256 time, uint256 maxAge, uint256 nowTime);

    /// @param reader of the hub's records on this chain
    /// @param feedChain the hub's client of the other chain, such as `bft-evm-0`
    /// @param feed contract on the other chain
    /// @param id of the feed there
    constructor(IHubReader reader, string memory feedChain, address feed, bytes32 id) {
        (READER, FEED, ID) = (reader, feed, id);
        _feedChain = feedChain;
    }

    /// @notice The value, if header, observed block and round are each younger than `maxAge`.
    /// @param record what the hub observed of the feed's slot
    /// @param maxAge seconds
    function value(bytes calldata record, RecordProof calldata proof, Height calldata height, uint64 maxAge)
        external
        view
        returns (int128)
    {
        bytes32 slot = keccak256(abi.encode(ID, 0));
        bytes memory key = abi.encodePacked("observation/slot/", _feedChain, "/", FEED, slot);
        Answer memory answer = READER.read(key, record, proof, height, maxAge, PROVEN_ALONE);
        require(answer.presence == Presence.Present, NoRound());
        uint256 word = uint256(bytes32(answer.value));
        uint256 time = uint64(word >> 128);
        require(block.timestamp < time + maxAge, RoundTooOld(time, maxAge, block.timestamp));
        return int128(uint128(word));
    }
}
