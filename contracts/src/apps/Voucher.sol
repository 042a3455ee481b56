// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Clones } from "@openzeppelin/contracts/proxy/Clones.sol";
import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { IVoucher } from "../interfaces/IVoucher.sol";
import { Ics20 } from "../libraries/Ics20.sol";

/// @title Voucher: an ERC-20 that stands for a token of another chain (docs/spec/transfer.md)
/// @notice Transfer deploys this once, and a minimal proxy with the trace in its code for each token that arrives. The proxy
/// points here for good.
contract Voucher is ERC20, IVoucher {
    uint256 private constant MAX_WHOLE_SYMBOL = 12;

    /// @notice The only minter and burner.
    address public immutable TRANSFER;

    /// @inheritdoc IVoucher
    bool public isDescribed;
    uint8 private _decimals;
    string private _name;
    string private _symbol;

    modifier onlyTransfer() {
        require(msg.sender == TRANSFER, OnlyTransfer(msg.sender));
        _;
    }

    constructor() ERC20("", "") {
        TRANSFER = msg.sender;
    }

    /// @inheritdoc IVoucher
    function mint(address to, uint256 amount) external onlyTransfer {
        _mint(to, amount);
    }

    /// @inheritdoc IVoucher
    function burn(address from, uint256 amount) external onlyTransfer {
        _burn(from, amount);
    }

    /// @inheritdoc IVoucher
    function describe(string calldata name_, string calldata symbol_, uint8 decimals_) external onlyTransfer {
        (isDescribed, _name, _symbol, _decimals) = (true, name_, symbol_, decimals_);
    }

    /// @inheritdoc IVoucher
    function denom() public view returns (string memory) {
        return string(Clones.fetchCloneArgs(address(this)));
    }

    /// @notice The trace, until the administrators give a name.
    function name() public view override returns (string memory) {
        return isDescribed ? _name : denom();
    }

    /// @notice The token's name on its own chain, shortened, until the administrators give a symbol.
    function symbol() public view override returns (string memory) {
        if (isDescribed) return _symbol;
        bytes memory text = bytes(denom());
        uint256 start = Ics20.baseStart(string(text));
        uint256 length = text.length - start;
        bytes memory short = new bytes(length <= MAX_WHOLE_SYMBOL ? length : MAX_WHOLE_SYMBOL);
        for (uint256 i = 0; i < short.length; ++i) {
            short[i] = text[start + i];
        }
        if (length > MAX_WHOLE_SYMBOL) {
            (short[6], short[7]) = (".", ".");
            for (uint256 i = 8; i < MAX_WHOLE_SYMBOL; ++i) {
                short[i] = text[text.length + i - MAX_WHOLE_SYMBOL];
            }
        }
        return string(short);
    }

    /// @notice 0 until the administrators say more: ICS-20 carries no decimals, and smallest units are never wrong.
    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}
