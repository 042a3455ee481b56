// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IClientRegistry } from "../interfaces/IClientRegistry.sol";
import { IIBCApp } from "../interfaces/IIBCApp.sol";
import { IMailbox } from "../interfaces/IMailbox.sol";
import { IMessageReceiver, IMessageSender, Origin } from "../interfaces/IMessageReceiver.sol";
import { IRouter } from "../interfaces/IRouter.sol";
import { BoundedCall } from "../libraries/BoundedCall.sol";
import { Forward } from "../libraries/Forward.sol";
import { Gmp } from "../libraries/Gmp.sol";
import { Ics24Host } from "../libraries/Ics24Host.sol";
import { Identifiers } from "../libraries/Identifiers.sol";
import {
    MsgSendPacket,
    OnAcknowledgementPacketCallback,
    OnRecvPacketCallback,
    OnTimeoutPacketCallback,
    Payload
} from "../types/Packet.sol";

/// @title Messages between contracts of different chains (docs/spec/mailbox.md)
/// @notice Owns the port `gmpport`. A receiver is called by `onMessage` and by nothing else, and no account is made for
/// remote senders, so a message can never act with this contract's rights.
contract Mailbox is IMailbox, IIBCApp, AccessManaged {
    using Identifiers for string;

    /// @notice Gas that a receiver gets at least; with less left, the whole receive reverts and can be repeated.
    uint256 public constant MIN_CALLBACK_GAS = 200_000;
    /// @notice Most gas that a message can ask for its receiver; a receive must fit the 2^24 of a transaction (EIP-7825).
    uint256 public constant MAX_RECEIVE_GAS = 10_000_000;
    /// @notice Gas that a sender's `onMessageSettled` gets, exactly.
    uint256 public constant SETTLEMENT_GAS = 150_000;
    /// @notice Longest payload of a message. A relay transaction must fit the 128 KiB that nodes accept.
    uint256 public constant MAX_PAYLOAD_LENGTH = 65_536;
    /// @notice Longest result of a receiver.
    uint256 public constant MAX_RESULT_LENGTH = 8192;
    /// @notice Longest receiver text (ICS-27).
    uint256 public constant MAX_RECEIVER_LENGTH = 2048;

    uint256 private constant MAX_TIMEOUT_DURATION = 1 days;
    uint256 private constant MAX_CHAIN_NAME_LENGTH = 64;
    /// @dev Fits, wrapped in `ReceiverReverted`, into the 1 KiB of reason that the router shows.
    uint256 private constant MAX_REASON_LENGTH = 896;
    uint256 private constant ABI_OVERHEAD = 96;
    /// @dev Covers what a call costs itself, cold account included.
    uint256 private constant CALL_OVERHEAD = 5000;

    /// @notice The router whose port this is.
    IRouter public immutable ROUTER;
    /// @notice Seconds that the first leg of a forwarded message times out before the second.
    uint64 public immutable FORWARD_MARGIN;

    string private _hubClientId;
    mapping(string clientId => string chain) private _directPeers;
    /// @dev By hub, since another hub gives the same identifiers to other chains.
    mapping(string hubClientId => mapping(string originClientId => string chain)) private _forwardedPeers;

    modifier onlyRouter() {
        require(msg.sender == address(ROUTER), OnlyRouter(msg.sender));
        _;
    }

    /// @param router router on which `gmpport` will be given to this contract
    /// @param authority AccessManager that answers who may set peers
    /// @param forwardMargin seconds between the timeouts of both legs: 600, on development chains 5
    constructor(IRouter router, address authority, uint64 forwardMargin) AccessManaged(authority) {
        ROUTER = router;
        FORWARD_MARGIN = forwardMargin;
    }

    /// @inheritdoc IMailbox
    function sendMessage(
        string calldata sourceClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp
    )
        external
        returns (bytes32 messageId, uint64 sequence)
    {
        return _sendDirect(sourceClient, receiver, payload, timeoutTimestamp, 0);
    }

    /// @inheritdoc IMailbox
    function sendMessageWithGas(
        string calldata sourceClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp,
        uint256 receiveGas
    )
        external
        returns (bytes32 messageId, uint64 sequence)
    {
        _checkReceiveGas(receiveGas);
        return _sendDirect(sourceClient, receiver, payload, timeoutTimestamp, receiveGas);
    }

    /// @inheritdoc IMailbox
    function sendForwarded(
        string calldata hubClient,
        string calldata nextClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp
    )
        external
        returns (bytes32 messageId, uint64 sequence)
    {
        return _sendForwarded(hubClient, nextClient, receiver, payload, timeoutTimestamp, 0);
    }

    /// @inheritdoc IMailbox
    function sendForwardedWithGas(
        string calldata hubClient,
        string calldata nextClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp,
        uint256 receiveGas
    )
        external
        returns (bytes32 messageId, uint64 sequence)
    {
        _checkReceiveGas(receiveGas);
        return _sendForwarded(hubClient, nextClient, receiver, payload, timeoutTimestamp, receiveGas);
    }

    /// @inheritdoc IIBCApp
    function onRecvPacket(OnRecvPacketCallback calldata msg_) external onlyRouter returns (bytes memory) {
        Payload calldata payload = msg_.payload;
        require(payload.encoding.equal(Gmp.ENCODING), UnsupportedPayload(payload.version, payload.encoding));
        if (_isMessage(payload.version)) {
            string memory chain = _directPeers[msg_.destinationClient];
            require(bytes(chain).length != 0, UnknownPeer(msg_.destinationClient));
            require(payload.sourcePort.equal(Gmp.PORT), WrongSourcePort(payload.sourcePort));
            return _deliver(
                Origin(chain, msg_.destinationClient, payload.sourcePort, msg_.sequence, false),
                payload.version,
                payload.value,
                _messageId(false, msg_.sourceClient, msg_.destinationClient, msg_.sequence)
            );
        }
        require(payload.version.equal(Forward.VERSION), UnsupportedPayload(payload.version, payload.encoding));
        require(
            bytes(_hubClientId).length != 0 && msg_.destinationClient.equal(_hubClientId),
            NotHubClient(msg_.destinationClient)
        );
        require(payload.sourcePort.equal(Forward.PORT), WrongSourcePort(payload.sourcePort));
        return _deliverForwarded(payload.value);
    }

    /// @inheritdoc IIBCApp
    function onAcknowledgementPacket(OnAcknowledgementPacketCallback calldata msg_) external onlyRouter {
        (bool forwarded, address sender) = _senderOf(msg_.payload);
        bytes32 messageId = _messageId(forwarded, msg_.sourceClient, msg_.destinationClient, msg_.sequence);
        bool delivered =
            keccak256(msg_.acknowledgement) != keccak256(abi.encodePacked(Ics24Host.ERROR_ACKNOWLEDGEMENT));
        bytes memory result = delivered ? bytes(Gmp.resultOf(msg_.acknowledgement)) : bytes("");
        emit MessageAcknowledged(messageId, sender, delivered, result);
        _settle(messageId, sender, delivered, result);
    }

    /// @inheritdoc IIBCApp
    function onTimeoutPacket(OnTimeoutPacketCallback calldata msg_) external onlyRouter {
        (bool forwarded, address sender) = _senderOf(msg_.payload);
        bytes32 messageId = _messageId(forwarded, msg_.sourceClient, msg_.destinationClient, msg_.sequence);
        emit MessageTimedOut(messageId, sender);
        _settle(messageId, sender, false, "");
    }

    /// @inheritdoc IMailbox
    function setHubClient(string calldata clientId) external restricted {
        require(bytes(_directPeers[clientId]).length == 0, UnknownPeer(clientId));
        _hubClientId = clientId;
        emit HubClientSet(clientId);
    }

    /// @inheritdoc IMailbox
    function setDirectPeer(string calldata clientId, string calldata chain) external restricted {
        require(!clientId.equal(_hubClientId), NotHubClient(clientId));
        _checkPeer(clientId, chain);
        _directPeers[clientId] = chain;
        emit DirectPeerSet(clientId, chain);
    }

    /// @inheritdoc IMailbox
    function setForwardedPeer(string calldata originClientId, string calldata chain) external restricted {
        require(bytes(_hubClientId).length != 0, NotHubClient(_hubClientId));
        _checkPeer(originClientId, chain);
        _forwardedPeers[_hubClientId][originClientId] = chain;
        emit ForwardedPeerSet(originClientId, chain);
    }

    /// @inheritdoc IMailbox
    function hubClientId() external view returns (string memory) {
        return _hubClientId;
    }

    /// @inheritdoc IMailbox
    function directPeer(string calldata clientId) external view returns (string memory) {
        return _directPeers[clientId];
    }

    /// @inheritdoc IMailbox
    function forwardedPeer(string calldata originClientId) external view returns (string memory) {
        return _forwardedPeers[_hubClientId][originClientId];
    }

    /// @inheritdoc IMailbox
    function messageIdOf(bool forwarded, string memory route, uint64 sequence) public pure returns (bytes32) {
        return keccak256(abi.encode(forwarded, route, sequence));
    }

    /// @dev A direct message is named by both ends of its packet: chains that call this one by the same identifier are many.
    /// A forwarded one is named by what the hub calls the origin, which is all that the other end knows.
    function _messageId(
        bool forwarded,
        string memory sourceClient,
        string memory destinationClient,
        uint64 sequence
    )
        private
        pure
        returns (bytes32)
    {
        return messageIdOf(
            forwarded, forwarded ? destinationClient : string.concat(sourceClient, "/", destinationClient), sequence
        );
    }

    function _sendDirect(
        string calldata sourceClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp,
        uint256 receiveGas
    )
        private
        returns (bytes32 messageId, uint64 sequence)
    {
        require(bytes(_directPeers[sourceClient]).length != 0, UnknownPeer(sourceClient));
        bytes memory value = _encodeMessage(receiver, payload, receiveGas);
        (messageId, sequence) = _send(
            false,
            MsgSendPacket({
                sourceClient: sourceClient,
                timeoutTimestamp: timeoutTimestamp,
                payload: Payload(Gmp.PORT, Gmp.PORT, _versionOf(receiveGas), Gmp.ENCODING, value)
            })
        );
        emit MessageSent(messageId, msg.sender, sourceClient, sequence, "", receiver, timeoutTimestamp);
    }

    function _sendForwarded(
        string calldata hubClient,
        string calldata nextClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp,
        uint256 receiveGas
    )
        private
        returns (bytes32 messageId, uint64 sequence)
    {
        require(bytes(hubClient).length != 0 && hubClient.equal(_hubClientId), NotHubClient(hubClient));
        require(Identifiers.isClientId(nextClient), UnknownPeer(nextClient));
        uint256 minimum = block.timestamp + FORWARD_MARGIN + 1;
        uint256 maximum = block.timestamp + MAX_TIMEOUT_DURATION;
        require(
            timeoutTimestamp >= minimum && timeoutTimestamp <= maximum,
            InvalidTimeout(timeoutTimestamp, minimum, maximum)
        );
        bytes memory value = Forward.encode(
            Forward.Request({
                nextClient: nextClient,
                destinationPort: Gmp.PORT,
                version: _versionOf(receiveGas),
                encoding: Gmp.ENCODING,
                timeoutTimestamp: timeoutTimestamp,
                value: _encodeMessage(receiver, payload, receiveGas)
            })
        );
        (messageId, sequence) = _send(
            true,
            MsgSendPacket({
                sourceClient: hubClient,
                timeoutTimestamp: timeoutTimestamp - FORWARD_MARGIN,
                payload: Payload(Gmp.PORT, Forward.PORT, Forward.VERSION, Gmp.ENCODING, value)
            })
        );
        emit MessageSent(messageId, msg.sender, hubClient, sequence, nextClient, receiver, timeoutTimestamp);
    }

    function _checkReceiveGas(uint256 receiveGas) private pure {
        require(
            receiveGas != 0 && receiveGas <= MAX_RECEIVE_GAS,
            InvalidMessage("receiveGas", receiveGas, MAX_RECEIVE_GAS)
        );
    }

    /// @dev A message that asks for no gas is of the version that every Mailbox knows.
    function _versionOf(uint256 receiveGas) private pure returns (string memory) {
        return receiveGas == 0 ? Gmp.VERSION : Gmp.GAS_VERSION;
    }

    function _checkPeer(string calldata clientId, string calldata chain) private pure {
        require(Identifiers.isClientId(clientId), UnknownPeer(clientId));
        require(
            bytes(chain).length == 0 || Identifiers.isPlainText(chain, MAX_CHAIN_NAME_LENGTH),
            InvalidMessage("chain", bytes(chain).length, MAX_CHAIN_NAME_LENGTH)
        );
    }

    function _encodeMessage(string calldata receiver, bytes calldata payload, uint256 receiveGas)
        private
        view
        returns (bytes memory value)
    {
        require(
            Identifiers.isPlainText(receiver, MAX_RECEIVER_LENGTH),
            InvalidMessage("receiver", bytes(receiver).length, MAX_RECEIVER_LENGTH)
        );
        require(
            payload.length != 0 && payload.length <= MAX_PAYLOAD_LENGTH,
            InvalidMessage("payload", payload.length, MAX_PAYLOAD_LENGTH)
        );
        value = abi.encode(
            Gmp.PacketData({
                sender: Identifiers.toHex(msg.sender), receiver: receiver, salt: "", payload: payload, memo: ""
            })
        );
        if (receiveGas != 0) value = bytes.concat(bytes32(receiveGas), value);
    }

    function _send(
        bool forwarded,
        MsgSendPacket memory packet
    )
        private
        returns (bytes32 messageId, uint64 sequence)
    {
        sequence = ROUTER.sendPacket(packet);
        string memory counterparty = IClientRegistry(address(ROUTER)).getCounterparty(packet.sourceClient).clientId;
        messageId = _messageId(forwarded, packet.sourceClient, counterparty, sequence);
    }

    /// @dev The stamp names the origin; it was written by the hub, outside of all bytes that the sender controls.
    function _deliverForwarded(bytes calldata data) private returns (bytes memory) {
        (Forward.Stamp memory stamp, string calldata version, string calldata encoding, bytes calldata value) =
            Forward.decodeStamped(data);
        // without its source port, anyone who owns any port on the origin could write in this application's name
        require(stamp.sourcePort.equal(Gmp.PORT), InvalidStamp("sourcePort"));
        require(stamp.destinationPort.equal(Forward.PORT), InvalidStamp("destinationPort"));
        require(
            _isMessage(version) && encoding.equal(Gmp.ENCODING), UnsupportedPayload(version, encoding)
        );
        string memory chain = _forwardedPeers[_hubClientId][stamp.clientId];
        require(bytes(chain).length != 0, UnknownPeer(stamp.clientId));
        return _deliver(
            Origin(chain, stamp.clientId, stamp.sourcePort, stamp.sequence, true),
            version,
            value,
            messageIdOf(true, stamp.clientId, stamp.sequence)
        );
    }

    function _deliver(
        Origin memory origin,
        string calldata version,
        bytes calldata value,
        bytes32 messageId
    )
        private
        returns (bytes memory)
    {
        uint256 receiveGas = MIN_CALLBACK_GAS;
        if (version.equal(Gmp.GAS_VERSION)) (receiveGas, value) = _takeReceiveGas(value);
        (
            string calldata sender,
            string calldata receiverText,
            bytes calldata salt,
            bytes calldata payload,
            string calldata memo
        ) = Gmp.decode(value);
        require(salt.length == 0, UnsupportedField("salt"));
        require(bytes(memo).length == 0, UnsupportedField("memo"));
        require(bytes(sender).length != 0, UnsupportedField("sender"));
        address receiver = _receiverOf(receiverText);
        bytes memory result =
            _callReceiver(receiver, receiveGas, abi.encodeCall(IMessageReceiver.onMessage, (origin, sender, payload)));
        emit MessageDelivered(messageId, receiver, origin, sender);
        return Gmp.encodeAcknowledgement(result);
    }

    function _isMessage(string calldata version) private pure returns (bool) {
        return version.equal(Gmp.VERSION) || version.equal(Gmp.GAS_VERSION);
    }

    /// @dev The word before the message. One that asks for more than any relay can give is refused for good, so that it is
    /// not tried until its timeout; less than every receiver gets is nothing.
    function _takeReceiveGas(bytes calldata value) private pure returns (uint256 receiveGas, bytes calldata message) {
        require(value.length >= 32, MalformedPayload(0));
        receiveGas = uint256(bytes32(value[0:32]));
        _checkReceiveGas(receiveGas);
        if (receiveGas < MIN_CALLBACK_GAS) receiveGas = MIN_CALLBACK_GAS;
        message = value[32:];
    }

    /// @dev A contract, and none of the bridge's own (the Poly Network rule).
    function _receiverOf(string calldata text) private view returns (address receiver) {
        bool ok;
        (ok, receiver) = Identifiers.parseAddress(text);
        require(
            ok && receiver.code.length != 0 && receiver != address(this) && !ROUTER.isSystemContract(receiver),
            InvalidReceiver(text)
        );
    }

    function _callReceiver(address receiver, uint256 receiveGas, bytes memory input)
        private
        returns (bytes memory result)
    {
        // Too little gas must not look like a refusal: a revert without reason makes the router revert the whole receive.
        if (gasleft() < receiveGas * 64 / 63 + CALL_OVERHEAD) _revertWithoutReason();
        (bool success, bytes memory returned, uint256 size) =
            BoundedCall.call(receiver, gasleft(), input, MAX_RESULT_LENGTH + ABI_OVERHEAD);
        if (!success) {
            if (size == 0) _revertWithoutReason();
            if (returned.length > MAX_REASON_LENGTH) {
                assembly ("memory-safe") {
                    mstore(returned, MAX_REASON_LENGTH)
                }
            }
            revert ReceiverReverted(returned);
        }
        bool ok;
        (ok, result) = BoundedCall.decodeBytes(returned);
        require(ok && result.length <= MAX_RESULT_LENGTH, InvalidResult(size, MAX_RESULT_LENGTH));
    }

    /// @dev The packet is our own, so its encoding is known to be right.
    function _senderOf(Payload calldata payload) private pure returns (bool forwarded, address sender) {
        forwarded = payload.version.equal(Forward.VERSION);
        string memory version = payload.version;
        bytes memory value = payload.value;
        if (forwarded) {
            Forward.Request memory request = abi.decode(value, (Forward.Request));
            (version, value) = (request.version, request.value);
        }
        Gmp.PacketData memory data;
        if (version.equal(Gmp.GAS_VERSION)) (, data) = Gmp.decodeOwn(value);
        else data = abi.decode(value, (Gmp.PacketData));
        (, sender) = Identifiers.parseAddress(data.sender);
    }

    /// @dev A sender that reverts, loops or returns too much cannot keep its packet from being settled.
    function _settle(bytes32 messageId, address sender, bool delivered, bytes memory result) private {
        if (sender.code.length == 0) return;
        bytes memory input = abi.encodeCall(IMessageSender.onMessageSettled, (messageId, delivered, result));
        uint256 needed = SETTLEMENT_GAS * 64 / 63 + CALL_OVERHEAD;
        uint256 available = gasleft();
        require(available >= needed, InsufficientSettlementGas(available, needed));
        (bool success, bytes memory reason,) = BoundedCall.call(sender, SETTLEMENT_GAS, input, MAX_REASON_LENGTH);
        if (!success) emit SettlementCallbackFailed(messageId, sender, reason);
    }

    function _revertWithoutReason() private pure {
        assembly ("memory-safe") {
            revert(0, 0)
        }
    }
}
