// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Calls that copy no more return data than they were told to
/// @notice The called contract pays for the return data that it makes, the caller for what it copies: without a bound,
/// a callee can burn its caller's gas.
library BoundedCall {
    /// @notice Calls with a gas limit (EIP-150 may give less than asked).
    /// @param gasLimit gas for the call
    /// @param maxReturn bytes copied at most
    /// @return success false if the call reverted
    /// @return data return or revert data, cut at `maxReturn`
    /// @return size length of the data before the cut
    function call(
        address target,
        uint256 gasLimit,
        bytes memory input,
        uint256 maxReturn
    )
        internal
        returns (bool success, bytes memory data, uint256 size)
    {
        assembly ("memory-safe") {
            success := call(gasLimit, target, 0, add(input, 0x20), mload(input), 0, 0)
        }
        (data, size) = _returned(maxReturn);
    }

    /// @notice Runs own code with the caller's rights under a gas limit.
    function delegateToSelf(
        uint256 gasLimit,
        bytes memory input,
        uint256 maxReturn
    )
        internal
        returns (bool success, bytes memory data)
    {
        assembly ("memory-safe") {
            success := delegatecall(gasLimit, address(), add(input, 0x20), mload(input), 0, 0)
        }
        (data,) = _returned(maxReturn);
    }

    /// @notice Reads `abi.encode(bytes)` in place.
    /// @param returned copied return data
    /// @return ok false where it is not that encoding, or was cut
    /// @return value the bytes; shares memory with `returned`
    function decodeBytes(bytes memory returned) internal pure returns (bool ok, bytes memory value) {
        if (returned.length < 0x40) return (false, value);
        uint256 offset;
        uint256 length;
        assembly ("memory-safe") {
            offset := mload(add(returned, 0x20))
            length := mload(add(returned, 0x40))
        }
        if (offset != 0x20 || length > returned.length - 0x40) return (false, value);
        assembly ("memory-safe") {
            value := add(returned, 0x40)
        }
        return (true, value);
    }

    function _returned(uint256 maxReturn) private pure returns (bytes memory data, uint256 size) {
        assembly ("memory-safe") {
            size := returndatasize()
            let copied := size
            if gt(copied, maxReturn) { copied := maxReturn }
            data := mload(0x40)
            mstore(data, copied)
            returndatacopy(add(data, 0x20), 0, copied)
            mstore(0x40, and(add(add(data, copied), 0x3f), not(0x1f)))
        }
    }
}
