// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Clones } from "@openzeppelin/contracts/proxy/Clones.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { ReentrancyGuard } from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import { IRouter } from "../interfaces/IRouter.sol";
import { Held, ITransfer, ITransferSender, TransferOutcome } from "../interfaces/ITransfer.sol";
import { IVoucher } from "../interfaces/IVoucher.sol";
import { BoundedCall } from "../libraries/BoundedCall.sol";
import { Ics20 } from "../libraries/Ics20.sol";
import { Identifiers } from "../libraries/Identifiers.sol";
import { Voucher } from "./Voucher.sol";

/// @title What Transfer keeps: escrow by client and token, vouchers by trace, and amounts that wait for their owners
/// @notice Every token that this contract holds is in the escrow of a client or held for an owner.
abstract contract TransferVault is ITransfer, AccessManaged, Pausable, ReentrancyGuard {
    using Identifiers for string;
    using Ics20 for string;
    using SafeERC20 for IERC20;

    /// @notice Gas that a token gets at least to pay what was received; with less left, the whole receive reverts and can be repeated.
    uint256 public constant MIN_TOKEN_GAS = 150_000;
    /// @notice Gas that the payment of a refund gets, exactly.
    uint256 public constant REFUND_GAS = 200_000;

    /// @notice Gas that a sender's `onTransferSettled` gets, exactly.
    uint256 public constant SETTLEMENT_GAS = 150_000;

    /// @dev Covers what a call costs itself, cold account included.
    uint256 private constant CALL_OVERHEAD = 5000;
    uint256 private constant MAX_REASON_LENGTH = 896;

    /// @notice The router whose port `transfer` this is.
    IRouter public immutable ROUTER;
    /// @notice What every voucher's proxy points to.
    address public immutable VOUCHER;

    /// @inheritdoc ITransfer
    mapping(address token => bool) public isVoucher;
    mapping(bytes32 denomHash => address token) private _vouchers;
    mapping(string clientId => mapping(address token => uint256 amount)) private _escrow;
    mapping(bytes32 heldId => Held) private _held;

    constructor(IRouter router) {
        ROUTER = router;
        VOUCHER = address(new Voucher());
    }

    /// @inheritdoc ITransfer
    function release(bytes32 id) external nonReentrant whenNotPaused {
        _release(id, _held[id].owner);
    }

    /// @inheritdoc ITransfer
    function releaseTo(bytes32 id, address to) external nonReentrant whenNotPaused {
        address owner = _held[id].owner;
        require(owner == msg.sender, OnlyOwner(owner, msg.sender));
        require(_canHold(to, _held[id].token), InvalidReceiver(Identifiers.toHex(to)));
        _release(id, to);
    }

    /// @inheritdoc ITransfer
    function cancelHeld(string calldata clientId, uint64 sequence) external nonReentrant restricted {
        bytes32 id = heldId(false, clientId, sequence);
        Held memory entry = _held[id];
        require(entry.amount != 0, NothingHeld(id));
        delete _held[id];
        if (_isHomeward(clientId, entry.token, denomOf(entry.token))) {
            IVoucher(entry.token).burn(address(this), entry.amount);
        } else {
            _escrow[clientId][entry.token] += entry.amount;
        }
        emit TransferCancelled(id, entry.owner, entry.token, entry.amount);
    }

    /// @inheritdoc ITransfer
    function describeVoucher(
        string calldata denom,
        string calldata name,
        string calldata symbol,
        uint8 decimals
    )
        external
        restricted
    {
        address voucher = _vouchers[keccak256(bytes(denom))];
        require(voucher != address(0), UnknownToken(denom));
        require(!IVoucher(voucher).isDescribed(), AlreadyDescribed(voucher));
        IVoucher(voucher).describe(name, symbol, decimals);
        emit VoucherDescribed(voucher, name, symbol, decimals);
    }

    /// @notice Pays a refund; called by this contract alone, so that a token that refuses undoes nothing else.
    /// @param minted whether the sender's vouchers were burnt and have to be made again
    function payRefund(address token, address to, uint256 amount, bool minted) external {
        require(msg.sender == address(this), OnlySelf(msg.sender));
        if (minted) IVoucher(token).mint(to, amount);
        else _pay(token, to, amount);
    }

    /// @inheritdoc ITransfer
    function escrowOf(string calldata clientId, address token) external view returns (uint256) {
        return _escrow[clientId][token];
    }

    /// @inheritdoc ITransfer
    function held(bytes32 id) external view returns (Held memory) {
        return _held[id];
    }

    /// @inheritdoc ITransfer
    function voucherAddress(string memory denom) public view returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(VOUCHER, bytes(denom), bytes32(0));
    }

    /// @inheritdoc ITransfer
    function denomOf(address token) public view returns (string memory) {
        return isVoucher[token] ? IVoucher(token).denom() : Identifiers.toHex(token);
    }

    /// @inheritdoc ITransfer
    function heldId(bool refund, string calldata clientId, uint64 sequence) public pure returns (bytes32) {
        return keccak256(abi.encode(refund, clientId, sequence));
    }

    /// @notice Takes tokens that leave over a client: into its escrow, or burnt if they go home.
    /// @dev What arrived is measured: a token that keeps a fee, or pretends, is refused.
    function _take(string calldata clientId, address token, string memory denom, address from, uint256 amount) internal {
        if (_isHomeward(clientId, token, denom)) {
            IVoucher(token).burn(from, amount);
            return;
        }
        _escrow[clientId][token] += amount;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        _checkDelta(token, before, IERC20(token).balanceOf(address(this)), amount);
    }

    /// @notice Lets a client bring home what it was sent, and no more.
    /// @param denom the token's name on this chain
    /// @return token the ERC-20, still here
    function _unescrow(string memory clientId, string memory denom, uint256 amount) internal returns (address token) {
        bool isAddress;
        (isAddress, token) = denom.parseAddress();
        if (isAddress) {
            // one spelling, and never a voucher by its address
            require(!isVoucher[token] && denom.equal(Identifiers.toHex(token)), UnknownToken(denom));
        } else {
            token = _vouchers[keccak256(bytes(denom))];
            require(token != address(0), UnknownToken(denom));
        }
        uint256 escrowed = _escrow[clientId][token];
        require(amount <= escrowed, EscrowExceeded(clientId, token, escrowed, amount));
        _escrow[clientId][token] = escrowed - amount;
    }

    /// @notice The token that was sent under this name of ours.
    function _tokenOf(string memory denom) internal view returns (address token) {
        bool isAddress;
        (isAddress, token) = denom.parseAddress();
        if (!isAddress) token = _vouchers[keccak256(bytes(denom))];
    }

    /// @notice Address of the voucher of a trace, whether or not it exists yet. Reverts for what is no trace.
    function _voucherOf(string memory denom) internal view returns (address voucher) {
        voucher = _vouchers[keccak256(bytes(denom))];
        if (voucher != address(0)) return voucher;
        require(Ics20.isDenom(denom), InvalidDenom(denom));
        voucher = voucherAddress(denom);
    }

    /// @notice Makes the voucher of a trace.
    function _createVoucher(string memory denom) internal {
        address voucher = Clones.cloneDeterministicWithImmutableArgs(VOUCHER, bytes(denom), bytes32(0));
        _vouchers[keccak256(bytes(denom))] = voucher;
        isVoucher[voucher] = true;
        emit VoucherCreated(voucher, denom);
    }

    /// @notice Pays a received amount from what left the escrow. The receiver must get all of it.
    function _payReceived(address token, address to, uint256 amount) internal {
        require(token.code.length != 0, NotAToken(token));
        uint256 before = IERC20(token).balanceOf(to);
        // too little gas must not look like a token's refusal
        if (gasleft() < MIN_TOKEN_GAS * 64 / 63 + CALL_OVERHEAD) _revertWithoutReason();
        _pay(token, to, amount);
        _checkDelta(token, before, IERC20(token).balanceOf(to), amount);
    }

    /// @notice Gives a sender its tokens again. What cannot be paid is held for it: settlement of a packet must not
    /// depend on a token or on an account that refuses.
    function _refund(string calldata clientId, uint64 sequence, address token, address to, uint256 amount, bool minted)
        internal
    {
        (bool paid, bytes memory reason) =
            _callExactly(address(this), REFUND_GAS, abi.encodeCall(this.payRefund, (token, to, amount, minted)));
        if (paid) return;
        if (minted) IVoucher(token).mint(address(this), amount);
        _hold(true, clientId, sequence, Held(token, uint64(block.timestamp), to, amount), reason);
    }

    /// @notice Tells a contract how its packet ended. One that reverts, loops or returns too much undoes nothing.
    function _tellSender(string calldata clientId, uint64 sequence, address sender, TransferOutcome outcome) internal {
        if (sender.code.length == 0) return;
        (bool told, bytes memory reason) = _callExactly(
            sender, SETTLEMENT_GAS, abi.encodeCall(ITransferSender.onTransferSettled, (clientId, sequence, outcome))
        );
        if (!told) emit SettlementCallbackFailed(clientId, sequence, sender, reason);
    }

    /// @dev With less gas left the whole settlement reverts, and can be repeated.
    function _callExactly(address target, uint256 gasLimit, bytes memory input)
        private
        returns (bool success, bytes memory reason)
    {
        uint256 needed = gasLimit * 64 / 63 + CALL_OVERHEAD;
        uint256 available = gasleft();
        require(available >= needed, InsufficientSettlementGas(available, needed));
        (success, reason,) = BoundedCall.call(target, gasLimit, input, MAX_REASON_LENGTH);
    }

    /// @notice Keeps tokens that are here already for their owner.
    function _hold(bool refund, string calldata clientId, uint64 sequence, Held memory entry, bytes memory reason)
        internal
    {
        bytes32 id = heldId(refund, clientId, sequence);
        _held[id] = entry;
        emit TransferHeld(
            id, refund, clientId, sequence, entry.owner, entry.token, entry.amount, entry.releasableAt, reason
        );
    }

    /// @notice Whether a token that leaves over this client has come over it.
    function _isHomeward(string calldata clientId, address token, string memory denom) internal view returns (bool) {
        return isVoucher[token] && denom.startsWith(Ics20.hop(clientId));
    }

    /// @notice Whether tokens sent to an address can ever move again: not zero, not the token, nothing of the bridge.
    function _canHold(address account, address token) internal view returns (bool) {
        return account != address(0) && account != token && account != VOUCHER && account != address(this)
            && !isVoucher[account] && !ROUTER.isSystemContract(account);
    }

    function _revertWithoutReason() internal pure {
        assembly ("memory-safe") {
            revert(0, 0)
        }
    }

    function _release(bytes32 id, address to) private {
        Held memory entry = _held[id];
        require(entry.amount != 0, NothingHeld(id));
        require(block.timestamp >= entry.releasableAt, StillHeld(id, entry.releasableAt));
        delete _held[id];
        _pay(entry.token, to, entry.amount);
        emit TransferReleased(id, to, entry.token, entry.amount);
    }

    /// @dev Exactly the amount may leave, whatever the token does: the rest belongs to others.
    function _pay(address token, address to, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        _checkDelta(token, IERC20(token).balanceOf(address(this)), before, amount);
    }

    function _checkDelta(address token, uint256 lower, uint256 upper, uint256 amount) private pure {
        uint256 delta = upper > lower ? upper - lower : 0;
        require(delta == amount, BalanceMismatch(token, amount, delta));
    }
}
