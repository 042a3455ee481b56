// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Amounts in records of the hub, as the chains that were observed keep them
library RecordedAmounts {
    uint256 private constant MAX_DIGITS = 38;

    /// @notice The bytes are no amount.
    error NotAnAmount(bytes value);

    /// @notice Of an EVM storage slot the word; of a Cosmos chain's store, where the bank module keeps supplies, its decimal digits.
    /// @param key of the record: `observation/slot/…` or `observation/store/…`
    function amountIn(bytes memory value, bytes memory key) internal pure returns (uint256 amount) {
        if (bytes17(key) == "observation/slot/") return uint256(bytes32(value));
        bool isDecimal = bytes18(key) == "observation/store/" && value.length != 0 && value.length <= MAX_DIGITS;
        require(isDecimal, NotAnAmount(value));
        for (uint256 i = 0; i < value.length; ++i) {
            require(value[i] >= "0" && value[i] <= "9", NotAnAmount(value));
            amount = amount * 10 + uint8(value[i]) - 48;
        }
    }
}
