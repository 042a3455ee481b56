// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { IHubReader } from "../interfaces/IHubReader.sol";
import { Height } from "../types/Client.sol";
import { Answer, Presence, RecordProof } from "../types/Record.sol";

/// @title Vault on one chain that opens for whoever holds enough of a token on another
contract ExampleVault {
    uint64 private constant MAX_AGE = 1 minutes;
    uint8 private constant PROVEN_ALONE = 255;
    IHubReader private immutable READER;
    IERC20 private immutable TREASURE;
    address private immutable TOKEN;
    uint256 private immutable BALANCES_SLOT;
    uint256 private immutable MINIMUM;
    string private _tokenChain;

    /// @notice The caller held less there.
    error NotEnough(uint256 balance, uint256 minimum);

    /// @param reader of the hub's records on this chain
    /// @param treasure token of this chain that the vault pays out
    /// @param tokenChain the hub's client of the other chain, such as `bft-evm-0`
    /// @param token contract on the other chain
    /// @param balancesSlot where that contract's storage layout has its mapping of balances
    /// @param minimum smallest units
    constructor(
        IHubReader reader,
        IERC20 treasure,
        string memory tokenChain,
        address token,
        uint256 balancesSlot,
        uint256 minimum
    ) {
        (READER, TREASURE, TOKEN, BALANCES_SLOT, MINIMUM) = (reader, treasure, token, balancesSlot, minimum);
        _tokenChain = tokenChain;
    }

    /// @notice Pays out everything to a caller with the balance.
    /// @param record what the hub observed of the caller's balance
    function open(bytes calldata record, RecordProof calldata proof, Height calldata height) external {
        bytes32 slot = keccak256(abi.encode(msg.sender, BALANCES_SLOT));
        bytes memory key = abi.encodePacked("observation/slot/", _tokenChain, "/", TOKEN, slot);
        Answer memory answer = READER.read(key, record, proof, height, MAX_AGE, PROVEN_ALONE);
        uint256 balance = answer.presence == Presence.Present ? uint256(bytes32(answer.value)) : 0;
        require(balance >= MINIMUM, NotEnough(balance, MINIMUM));
        SafeERC20.safeTransfer(TREASURE, msg.sender, TREASURE.balanceOf(address(this)));
    }
}
