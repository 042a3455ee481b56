// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CanonicalAbi } from "./CanonicalAbi.sol";
import { Identifiers } from "./Identifiers.sol";

/// @title ICS-20 v2: packet data in its ABI encoding, and denominations (docs/spec/transfer-packets.md)
library Ics20 {
    using CanonicalAbi for bytes;

    string internal constant PORT = "transfer";
    string internal constant VERSION = "ics20-1";
    string internal constant ENCODING = "application/x-solidity-abi";
    /// @notice Acknowledgement of a success, in every encoding.
    bytes internal constant SUCCESS = '{"result":"AQ=="}';

    uint256 internal constant MAX_MEMO_LENGTH = 32_768;
    uint256 internal constant MAX_RECEIVER_LENGTH = 2048;
    uint256 internal constant MAX_DENOM_LENGTH = 1024;
    /// @notice `transfer/`, the longest client identifier, `/`: what a token's name has more on the chain that it was sent to.
    uint256 internal constant MAX_HOP_LENGTH = 74;
    uint256 private constant MAX_BASE_LENGTH = 128;
    uint256 private constant MAX_HOPS = 16;

    /// @notice Packet data; the amount is the fourth field.
    struct PacketData {
        string denom;
        string sender;
        string receiver;
        uint256 amount;
        string memo;
    }

    /// @notice Reads the canonical encoding of `PacketData`.
    function decode(bytes calldata data)
        internal
        pure
        returns (
            string calldata denom,
            string calldata sender,
            string calldata receiver,
            uint256 amount,
            string calldata memo
        )
    {
        uint256 base = 32;
        uint256 cursor = base + 5 * 32;
        data.expectWord(0, base);
        bytes calldata field;
        (field, cursor) = data.tail(base, base, cursor);
        denom = string(field);
        (field, cursor) = data.tail(base + 32, base, cursor);
        sender = string(field);
        (field, cursor) = data.tail(base + 64, base, cursor);
        receiver = string(field);
        amount = data.word(base + 96);
        (field, cursor) = data.tail(base + 128, base, cursor);
        memo = string(field);
        data.expectEnd(cursor);
    }

    /// @notice `transfer/<client>/`: what a token's name begins with that has come over this client.
    function hop(string memory clientId) internal pure returns (string memory) {
        return string.concat(PORT, "/", clientId, "/");
    }

    /// @notice Whether a text begins with another.
    function startsWith(string memory text, string memory prefix) internal pure returns (bool) {
        uint256 length = bytes(prefix).length;
        if (bytes(text).length < length) return false;
        bytes32 head;
        assembly ("memory-safe") {
            head := keccak256(add(text, 0x20), length)
        }
        return head == keccak256(bytes(prefix));
    }

    /// @notice `port/client/…/base`: at most 16 hops, ports and clients of ICS-24, a base of letters, digits and `:._-`.
    /// @dev So that a text is a denomination in one way only, and no two look alike.
    function isDenom(string memory text_) internal pure returns (bool) {
        bytes memory text = bytes(text_);
        if (text.length > MAX_DENOM_LENGTH) return false;
        uint256 parts = 0;
        uint256 start = 0;
        for (uint256 i = 0; i < text.length; ++i) {
            if (text[i] != "/") continue;
            string memory part = _slice(text, start, i);
            if (parts % 2 == 0 ? !Identifiers.isPortId(part) : !Identifiers.isClientId(part)) return false;
            ++parts;
            start = i + 1;
        }
        return parts % 2 == 0 && parts <= 2 * MAX_HOPS && _isBase(text, start);
    }

    /// @notice The hops of a denomination without the last `/`; empty for a token without hops.
    function traceOf(string memory denom) internal pure returns (string memory) {
        uint256 start = baseStart(denom);
        return start == 0 ? "" : _slice(bytes(denom), 0, start - 1);
    }

    /// @notice Where the base of a denomination begins.
    function baseStart(string memory denom) internal pure returns (uint256 start) {
        bytes memory text = bytes(denom);
        start = text.length;
        while (start != 0 && text[start - 1] != "/") --start;
    }

    /// @notice The memo that asks the hub to send on: canonical JSON of packet-forward.
    /// @param receiver without `"` and `\`
    function forwardMemo(
        string calldata receiver,
        string calldata nextClient,
        uint64 timeoutTimestamp
    )
        internal
        pure
        returns (string memory)
    {
        return string.concat(
            '{"forward":{"receiver":"',
            receiver,
            '","port":"transfer","channel":"',
            nextClient,
            '","timeout_timestamp":',
            Identifiers.toDecimal(timeoutTimestamp),
            "}}"
        );
    }

    function _isBase(bytes memory text, uint256 start) private pure returns (bool) {
        uint256 length = text.length - start;
        if (length == 0 || length > MAX_BASE_LENGTH) return false;
        for (uint256 i = start; i < text.length; ++i) {
            bytes1 c = text[i];
            bool alphanumeric = (c >= "0" && c <= "9") || (c >= "a" && c <= "z") || (c >= "A" && c <= "Z");
            if (!alphanumeric && (i == start || (c != ":" && c != "." && c != "_" && c != "-"))) return false;
        }
        return true;
    }

    function _slice(bytes memory text, uint256 start, uint256 end) private pure returns (string memory) {
        bytes memory part = new bytes(end - start);
        for (uint256 i = start; i < end; ++i) {
            part[i - start] = text[i];
        }
        return string(part);
    }
}
