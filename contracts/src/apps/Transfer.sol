// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IIBCApp } from "../interfaces/IIBCApp.sol";
import { IRouter } from "../interfaces/IRouter.sol";
import { Held, ITransfer, TransferOutcome } from "../interfaces/ITransfer.sol";
import { IVoucher } from "../interfaces/IVoucher.sol";
import { Ics20 } from "../libraries/Ics20.sol";
import { Ics24Host } from "../libraries/Ics24Host.sol";
import { Identifiers } from "../libraries/Identifiers.sol";
import {
    MsgSendPacket,
    OnAcknowledgementPacketCallback,
    OnRecvPacketCallback,
    OnTimeoutPacketCallback,
    Payload
} from "../types/Packet.sol";
import { TransferLimits } from "./TransferLimits.sol";
import { TransferVault } from "./TransferVault.sol";

/// @title ERC-20 tokens between chains (docs/spec/transfer.md)
/// @notice Owns the port `transfer` (ICS-20 v2, ABI encoding). Tokens of this chain are escrowed per client and stand on the
/// other side as vouchers; vouchers here stand for tokens of elsewhere. Native coins are not offered: wrap them.
contract Transfer is IIBCApp, TransferLimits, TransferVault {
    using Identifiers for string;
    using Ics20 for string;

    uint256 private constant MAX_TIMEOUT_DURATION = 1 days;

    /// @notice Seconds that the first leg of a forwarded transfer times out before the second.
    uint64 public immutable FORWARD_MARGIN;

    string private _hubClientId;

    modifier onlyRouter() {
        require(msg.sender == address(ROUTER), OnlyRouter(msg.sender));
        _;
    }

    /// @param router router on which `transfer` will be given to this contract
    /// @param authority AccessManager that answers who may limit, pause and cancel
    /// @param forwardMargin seconds between the timeouts of both legs: 600, on development chains 5
    constructor(
        IRouter router,
        address authority,
        uint64 forwardMargin
    )
        AccessManaged(authority)
        TransferVault(router)
    {
        FORWARD_MARGIN = forwardMargin;
    }

    /// @inheritdoc ITransfer
    function sendTransfer(
        string calldata sourceClient,
        address token,
        uint256 amount,
        string calldata receiver,
        string calldata memo,
        uint64 timeoutTimestamp
    )
        external
        nonReentrant
        whenNotPaused
        returns (uint64 sequence)
    {
        _checkLength("memo", memo, Ics20.MAX_MEMO_LENGTH);
        string memory denom;
        (sequence, denom) = _send(sourceClient, token, amount, receiver, memo, timeoutTimestamp);
        emit TransferSent(
            sourceClient, sequence, msg.sender, token, denom, amount, receiver, "", timeoutTimestamp
        );
    }

    /// @inheritdoc ITransfer
    function sendForwarded(
        string calldata hubClient,
        string calldata nextClient,
        address token,
        uint256 amount,
        string calldata receiver,
        uint64 timeoutTimestamp
    )
        external
        nonReentrant
        whenNotPaused
        returns (uint64 sequence)
    {
        require(bytes(hubClient).length != 0 && hubClient.equal(_hubClientId), NotHubClient(hubClient));
        require(Identifiers.isClientId(nextClient), InvalidNextClient(nextClient));
        uint256 minimum = block.timestamp + FORWARD_MARGIN + 1;
        uint256 maximum = block.timestamp + MAX_TIMEOUT_DURATION;
        require(
            timeoutTimestamp >= minimum && timeoutTimestamp <= maximum,
            InvalidTimeout(timeoutTimestamp, minimum, maximum)
        );
        _checkQuotable(receiver);
        string memory memo = Ics20.forwardMemo(receiver, nextClient, timeoutTimestamp);
        string memory denom;
        (sequence, denom) = _send(hubClient, token, amount, receiver, memo, timeoutTimestamp - FORWARD_MARGIN);
        emit TransferSent(
            hubClient, sequence, msg.sender, token, denom, amount, receiver, nextClient, timeoutTimestamp
        );
    }

    /// @inheritdoc IIBCApp
    function onRecvPacket(OnRecvPacketCallback calldata msg_) external onlyRouter returns (bytes memory) {
        // Neither is the packet's fault, so neither may become its refusal: a revert without reason makes the router revert the
        // whole receive. (A token's hook may relay a stranger's packet while this contract is entered.)
        if (paused() || _reentrancyGuardEntered()) _revertWithoutReason();
        _receive(msg_);
        return Ics20.SUCCESS;
    }

    /// @inheritdoc IIBCApp
    function onAcknowledgementPacket(OnAcknowledgementPacketCallback calldata msg_)
        external
        onlyRouter
        nonReentrant
        whenNotPaused
    {
        if (keccak256(msg_.acknowledgement) == keccak256(abi.encodePacked(Ics24Host.ERROR_ACKNOWLEDGEMENT))) {
            _undo(msg_.sourceClient, msg_.sequence, msg_.payload, TransferOutcome.Refused);
            return;
        }
        // v2 has one failure, and this is not it: whatever else the other side wrote, it has taken the tokens over
        (string memory denom, address sender, uint256 amount) = _sentBy(msg_.payload);
        uint64 chargedAt = _recordOutcome(msg_.sourceClient, msg_.sequence, TransferOutcome.Completed);
        if (chargedAt != 0) {
            _giveBack(false, msg_.sourceClient, denom.traceOf(), _tokenOf(denom), amount, chargedAt);
        }
        emit TransferCompleted(msg_.sourceClient, msg_.sequence, sender);
        _tellSender(msg_.sourceClient, msg_.sequence, sender, TransferOutcome.Completed);
    }

    /// @inheritdoc IIBCApp
    function onTimeoutPacket(OnTimeoutPacketCallback calldata msg_) external onlyRouter nonReentrant whenNotPaused {
        _undo(msg_.sourceClient, msg_.sequence, msg_.payload, TransferOutcome.TimedOut);
    }

    /// @inheritdoc ITransfer
    function setHubClient(string calldata clientId) external restricted {
        _hubClientId = clientId;
        emit HubClientSet(clientId);
    }

    /// @inheritdoc ITransfer
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc ITransfer
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc ITransfer
    function hubClientId() external view returns (string memory) {
        return _hubClientId;
    }

    function _send(
        string calldata sourceClient,
        address token,
        uint256 amount,
        string calldata receiver,
        string memory memo,
        uint64 timeoutTimestamp
    )
        private
        returns (uint64 sequence, string memory denom)
    {
        require(amount != 0, ZeroAmount());
        require(token.code.length != 0 && !ROUTER.isSystemContract(token), NotAToken(token));
        require(
            Identifiers.isPlainText(receiver, Ics20.MAX_RECEIVER_LENGTH),
            InvalidText("receiver", bytes(receiver).length, Ics20.MAX_RECEIVER_LENGTH)
        );
        denom = denomOf(token);
        (bool charged,) = _charge(true, sourceClient, denom.traceOf(), token, amount);
        _take(sourceClient, token, denom, msg.sender, amount);
        sequence = ROUTER.sendPacket(
            MsgSendPacket({
                sourceClient: sourceClient,
                timeoutTimestamp: timeoutTimestamp,
                payload: Payload({
                    sourcePort: Ics20.PORT,
                    destPort: Ics20.PORT,
                    version: Ics20.VERSION,
                    encoding: Ics20.ENCODING,
                    value: abi.encode(
                        Ics20.PacketData(denom, Identifiers.toHex(msg.sender), receiver, amount, memo)
                    )
                })
            })
        );
        if (charged) _recordCharge(sourceClient, sequence);
    }

    function _receive(OnRecvPacketCallback calldata msg_) private nonReentrant {
        Payload calldata payload = msg_.payload;
        // without its source port, anyone who owns any port on the other chain could bring home what this port sent
        require(
            payload.sourcePort.equal(Ics20.PORT) && payload.destPort.equal(Ics20.PORT)
                && payload.version.equal(Ics20.VERSION) && payload.encoding.equal(Ics20.ENCODING),
            UnsupportedPayload(payload.sourcePort, payload.destPort, payload.version, payload.encoding)
        );
        (string calldata denom, string calldata sender, string calldata receiverText, uint256 amount, string calldata memo)
        = Ics20.decode(payload.value);
        require(amount != 0, ZeroAmount());
        require(
            Identifiers.isPlainText(sender, Ics20.MAX_RECEIVER_LENGTH),
            InvalidText("sender", bytes(sender).length, Ics20.MAX_RECEIVER_LENGTH)
        );
        // a name of full length here comes home with one hop more
        _checkLength("denom", denom, Ics20.MAX_DENOM_LENGTH + Ics20.MAX_HOP_LENGTH);
        _checkLength("receiver", receiverText, Ics20.MAX_RECEIVER_LENGTH);
        _checkLength("memo", memo, Ics20.MAX_MEMO_LENGTH);
        (bool isAddress, address receiver) = receiverText.parseAddress();
        require(isAddress, InvalidReceiver(receiverText));
        _credit(msg_.sourceClient, msg_.destinationClient, msg_.sequence, denom, sender, receiver, amount);
    }

    function _credit(
        string calldata sourceClient,
        string calldata localClient,
        uint64 sequence,
        string calldata remoteDenom,
        string calldata sender,
        address receiver,
        uint256 amount
    )
        private
    {
        string memory homeward = Ics20.hop(sourceClient);
        bool returns_ = Ics20.startsWith(remoteDenom, homeward);
        string memory denom = returns_
            ? string(bytes(remoteDenom)[bytes(homeward).length:])
            : string.concat(Ics20.hop(localClient), remoteDenom);
        address token = returns_ ? _unescrow(localClient, denom, amount) : _voucherOf(denom);
        require(_canHold(receiver, token), InvalidReceiver(Identifiers.toHex(receiver)));
        (, uint256 delay) = _charge(false, localClient, denom.traceOf(), token, amount);
        if (!returns_ && !isVoucher[token]) _createVoucher(denom);
        emit TransferReceived(localClient, sequence, receiver, token, denom, amount, sender);
        if (!returns_) IVoucher(token).mint(delay == 0 ? receiver : address(this), amount);
        else if (delay == 0) _payReceived(token, receiver, amount);
        if (delay != 0) {
            _hold(false, localClient, sequence, Held(token, uint64(block.timestamp + delay), receiver, amount), "");
        }
    }

    /// @dev The commitment is gone: this happens once.
    function _undo(string calldata sourceClient, uint64 sequence, Payload calldata payload, TransferOutcome outcome)
        private
    {
        (string memory denom, address sender, uint256 amount) = _sentBy(payload);
        bool burnt = denom.startsWith(Ics20.hop(sourceClient));
        address token = burnt ? voucherAddress(denom) : _unescrow(sourceClient, denom, amount);
        uint64 chargedAt = _recordOutcome(sourceClient, sequence, outcome);
        if (chargedAt != 0) _giveBack(true, sourceClient, denom.traceOf(), token, amount, chargedAt);
        emit TransferRefunded(sourceClient, sequence, sender, token, amount, outcome == TransferOutcome.TimedOut);
        _refund(sourceClient, sequence, token, sender, amount, burnt);
        _tellSender(sourceClient, sequence, sender, outcome);
    }

    /// @dev The packet is our own, so its encoding is known to be right.
    function _sentBy(Payload calldata payload)
        private
        pure
        returns (string memory denom, address sender, uint256 amount)
    {
        Ics20.PacketData memory data = abi.decode(payload.value, (Ics20.PacketData));
        (denom, amount) = (data.denom, data.amount);
        (, sender) = data.sender.parseAddress();
    }

    function _checkLength(string memory field, string calldata text, uint256 maxLength) private pure {
        require(bytes(text).length <= maxLength, InvalidText(field, bytes(text).length, maxLength));
    }

    /// @dev The receiver stands between quotes in the memo.
    function _checkQuotable(string calldata receiver) private pure {
        bytes calldata text = bytes(receiver);
        for (uint256 i = 0; i < text.length; ++i) {
            require(text[i] != '"' && text[i] != "\\", InvalidText("receiver", text.length, Ics20.MAX_RECEIVER_LENGTH));
        }
    }
}
