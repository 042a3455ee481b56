// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CanonicalAbi } from "./CanonicalAbi.sol";

/// @title ICS-27 GMP packet data in its ABI encoding
library Gmp {
    using CanonicalAbi for bytes;

    string internal constant PORT = "gmpport";
    string internal constant VERSION = "ics27-2";
    /// @notice A word with the gas that the receiver asks for, then the encoding of `VERSION`.
    string internal constant GAS_VERSION = "hutong-gmp-gas-1";
    string internal constant ENCODING = "application/x-solidity-abi";

    /// @notice Packet data. Mailbox sends no salt and no memo.
    struct PacketData {
        string sender;
        string receiver;
        bytes salt;
        bytes payload;
        string memo;
    }

    /// @notice Acknowledgement of a success.
    struct Acknowledgement {
        bytes result;
    }

    /// @notice Reads the canonical encoding of `PacketData`.
    function decode(bytes calldata data)
        internal
        pure
        returns (string calldata sender, string calldata receiver, bytes calldata salt, bytes calldata payload, string calldata memo)
    {
        uint256 base = 32;
        uint256 cursor = base + 5 * 32;
        data.expectWord(0, base);
        bytes calldata field;
        (field, cursor) = data.tail(base, base, cursor);
        sender = string(field);
        (field, cursor) = data.tail(base + 32, base, cursor);
        receiver = string(field);
        (salt, cursor) = data.tail(base + 64, base, cursor);
        (payload, cursor) = data.tail(base + 96, base, cursor);
        (field, cursor) = data.tail(base + 128, base, cursor);
        memo = string(field);
        data.expectEnd(cursor);
    }

    /// @notice Reads a value of `GAS_VERSION` that this chain has written itself.
    function decodeOwn(bytes memory value) internal pure returns (uint256 receiveGas, PacketData memory data) {
        bytes memory message;
        assembly ("memory-safe") {
            receiveGas := mload(add(value, 0x20))
            // the length of the rest in place of the word before it
            message := add(value, 0x20)
            mstore(message, sub(mload(value), 0x20))
        }
        data = abi.decode(message, (PacketData));
    }

    /// @notice `abi.encode((result))`.
    function encodeAcknowledgement(bytes memory result) internal pure returns (bytes memory) {
        return abi.encode(Acknowledgement(result));
    }

    /// @notice The result inside a success acknowledgement, or the acknowledgement itself where it is of another form.
    /// @dev Never reverts: settlement of a packet must not depend on bytes that the other chain chose.
    function resultOf(bytes calldata acknowledgement) internal pure returns (bytes calldata) {
        if (acknowledgement.length < 96) return acknowledgement;
        if (uint256(bytes32(acknowledgement[0:32])) != 32 || uint256(bytes32(acknowledgement[32:64])) != 32) {
            return acknowledgement;
        }
        uint256 length = uint256(bytes32(acknowledgement[64:96]));
        if (length > acknowledgement.length - 96) return acknowledgement;
        return acknowledgement[96:96 + length];
    }
}
