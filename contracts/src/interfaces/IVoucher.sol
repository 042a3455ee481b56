// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Voucher: an ERC-20 that stands for a token of another chain
interface IVoucher is IERC20 {
    /// @notice Only the Transfer contract that made it mints, burns and describes.
    error OnlyTransfer(address caller);

    /// @notice Makes tokens that arrived. For Transfer.
    function mint(address to, uint256 amount) external;

    /// @notice Destroys tokens that go home. For Transfer.
    function burn(address from, uint256 amount) external;

    /// @notice Sets what wallets show. For Transfer.
    function describe(string calldata name_, string calldata symbol_, uint8 decimals_) external;

    /// @notice The full trace: every hop, newest first, then the token's name on its own chain.
    function denom() external view returns (string memory);

    /// @notice Whether `describe` was called.
    function isDescribed() external view returns (bool);
}
