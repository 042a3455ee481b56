// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMailbox } from "../interfaces/IMailbox.sol";

/// @title Reading ABI data that must be in its one canonical form
/// @notice Solidity's own decoder takes gaps, overlaps, shared tails and trailing bytes, and reverts without a reason,
/// which a router cannot tell from gas that ran out. Here the tails must follow each other in order, with zero padding.
library CanonicalAbi {
    uint256 private constant WORD = 32;

    /// @notice The word at an offset.
    function word(bytes calldata data, uint256 offset) internal pure returns (uint256 value) {
        require(offset + WORD <= data.length, IMailbox.MalformedPayload(offset));
        assembly ("memory-safe") {
            value := calldataload(add(data.offset, offset))
        }
    }

    /// @notice The word at an offset, which must have a given value.
    function expectWord(bytes calldata data, uint256 offset, uint256 expected) internal pure {
        require(word(data, offset) == expected, IMailbox.MalformedPayload(offset));
    }

    /// @notice A dynamic field whose tail must begin at `cursor`.
    /// @param head where the field's offset word stands
    /// @param base what offsets of this tuple count from
    /// @param cursor end of the previous tail
    /// @return field the bytes
    /// @return next end of this tail, padding included
    function tail(
        bytes calldata data,
        uint256 head,
        uint256 base,
        uint256 cursor
    )
        internal
        pure
        returns (bytes calldata field, uint256 next)
    {
        expectWord(data, head, cursor - base);
        uint256 length = word(data, cursor);
        uint256 start = cursor + WORD;
        require(length <= data.length - start, IMailbox.MalformedPayload(cursor));
        unchecked {
            // the length is below that of calldata by now
            next = start + (length + WORD - 1) / WORD * WORD;
            require(next <= data.length, IMailbox.MalformedPayload(cursor));
            uint256 used = length % WORD;
            if (used != 0) {
                uint256 padding = word(data, next - WORD) << (used * 8);
                require(padding == 0, IMailbox.MalformedPayload(next - WORD));
            }
        }
        assembly ("memory-safe") {
            field.offset := add(data.offset, start)
            field.length := length
        }
    }

    /// @notice Nothing may follow the last tail.
    function expectEnd(bytes calldata data, uint256 cursor) internal pure {
        require(cursor == data.length, IMailbox.MalformedPayload(cursor));
    }
}
