// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { ReentrancyGuard } from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import { IClientRegistry } from "../interfaces/IClientRegistry.sol";
import { IIBCApp } from "../interfaces/IIBCApp.sol";
import { IClientStatus } from "../interfaces/ILightClient.sol";
import { IRouter } from "../interfaces/IRouter.sol";
import { ISwap } from "../interfaces/ISwap.sol";
import { Forward } from "../libraries/Forward.sol";
import { Ics24Host } from "../libraries/Ics24Host.sol";
import { Identifiers } from "../libraries/Identifiers.sol";
import { Titles } from "../libraries/Titles.sol";
import { ClientStatus } from "../types/Client.sol";
import {
    MsgSendPacket,
    OnAcknowledgementPacketCallback,
    OnRecvPacketCallback,
    OnTimeoutPacketCallback,
    Payload
} from "../types/Packet.sol";
import { LegState, SwapTerms } from "../types/Swap.sol";

/// @title Swap of two legs on two chains (docs/spec/swaps.md)
/// @notice Owns the port `swap`. Leg B is paid inside the receive, and the acknowledgement of that packet, which the
/// other chain's light client shows, decides leg A. No callback calls a token: what is owed is claimed.
contract Swap is ISwap, IIBCApp, AccessManaged, Pausable, ReentrancyGuard {
    using Identifiers for string;
    using SafeERC20 for IERC20;

    string private constant PORT = "swap";
    string private constant VERSION = "hutong-swap-1";
    string private constant ENCODING = "application/x-solidity-abi";
    uint256 private constant TERMS_LENGTH = 9 * 32;
    uint256 private constant MAX_TIMEOUT_DURATION = 1 days;

    /// @notice The router whose port `swap` this is.
    IRouter public immutable ROUTER;
    /// @notice Seconds that the first leg of a forwarded packet times out before the second.
    uint64 public immutable FORWARD_MARGIN;

    string private _hubClientId;
    mapping(bytes32 id => LegState state) private _legs;
    mapping(bytes32 id => string clientId) private _clients;
    mapping(address account => mapping(address token => uint256 amount)) private _owed;

    modifier onlyRouter() {
        require(msg.sender == address(ROUTER), OnlyRouter(msg.sender));
        _;
    }

    /// @param router router on which `swap` will be given to this contract
    /// @param authority AccessManager that answers who may pause
    /// @param forwardMargin seconds between the timeouts of both legs: 600, on development chains 5
    constructor(IRouter router, address authority, uint64 forwardMargin) AccessManaged(authority) {
        ROUTER = router;
        FORWARD_MARGIN = forwardMargin;
    }

    /// @inheritdoc ISwap
    function open(string calldata sourceClient, SwapTerms calldata terms, uint64 timeoutTimestamp)
        external
        nonReentrant
        whenNotPaused
        returns (bytes32 id, uint64 sequence)
    {
        id = _hold(true, sourceClient, terms);
        _clients[id] = sourceClient;
        sequence = ROUTER.sendPacket(
            MsgSendPacket(sourceClient, timeoutTimestamp, Payload(PORT, PORT, VERSION, ENCODING, abi.encode(terms)))
        );
        emit SwapOpened(id, msg.sender, sourceClient, sequence, terms, timeoutTimestamp);
    }

    /// @inheritdoc ISwap
    function openForwarded(
        string calldata hubClient,
        string calldata nextClient,
        SwapTerms calldata terms,
        uint64 timeoutTimestamp
    )
        external
        nonReentrant
        whenNotPaused
        returns (bytes32 id, uint64 sequence)
    {
        require(bytes(hubClient).length != 0 && hubClient.equal(_hubClientId), NotHubClient(hubClient));
        require(Identifiers.isClientId(nextClient), InvalidNextClient(nextClient));
        uint256 minimum = block.timestamp + FORWARD_MARGIN + 1;
        uint256 maximum = block.timestamp + MAX_TIMEOUT_DURATION;
        require(
            timeoutTimestamp >= minimum && timeoutTimestamp <= maximum,
            InvalidTimeout(timeoutTimestamp, minimum, maximum)
        );
        string memory route = Titles.forwardedRoute(hubClient, nextClient);
        id = _hold(true, route, terms);
        _clients[id] = hubClient;
        bytes memory value = Forward.encode(
            Forward.Request(nextClient, PORT, VERSION, ENCODING, timeoutTimestamp, abi.encode(terms))
        );
        sequence = ROUTER.sendPacket(
            MsgSendPacket(
                hubClient,
                timeoutTimestamp - FORWARD_MARGIN,
                Payload(PORT, Forward.PORT, Forward.VERSION, ENCODING, value)
            )
        );
        emit SwapOpened(id, msg.sender, route, sequence, terms, timeoutTimestamp);
    }

    /// @inheritdoc ISwap
    function fund(string calldata route, SwapTerms calldata terms)
        external
        nonReentrant
        whenNotPaused
        returns (bytes32 id)
    {
        id = _hold(false, route, terms);
        emit SwapFunded(id, msg.sender, route, terms);
    }

    /// @inheritdoc ISwap
    function withdraw(string calldata route, SwapTerms calldata terms) external {
        require(msg.sender == terms.taker, OnlyParty(terms.taker, msg.sender));
        bytes32 id = _idOf(false, route, terms);
        _step(id, LegState.Held, LegState.None);
        _owed[terms.taker][terms.tokenB] += terms.amountB;
        emit SwapWithdrawn(id, terms.taker);
    }

    /// @inheritdoc ISwap
    function claim(address account, address token) external nonReentrant whenNotPaused returns (uint256 amount) {
        amount = _owed[account][token];
        require(amount != 0, NothingOwed(account, token));
        _owed[account][token] = 0;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(account, amount);
        _checkDelta(token, IERC20(token).balanceOf(address(this)), before, amount);
        emit Claimed(account, token, amount);
    }

    /// @inheritdoc IIBCApp
    function onRecvPacket(OnRecvPacketCallback calldata msg_) external onlyRouter returns (bytes memory) {
        // neither is the packet's fault, so neither may become its refusal: without a reason the whole receive reverts
        if (paused() || _reentrancyGuardEntered()) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        Payload calldata payload = msg_.payload;
        if (payload.version.equal(Forward.VERSION)) return _receiveForwarded(msg_.destinationClient, payload);
        _checkPayload(payload.sourcePort, payload.destPort, payload.version, payload.encoding);
        return _execute(msg_.destinationClient, msg_.sequence, payload.value);
    }

    /// @inheritdoc IIBCApp
    function onAcknowledgementPacket(OnAcknowledgementPacketCallback calldata msg_)
        external
        onlyRouter
        nonReentrant
        whenNotPaused
    {
        if (keccak256(msg_.acknowledgement) == keccak256(abi.encodePacked(Ics24Host.ERROR_ACKNOWLEDGEMENT))) {
            _return(msg_.sourceClient, msg_.payload, false);
            return;
        }
        // v2 has one failure, and this is not it: whatever else the other side wrote, leg B is paid
        (bytes32 id, SwapTerms memory terms) = _sentBy(msg_.sourceClient, msg_.payload);
        _step(id, LegState.Held, LegState.Paid);
        _owed[terms.takerReceiver][terms.tokenA] += terms.amountA;
        emit SwapSettled(id, terms.takerReceiver);
    }

    /// @inheritdoc IIBCApp
    function onTimeoutPacket(OnTimeoutPacketCallback calldata msg_) external onlyRouter nonReentrant whenNotPaused {
        _return(msg_.sourceClient, msg_.payload, true);
    }

    /// @inheritdoc ISwap
    function setHubClient(string calldata clientId) external restricted {
        _hubClientId = clientId;
        emit HubClientSet(clientId);
    }

    /// @inheritdoc ISwap
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc ISwap
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc ISwap
    function stateOf(bytes32 id) external view returns (LegState) {
        return _legs[id];
    }

    /// @inheritdoc ISwap
    function owedTo(address account, address token) external view returns (uint256) {
        return _owed[account][token];
    }

    /// @inheritdoc ISwap
    function stuckAt(bytes32 id) external view returns (bool stuck, string memory clientId) {
        clientId = _clients[id];
        if (bytes(clientId).length == 0 || _legs[id] != LegState.Held) return (false, clientId);
        ClientStatus status = IClientStatus(address(IClientRegistry(address(ROUTER)).getClient(clientId))).status();
        stuck = status != ClientStatus.Active;
    }

    /// @inheritdoc ISwap
    function hubClientId() external view returns (string memory) {
        return _hubClientId;
    }

    /// @inheritdoc ISwap
    function idOf(bool opened, string calldata route, SwapTerms calldata terms) external pure returns (bytes32) {
        return _idOf(opened, route, terms);
    }

    /// @dev Takes the caller's leg. What arrived is measured: a token that keeps a fee, or pretends, is refused.
    function _hold(bool opened, string memory route, SwapTerms calldata terms) private returns (bytes32 id) {
        (address party, address token, uint256 amount) =
            opened ? (terms.maker, terms.tokenA, terms.amountA) : (terms.taker, terms.tokenB, terms.amountB);
        require(msg.sender == party, OnlyParty(party, msg.sender));
        address receiver = opened ? terms.takerReceiver : terms.makerReceiver;
        require(
            terms.amountA != 0 && terms.amountB != 0 && terms.maker != address(0) && terms.taker != address(0)
                && terms.makerReceiver != address(0) && terms.takerReceiver != address(0) && token.code.length != 0
                && !ROUTER.isSystemContract(token) && !ROUTER.isSystemContract(receiver) && receiver != address(this),
            InvalidTerms()
        );
        id = _idOf(opened, route, terms);
        _step(id, LegState.None, LegState.Held);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(party, address(this), amount);
        _checkDelta(token, before, IERC20(token).balanceOf(address(this)), amount);
    }

    /// @dev The stamp names the origin; it was written by the hub, outside of all bytes that the sender controls.
    function _receiveForwarded(string calldata localClient, Payload calldata payload) private returns (bytes memory) {
        require(bytes(_hubClientId).length != 0 && localClient.equal(_hubClientId), NotHubClient(localClient));
        require(
            payload.sourcePort.equal(Forward.PORT) && payload.encoding.equal(ENCODING),
            UnsupportedPayload(payload.sourcePort, payload.destPort, payload.version, payload.encoding)
        );
        (Forward.Stamp memory stamp, string calldata version, string calldata encoding, bytes calldata value) =
            Forward.decodeStamped(payload.value);
        require(
            stamp.destinationPort.equal(Forward.PORT),
            UnsupportedPayload(stamp.sourcePort, stamp.destinationPort, version, encoding)
        );
        _checkPayload(stamp.sourcePort, payload.destPort, version, encoding);
        return _execute(Titles.forwardedRoute(localClient, stamp.clientId), stamp.sequence, value);
    }

    /// @dev Pays leg B if its taker holds it ready for exactly these terms; else the packet is refused.
    function _execute(string memory route, uint64 sequence, bytes calldata value) private returns (bytes memory) {
        require(value.length == TERMS_LENGTH, InvalidTerms());
        bytes32 id = keccak256(abi.encode(false, route, keccak256(value)));
        _step(id, LegState.Held, LegState.Paid);
        // the hash is that of terms which their taker encoded here, so every word is in its bounds
        SwapTerms memory terms = abi.decode(value, (SwapTerms));
        _owed[terms.makerReceiver][terms.tokenB] += terms.amountB;
        emit SwapExecuted(id, terms.makerReceiver, sequence);
        return hex"01";
    }

    /// @dev The commitment is gone: this happens once.
    function _return(string calldata sourceClient, Payload calldata payload, bool timedOut) private {
        (bytes32 id, SwapTerms memory terms) = _sentBy(sourceClient, payload);
        _step(id, LegState.Held, LegState.Returned);
        _owed[terms.maker][terms.tokenA] += terms.amountA;
        emit SwapReturned(id, terms.maker, timedOut);
    }

    function _step(bytes32 id, LegState from, LegState to) private {
        require(_legs[id] == from, WrongState(id, _legs[id]));
        _legs[id] = to;
    }

    /// @dev The packet is our own, so its encoding is known to be right.
    function _sentBy(string calldata sourceClient, Payload calldata payload)
        private
        pure
        returns (bytes32 id, SwapTerms memory terms)
    {
        string memory route = sourceClient;
        bytes memory value = payload.value;
        if (payload.version.equal(Forward.VERSION)) {
            Forward.Request memory request = abi.decode(value, (Forward.Request));
            route = Titles.forwardedRoute(sourceClient, request.nextClient);
            value = request.value;
        }
        terms = abi.decode(value, (SwapTerms));
        id = keccak256(abi.encode(true, route, keccak256(value)));
    }

    function _idOf(bool opened, string memory route, SwapTerms calldata terms) private pure returns (bytes32) {
        return keccak256(abi.encode(opened, route, keccak256(abi.encode(terms))));
    }

    function _checkPayload(
        string memory sourcePort,
        string calldata destPort,
        string calldata version,
        string calldata encoding
    )
        private
        pure
    {
        // without its source port, anyone who owns any port on the other chain could ask for a leg and hold none
        require(
            sourcePort.equal(PORT) && destPort.equal(PORT) && version.equal(VERSION) && encoding.equal(ENCODING),
            UnsupportedPayload(sourcePort, destPort, version, encoding)
        );
    }

    function _checkDelta(address token, uint256 lower, uint256 upper, uint256 amount) private pure {
        uint256 delta = upper > lower ? upper - lower : 0;
        require(delta == amount, BalanceMismatch(token, amount, delta));
    }
}
