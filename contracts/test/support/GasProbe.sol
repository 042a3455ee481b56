// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Tries one call with many amounts of gas, undoing each, and tells what each left behind.
contract GasProbe {
    error Tried(bool success, bytes32 observed);

    /// @notice For each amount: whether the call succeeded, and what `observer` answered after it.
    /// @param watch calldata of a view that returns one word
    function sweep(
        address target,
        bytes calldata data,
        address observer,
        bytes calldata watch,
        uint256 from,
        uint256 count,
        uint256 step
    )
        external
        returns (bytes32[] memory observed, bool[] memory succeeded)
    {
        observed = new bytes32[](count);
        succeeded = new bool[](count);
        for (uint256 i = 0; i < count; ++i) {
            try this.once(target, data, observer, watch, from + i * step) { }
            catch (bytes memory reason) {
                require(bytes4(reason) == Tried.selector, "probe ran out of gas");
                bool success;
                bytes32 word;
                assembly ("memory-safe") {
                    success := mload(add(reason, 0x24))
                    word := mload(add(reason, 0x44))
                }
                (succeeded[i], observed[i]) = (success, word);
            }
        }
    }

    function once(address target, bytes calldata data, address observer, bytes calldata watch, uint256 gas_) external {
        require(gasleft() > gas_ * 64 / 63 + 500_000, "probe ran out of gas");
        (bool success,) = target.call{ gas: gas_ }(data);
        (, bytes memory word) = observer.staticcall(watch);
        revert Tried(success, bytes32(word));
    }
}
