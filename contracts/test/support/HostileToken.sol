// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An ERC-20 that behaves as it is told to: the kinds of token that have cost bridges money.
contract HostileToken {
    enum Kind {
        Plain,
        NoReturn,
        FalseReturn,
        Fee,
        PretendsOnly,
        Hook,
        Reverts,
        RevertsEmpty,
        Loops,
        RevertLength,
        MalformedBalance,
        ShowsGas
    }

    Kind public kind;
    uint256 public size;
    address public target;
    bytes public data;
    bool public callSucceeded;
    bytes public callResult;
    uint256 public calls;
    uint256 public gasSeen;
    /// @dev Balances are shares times this, over 1000: another value is a rebase.
    uint256 public factor = 1000;
    mapping(address account => uint256 amount) private _shares;
    mapping(address account => bool blocked) public blocked;
    mapping(address owner => mapping(address spender => uint256 amount)) public allowance;

    error Blocked(address account);
    error Refused(uint256 size);

    function set(Kind kind_, uint256 size_, address target_, bytes calldata data_) external {
        (kind, size, target, data) = (kind_, size_, target_, data_);
    }

    function rebase(uint256 factor_) external {
        factor = factor_;
    }

    function blockAccount(address account, bool blocked_) external {
        blocked[account] = blocked_;
    }

    function mint(address to, uint256 amount) external {
        _shares[to] += amount * 1000 / factor;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function balanceOf(address account) external view returns (uint256) {
        if (kind == Kind.MalformedBalance) {
            assembly ("memory-safe") {
                return(0, 1)
            }
        }
        return _shares[account] * factor / 1000;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        require(allowance[from][msg.sender] >= amount, "allowance");
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        if (kind == Kind.ShowsGas) gasSeen = gasleft();
        ++calls;
        if (blocked[from]) revert Blocked(from);
        if (blocked[to]) revert Blocked(to);
        if (kind == Kind.Reverts) revert Refused(0);
        if (kind == Kind.RevertsEmpty) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        if (kind == Kind.RevertLength) {
            uint256 length = size;
            assembly ("memory-safe") {
                revert(0, length)
            }
        }
        if (kind == Kind.Loops) {
            uint256 i = 0;
            while (gasleft() != 0) ++i;
        }
        if (kind == Kind.FalseReturn) return false;
        if (kind == Kind.PretendsOnly) return true;
        uint256 shares = amount * 1000 / factor;
        _shares[from] -= shares;
        _shares[to] += kind == Kind.Fee ? shares - shares / 100 : shares;
        if (kind == Kind.Hook) {
            (callSucceeded, callResult) = target.call(data);
        }
        if (kind == Kind.NoReturn) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return true;
    }
}
