// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ITitle } from "../interfaces/ITitle.sol";
import { TitleCounter } from "../types/Title.sol";
import { CanonicalAbi } from "./CanonicalAbi.sol";
import { Identifiers } from "./Identifiers.sol";

/// @title Title documents: packet data of a move, names and counters (docs/spec/titles.md)
library Titles {
    using CanonicalAbi for bytes;

    string internal constant PORT = "title";
    string internal constant VERSION = "hutong-title-1";
    string internal constant ENCODING = "application/x-solidity-abi";
    /// @notice Acknowledgement of a success.
    bytes internal constant SUCCESS = hex"01";

    uint256 internal constant MAX_TEXT_LENGTH = 128;
    uint256 internal constant MAX_HOPS = 8;
    uint256 internal constant MAX_COUNTERS = 8;
    /// @dev Two client identifiers with `>` between, and `/`.
    uint256 private constant MAX_HOP_LENGTH = 130;
    uint256 private constant COUNTER_LENGTH = 64;
    uint256 private constant FALLING = 1 << 255;

    /// @notice Packet data of a move.
    /// @param home whether the title goes back over the route that it came by last
    /// @param trace if it goes home, its trace there; else its trace on the sending chain
    struct PacketData {
        bool home;
        string trace;
        string issuer;
        bytes32 localId;
        bytes32 content;
        string sender;
        string receiver;
        bytes counters;
    }

    /// @notice Reads the canonical encoding of `PacketData`; texts are not checked yet.
    function decode(bytes calldata data) internal pure returns (PacketData memory move) {
        uint256 base = 32;
        uint256 cursor = base + 8 * 32;
        data.expectWord(0, base);
        move.home = data.word(base) != 0;
        data.expectWord(base, move.home ? 1 : 0);
        bytes calldata field;
        (field, cursor) = data.tail(base + 32, base, cursor);
        move.trace = string(field);
        (field, cursor) = data.tail(base + 64, base, cursor);
        move.issuer = string(field);
        move.localId = bytes32(data.word(base + 96));
        move.content = bytes32(data.word(base + 128));
        (field, cursor) = data.tail(base + 160, base, cursor);
        move.sender = string(field);
        (field, cursor) = data.tail(base + 192, base, cursor);
        move.receiver = string(field);
        (field, cursor) = data.tail(base + 224, base, cursor);
        move.counters = field;
        data.expectEnd(cursor);
    }

    /// @notice A title's name on this chain.
    function idOf(string memory trace, string memory issuer, bytes32 localId) internal pure returns (bytes32) {
        return keccak256(abi.encode(trace, issuer, localId));
    }

    /// @notice What a chain is called from here: the local client, or `hub client>hub's client` behind the hub.
    function forwardedRoute(string memory hubClient, string memory nextClient) internal pure returns (string memory) {
        return string.concat(hubClient, ">", nextClient);
    }

    /// @notice The local client of a route.
    function clientOf(string memory route) internal pure returns (string memory) {
        uint256 end = 0;
        while (end < bytes(route).length && bytes(route)[end] != ">") ++end;
        return _slice(route, 0, end);
    }

    /// @notice Whether the title came by this route last, so that by it it goes home.
    function startsWithHop(string memory trace, string memory route) internal pure returns (bool) {
        bytes memory text = bytes(trace);
        bytes memory hop = bytes(route);
        if (text.length < hop.length || (text.length > hop.length && text[hop.length] != "/")) return false;
        for (uint256 i = 0; i < hop.length; ++i) {
            if (text[i] != hop[i]) return false;
        }
        return true;
    }

    /// @notice The trace without its first hop.
    function withoutHop(string memory trace, string memory route) internal pure returns (string memory) {
        uint256 start = bytes(route).length;
        uint256 length = bytes(trace).length;
        return length == start ? "" : _slice(trace, start + 1, length);
    }

    /// @notice The trace with one hop more in front.
    function withHop(string memory trace, string memory route) internal pure returns (string memory) {
        return bytes(trace).length == 0 ? route : string.concat(route, "/", trace);
    }

    /// @notice Refuses what is neither empty nor one to `MAX_HOPS` routes with `/` between.
    function checkTrace(string memory trace) internal pure {
        uint256 length = bytes(trace).length;
        if (length == 0) return;
        require(length <= MAX_HOPS * MAX_HOP_LENGTH, ITitle.InvalidTrace(length));
        uint256 hops = 0;
        uint256 start = 0;
        for (uint256 i = 0; i <= length; ++i) {
            if (i != length && bytes(trace)[i] != "/") continue;
            require(_isRoute(_slice(trace, start, i)), ITitle.InvalidTrace(length));
            start = i + 1;
            ++hops;
        }
        require(hops <= MAX_HOPS, ITitle.InvalidTrace(length));
    }

    /// @notice 64 bytes a counter: its name, then direction (highest bit: falling) and value (lowest 128 bits).
    function packCounters(TitleCounter[] memory counters) internal pure returns (bytes memory packed) {
        for (uint256 i = 0; i < counters.length; ++i) {
            uint256 word = (counters[i].falling ? FALLING : 0) | counters[i].value;
            packed = abi.encodePacked(packed, counters[i].name, word);
        }
    }

    /// @notice Reads what `packCounters` wrote, and nothing else.
    function unpackCounters(bytes memory packed) internal pure returns (TitleCounter[] memory counters) {
        require(packed.length % COUNTER_LENGTH == 0, ITitle.InvalidCounters());
        counters = new TitleCounter[](packed.length / COUNTER_LENGTH);
        for (uint256 i = 0; i < counters.length; ++i) {
            bytes32 name;
            uint256 word;
            uint256 position = 32 + i * COUNTER_LENGTH;
            assembly ("memory-safe") {
                name := mload(add(packed, position))
                word := mload(add(packed, add(position, 32)))
            }
            uint256 value = word & ~FALLING;
            require(value <= type(uint128).max, ITitle.InvalidCounters());
            counters[i] = TitleCounter(name, word & FALLING != 0, uint128(value));
        }
        checkCounters(counters);
    }

    /// @notice At most `MAX_COUNTERS`, with names that are not zero and rise, so that none is there twice.
    function checkCounters(TitleCounter[] memory counters) internal pure {
        require(counters.length <= MAX_COUNTERS, ITitle.InvalidCounters());
        bytes32 last = 0;
        for (uint256 i = 0; i < counters.length; ++i) {
            require(counters[i].name > last, ITitle.InvalidCounters());
            last = counters[i].name;
        }
    }

    /// @notice Whether a counter has gone on or stood still: same name, same direction, no step back.
    function hasGoneOn(TitleCounter memory from, TitleCounter memory to) internal pure returns (bool) {
        return from.name == to.name && from.falling == to.falling
            && (from.falling ? to.value <= from.value : to.value >= from.value);
    }

    function _isRoute(string memory route) private pure returns (bool) {
        string memory client = clientOf(route);
        uint256 length = bytes(client).length;
        if (!Identifiers.isClientId(client)) return false;
        return length == bytes(route).length
            || Identifiers.isClientId(_slice(route, length + 1, bytes(route).length));
    }

    function _slice(string memory text, uint256 start, uint256 end) private pure returns (string memory) {
        bytes memory part = new bytes(end - start);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = bytes(text)[start + i];
        }
        return string(part);
    }
}
