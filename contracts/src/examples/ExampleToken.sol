// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Plain ERC-20 of a fixed supply, for demonstrations
contract ExampleToken is ERC20 {
    /// @param name_ name that wallets show
    /// @param symbol_ symbol that wallets show
    /// @param supply smallest units, all for the deployer
    constructor(string memory name_, string memory symbol_, uint256 supply) ERC20(name_, symbol_) {
        _mint(msg.sender, supply);
    }
}
