// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { ITransfer, Limit, TransferOutcome } from "../interfaces/ITransfer.sol";

/// @title How much of a token may move in a window, by client and by origin
/// @notice Caps are of net flows: what has moved the other way for good in the same window makes room, so that nobody uses
/// up a window by sending tokens to and fro. A send that is not settled makes none: it may still come back by a refund.
/// A send uses room of its window; its refund gives the room back once, and only while that same window lasts.
abstract contract TransferLimits is ITransfer, AccessManaged {
    uint256 private constant MAX_DELAY = 7 days;
    uint128 private constant NO_LIMIT = type(uint128).max;

    struct StoredLimit {
        Limit limit;
        uint64 setAt;
        uint64 epoch;
    }

    /// @dev Counts only if epoch and index are those of now. `credit`: what moved the other way for good, up to 2^128 - 1.
    struct Window {
        uint64 epoch;
        uint64 index;
        uint128 used;
        uint128 credit;
    }

    /// @dev `chargedAt`: when the packet used room; zero if it used none.
    struct Sent {
        uint64 chargedAt;
        TransferOutcome outcome;
    }

    mapping(bytes32 scope => StoredLimit stored) private _limits;
    mapping(bytes32 scope => mapping(address token => mapping(bool sending => Window window))) private _windows;
    mapping(string clientId => mapping(uint64 sequence => Sent sent)) private _sent;

    /// @inheritdoc ITransfer
    function setClientLimit(string calldata clientId, address token, Limit calldata limit) external restricted {
        _setLimit(_clientScope(clientId, token), limit);
        emit ClientLimitSet(clientId, token, limit);
    }

    /// @inheritdoc ITransfer
    function setOriginLimit(string calldata trace, Limit calldata limit) external restricted {
        _setLimit(_originScope(trace), limit);
        emit OriginLimitSet(trace, limit);
    }

    /// @inheritdoc ITransfer
    function clientLimit(string calldata clientId, address token)
        external
        view
        returns (Limit memory limit, uint256 sent, uint256 received)
    {
        return _read(_clientScope(clientId, token), token);
    }

    /// @inheritdoc ITransfer
    function originLimit(string calldata trace, address token)
        external
        view
        returns (Limit memory limit, uint256 sent, uint256 received)
    {
        return _read(_originScope(trace), token);
    }

    /// @inheritdoc ITransfer
    function outcomeOf(string calldata clientId, uint64 sequence) external view returns (TransferOutcome) {
        return _sent[clientId][sequence].outcome;
    }

    /// @notice Uses room of both windows, or reverts.
    /// @return charged whether a window was there to be used
    /// @return delay seconds that a receive has to wait
    function _charge(
        bool sending,
        string memory clientId,
        string memory trace,
        address token,
        uint256 amount
    )
        internal
        returns (bool charged, uint256 delay)
    {
        (bool byClient, uint256 clientDelay) = _use(_clientScope(clientId, token), clientId, sending, token, amount);
        (bool byOrigin, uint256 originDelay) = _use(_originScope(trace), trace, sending, token, amount);
        return (byClient || byOrigin, clientDelay > originDelay ? clientDelay : originDelay);
    }

    /// @notice Remembers when a packet used room.
    function _recordCharge(string calldata clientId, uint64 sequence) internal {
        _sent[clientId][sequence].chargedAt = uint64(block.timestamp);
    }

    /// @notice Remembers how a packet ended, and forgets when it used room.
    /// @return chargedAt zero if it used none
    function _recordOutcome(string calldata clientId, uint64 sequence, TransferOutcome outcome)
        internal
        returns (uint64 chargedAt)
    {
        Sent storage sent = _sent[clientId][sequence];
        (chargedAt, sent.chargedAt, sent.outcome) = (sent.chargedAt, 0, outcome);
    }

    /// @notice Gives room back to the windows of `chargedAt`, where they are still open: to sends what a refund has paid
    /// back, to receives what a send has moved for good. Never reverts.
    function _giveBack(
        bool refund,
        string memory clientId,
        string memory trace,
        address token,
        uint256 amount,
        uint64 chargedAt
    )
        internal
    {
        _free(_clientScope(clientId, token), refund, token, amount, chargedAt);
        _free(_originScope(trace), refund, token, amount, chargedAt);
    }

    function _setLimit(bytes32 scope, Limit calldata limit) private {
        require(limit.delaySeconds <= MAX_DELAY, InvalidLimit("delaySeconds", limit.delaySeconds, MAX_DELAY));
        StoredLimit storage stored = _limits[scope];
        stored.limit = limit;
        stored.setAt = uint64(block.timestamp);
        ++stored.epoch;
    }

    function _use(
        bytes32 scope,
        string memory name,
        bool sending,
        address token,
        uint256 amount
    )
        private
        returns (bool charged, uint256 delay)
    {
        StoredLimit storage stored = _limits[scope];
        Limit memory limit = stored.limit;
        if (limit.windowSeconds == 0) return (false, 0);
        if (!sending && limit.delayAbove != NO_LIMIT && amount > limit.delayAbove) delay = limit.delaySeconds;
        uint256 cap = sending ? limit.sendCap : limit.receiveCap;
        charged = limit.sendCap != NO_LIMIT || limit.receiveCap != NO_LIMIT;
        if (!charged) return (false, delay);
        if (cap != NO_LIMIT) {
            Window storage window = _open(scope, token, sending);
            uint256 used = window.used;
            uint256 bound = cap == 0 ? 0 : _min(cap + window.credit, NO_LIMIT);
            require(amount <= bound - used, LimitExceeded(name, token, bound - used, amount));
            window.used = uint128(used + amount);
        }
        // a receive that waits may still be cancelled
        if (!sending && delay == 0) _credit(scope, token, true, amount);
    }

    function _free(bytes32 scope, bool refund, address token, uint256 amount, uint64 chargedAt) private {
        StoredLimit storage stored = _limits[scope];
        uint256 windowSeconds = stored.limit.windowSeconds;
        // what was sent before the limit was set, or in its very block, used nothing of it
        if (windowSeconds == 0 || chargedAt <= stored.setAt) return;
        if (chargedAt / windowSeconds != block.timestamp / windowSeconds) return;
        if (!refund) return _credit(scope, token, false, amount);
        Window storage window = _open(scope, token, true);
        window.used -= uint128(_min(amount, window.used));
    }

    function _credit(bytes32 scope, address token, bool sending, uint256 amount) private {
        Window storage window = _open(scope, token, sending);
        window.credit = uint128(_min(uint256(window.credit) + _min(amount, NO_LIMIT), NO_LIMIT));
    }

    /// @dev The window of now, begun anew where the stored one is over.
    function _open(bytes32 scope, address token, bool sending) private returns (Window storage window) {
        window = _windows[scope][token][sending];
        StoredLimit storage stored = _limits[scope];
        (uint64 epoch, uint64 index) = (stored.epoch, uint64(block.timestamp / stored.limit.windowSeconds));
        if (window.epoch == epoch && window.index == index) return window;
        (window.epoch, window.index, window.used, window.credit) = (epoch, index, 0, 0);
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _read(bytes32 scope, address token) private view returns (Limit memory limit, uint256 sent, uint256 received) {
        StoredLimit storage stored = _limits[scope];
        limit = stored.limit;
        if (limit.windowSeconds == 0) return (limit, 0, 0);
        sent = _net(stored, _windows[scope][token][true]);
        received = _net(stored, _windows[scope][token][false]);
    }

    function _net(StoredLimit storage stored, Window storage window) private view returns (uint256) {
        if (window.epoch != stored.epoch || window.index != block.timestamp / stored.limit.windowSeconds) return 0;
        return window.used - _min(window.used, window.credit);
    }

    function _clientScope(string memory clientId, address token) private pure returns (bytes32) {
        return keccak256(abi.encode("client", clientId, token));
    }

    function _originScope(string memory trace) private pure returns (bytes32) {
        return keccak256(abi.encode("origin", trace));
    }
}
