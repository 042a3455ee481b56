// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ICS-24 identifiers under the rules of docs/spec/identifiers.md, and text forms of numbers and addresses
library Identifiers {
    bytes16 private constant HEX_DIGITS = "0123456789abcdef";
    uint256 private constant MIN_CLIENT_ID_LENGTH = 8;
    uint256 private constant MAX_CLIENT_ID_LENGTH = 64;
    uint256 private constant MAX_CLIENT_NUMBER_DIGITS = 20;
    uint256 private constant MIN_PORT_ID_LENGTH = 2;
    uint256 private constant MAX_PORT_ID_LENGTH = 128;
    uint256 private constant ADDRESS_TEXT_LENGTH = 42;

    /// @notice Prefix of identifiers that the router assigns.
    string internal constant ASSIGNED_PREFIX = "client-";

    /// @notice 8 to 64 characters, `name-number`; the name has word characters and inner hyphens.
    function isClientId(string memory clientId) internal pure returns (bool) {
        bytes memory text = bytes(clientId);
        if (text.length < MIN_CLIENT_ID_LENGTH || text.length > MAX_CLIENT_ID_LENGTH) return false;
        uint256 digits = 0;
        while (digits < text.length && _isDigit(text[text.length - 1 - digits])) ++digits;
        if (digits == 0 || digits > MAX_CLIENT_NUMBER_DIGITS || digits + 2 > text.length) return false;
        uint256 nameLength = text.length - digits - 1;
        if (text[nameLength] != "-" || text[0] == "-" || text[nameLength - 1] == "-") return false;
        for (uint256 i = 0; i < nameLength; ++i) {
            if (!_isWord(text[i]) && text[i] != "-") return false;
        }
        return true;
    }

    /// @notice Whether the identifier could be one that the router assigns, or an ICS-04 v1 channel.
    function isReservedId(string memory id) internal pure returns (bool) {
        return _startsWith(bytes(id), "client-") || _startsWith(bytes(id), "channel-");
    }

    /// @notice 2 to 128 characters of `[a-zA-Z0-9._+-#[]<>]`.
    function isPortId(string memory portId) internal pure returns (bool) {
        bytes memory text = bytes(portId);
        if (text.length < MIN_PORT_ID_LENGTH || text.length > MAX_PORT_ID_LENGTH) return false;
        for (uint256 i = 0; i < text.length; ++i) {
            bytes1 c = text[i];
            if (
                !_isWord(c) && c != "." && c != "+" && c != "-" && c != "#" && c != "[" && c != "]" && c != "<"
                    && c != ">"
            ) return false;
        }
        return true;
    }

    /// @notice 1 to `maxLength` printable ASCII characters without spaces.
    function isPlainText(string memory text_, uint256 maxLength) internal pure returns (bool) {
        bytes memory text = bytes(text_);
        if (text.length == 0 || text.length > maxLength) return false;
        for (uint256 i = 0; i < text.length; ++i) {
            if (text[i] < 0x21 || text[i] > 0x7e) return false;
        }
        return true;
    }

    /// @notice Decimal digits without leading zeros.
    function toDecimal(uint256 value) internal pure returns (string memory) {
        uint256 digits = 1;
        for (uint256 rest = value / 10; rest != 0; rest /= 10) ++digits;
        bytes memory text = new bytes(digits);
        for (uint256 i = digits; i != 0; --i) {
            text[i - 1] = HEX_DIGITS[value % 10];
            value /= 10;
        }
        return string(text);
    }

    /// @notice `0x` and 40 lower-case digits.
    function toHex(address account) internal pure returns (string memory) {
        bytes memory text = new bytes(ADDRESS_TEXT_LENGTH);
        text[0] = "0";
        text[1] = "x";
        uint160 value = uint160(account);
        for (uint256 i = ADDRESS_TEXT_LENGTH; i > 2; --i) {
            text[i - 1] = HEX_DIGITS[value & 0xf];
            value >>= 4;
        }
        return string(text);
    }

    /// @notice Reads `0x` and 40 hex digits of either case.
    /// @return ok false for any other text
    /// @return account zero unless ok
    function parseAddress(string memory text_) internal pure returns (bool ok, address account) {
        bytes memory text = bytes(text_);
        if (text.length != ADDRESS_TEXT_LENGTH || text[0] != "0" || text[1] != "x") return (false, address(0));
        uint256 value = 0;
        // unchecked and without bounds: 40 characters cost 3 000 gas so, and 11 000 otherwise, in every message
        unchecked {
            for (uint256 i = 2; i < ADDRESS_TEXT_LENGTH; ++i) {
                uint256 c = _byteAt(text, i);
                // what is below the range becomes a large number, and so is above it
                uint256 digit = c - 0x30;
                if (digit > 9) {
                    digit = (c | 0x20) - 0x57;
                    if (digit < 10 || digit > 15) return (false, address(0));
                }
                value = (value << 4) | digit;
            }
        }
        return (true, address(uint160(value)));
    }

    /// @notice Byte equality of two texts.
    function equal(string memory a, string memory b) internal pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }

    /// @dev The caller has compared the length.
    function _byteAt(bytes memory text, uint256 index) private pure returns (uint256 c) {
        assembly ("memory-safe") {
            c := byte(0, mload(add(add(text, 0x20), index)))
        }
    }

    function _startsWith(bytes memory text, bytes memory prefix) private pure returns (bool) {
        if (text.length < prefix.length) return false;
        for (uint256 i = 0; i < prefix.length; ++i) {
            if (text[i] != prefix[i]) return false;
        }
        return true;
    }

    function _isDigit(bytes1 c) private pure returns (bool) {
        return c >= "0" && c <= "9";
    }

    function _isWord(bytes1 c) private pure returns (bool) {
        return _isDigit(c) || (c >= "a" && c <= "z") || (c >= "A" && c <= "Z") || c == "_";
    }
}
