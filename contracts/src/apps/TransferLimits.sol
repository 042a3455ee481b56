// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { ITransfer, Limit } from "../interfaces/ITransfer.sol";

/// @title How much of a token may move in a window, by client and by origin
/// @notice A send uses room of its window; its refund gives the room back once, and only while that same window lasts.
abstract contract TransferLimits is ITransfer, AccessManaged {
    uint256 private constant MAX_DELAY = 7 days;
    uint128 private constant NO_LIMIT = type(uint128).max;

    struct StoredLimit {
        Limit limit;
        uint64 setAt;
        uint64 epoch;
    }

    /// @dev Counts only if epoch and index are those of now; used <= cap < 2^128.
    struct Window {
        uint64 epoch;
        uint64 index;
        uint128 used;
    }

    mapping(bytes32 scope => StoredLimit stored) private _limits;
    mapping(bytes32 scope => mapping(address token => mapping(bool sending => Window window))) private _windows;
    /// @dev When a packet used room; zero if it used none.
    mapping(string clientId => mapping(uint64 sequence => uint64 time)) private _chargedAt;

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
        _chargedAt[clientId][sequence] = uint64(block.timestamp);
    }

    /// @notice Forgets when a packet used room.
    /// @return time zero if it used none
    function _takeCharge(string calldata clientId, uint64 sequence) internal returns (uint64 time) {
        time = _chargedAt[clientId][sequence];
        if (time != 0) delete _chargedAt[clientId][sequence];
    }

    /// @notice Gives room back to the windows of `chargedAt`, where they are still open. Never reverts.
    function _giveBack(
        string calldata clientId,
        string memory trace,
        address token,
        uint256 amount,
        uint64 chargedAt
    )
        internal
    {
        _free(_clientScope(clientId, token), token, amount, chargedAt);
        _free(_originScope(trace), token, amount, chargedAt);
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
        if (cap == NO_LIMIT) return (false, delay);
        Window storage window = _windows[scope][token][sending];
        (uint64 epoch, uint64 index) = (stored.epoch, uint64(block.timestamp / limit.windowSeconds));
        uint256 used = window.epoch == epoch && window.index == index ? window.used : 0;
        require(amount <= cap - used, LimitExceeded(name, token, cap - used, amount));
        (window.epoch, window.index, window.used) = (epoch, index, uint128(used + amount));
        charged = true;
    }

    function _free(bytes32 scope, address token, uint256 amount, uint64 chargedAt) private {
        StoredLimit storage stored = _limits[scope];
        uint256 windowSeconds = stored.limit.windowSeconds;
        // what was sent before the limit was set, or in its very block, used nothing of it
        if (windowSeconds == 0 || chargedAt <= stored.setAt) return;
        uint256 index = block.timestamp / windowSeconds;
        Window storage window = _windows[scope][token][true];
        if (chargedAt / windowSeconds != index || window.index != index || window.epoch != stored.epoch) return;
        window.used = amount < window.used ? window.used - uint128(amount) : 0;
    }

    function _read(bytes32 scope, address token) private view returns (Limit memory limit, uint256 sent, uint256 received) {
        StoredLimit storage stored = _limits[scope];
        limit = stored.limit;
        if (limit.windowSeconds == 0) return (limit, 0, 0);
        uint256 index = block.timestamp / limit.windowSeconds;
        Window storage window = _windows[scope][token][true];
        if (window.epoch == stored.epoch && window.index == index) sent = window.used;
        window = _windows[scope][token][false];
        if (window.epoch == stored.epoch && window.index == index) received = window.used;
    }

    function _clientScope(string memory clientId, address token) private pure returns (bytes32) {
        return keccak256(abi.encode("client", clientId, token));
    }

    function _originScope(string memory trace) private pure returns (bytes32) {
        return keccak256(abi.encode("origin", trace));
    }
}
