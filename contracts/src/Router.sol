// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { ClientRegistry } from "./ClientRegistry.sol";
import { PacketStore } from "./PacketStore.sol";
import { IClientRegistry } from "./interfaces/IClientRegistry.sol";
import { IIBCApp } from "./interfaces/IIBCApp.sol";
import { IClientStatus } from "./interfaces/ILightClient.sol";
import { IRouter } from "./interfaces/IRouter.sol";
import { BoundedCall } from "./libraries/BoundedCall.sol";
import { Ics24Host } from "./libraries/Ics24Host.sol";
import { Identifiers } from "./libraries/Identifiers.sol";
import { ClientStatus, CounterpartyInfo, MsgVerifyMembership, MsgVerifyNonMembership } from "./types/Client.sol";
import {
    BatchCall,
    MsgAckPacket,
    MsgRecvPacket,
    MsgSendPacket,
    MsgTimeoutPacket,
    OnAcknowledgementPacketCallback,
    OnRecvPacketCallback,
    OnTimeoutPacketCallback,
    Packet,
    Payload
} from "./types/Packet.sol";

/// @title IBC v2 router of an EVM chain (docs/spec/router.md)
/// @notice Not upgradeable: what an operator deploys is what stays. Rights are given by an OpenZeppelin AccessManager.
contract Router is PacketStore, ClientRegistry, Pausable, Multicall {
    uint256 private constant MAX_TIMEOUT_DURATION = 1 days;
    uint256 private constant MAX_VALUE_LENGTH = 262_144;
    uint256 private constant MAX_TEXT_LENGTH = 256;
    uint256 private constant MAX_ACKNOWLEDGEMENT_LENGTH = 16 * 1024;
    /// @dev Room for offset, length and padding of `abi.encode(bytes)`.
    uint256 private constant ABI_OVERHEAD = 96;
    uint256 private constant MAX_REASON_LENGTH = 1024;
    /// @dev A refusing application must leave one part in this many of its gas.
    uint256 private constant MIN_UNUSED_GAS_FRACTION = 4;
    /// @dev What happens between the gas check of a batch call and the call: a handful of stack operations.
    uint256 private constant BATCH_CALL_OVERHEAD = 1000;

    mapping(string portId => IIBCApp app) private _apps;

    /// @param authority AccessManager that answers who may do what
    constructor(address authority) AccessManaged(authority) { }

    /// @inheritdoc IRouter
    function addIBCApp(string calldata portId, address app) external nonReentrant restricted {
        (bool isAddress,) = Identifiers.parseAddress(portId);
        require(
            Identifiers.isPortId(portId) && !Identifiers.isReservedId(portId) && !isAddress,
            IBCInvalidPortIdentifier(portId)
        );
        _addApp(portId, app);
    }

    /// @inheritdoc IRouter
    function addIBCApp(address app) external nonReentrant restricted {
        _addApp(Identifiers.toHex(app), app);
    }

    /// @inheritdoc IRouter
    function sendPacket(MsgSendPacket calldata msg_) external nonReentrant whenNotPaused returns (uint64 sequence) {
        require(address(getIBCApp(msg_.payload.sourcePort)) == msg.sender, IBCUnauthorizedSender(msg.sender));
        CounterpartyInfo memory counterparty = getCounterparty(msg_.sourceClient);
        _checkSendTimeout(msg_.sourceClient, msg_.timeoutTimestamp);
        _checkPayload(msg_.payload);

        sequence = _nextSequence(msg_.sourceClient);
        Packet memory packet = Packet({
            sequence: sequence,
            sourceClient: msg_.sourceClient,
            destClient: counterparty.clientId,
            timeoutTimestamp: msg_.timeoutTimestamp,
            payloads: new Payload[](1)
        });
        packet.payloads[0] = msg_.payload;
        _commitPacket(packet);
        emit SendPacket(msg_.sourceClient, sequence, packet);
    }

    /// @inheritdoc IRouter
    function recvPacket(MsgRecvPacket calldata msg_) external nonReentrant whenNotPaused restricted {
        Packet memory packet = msg_.packet;
        CounterpartyInfo memory counterparty = _checkEnds(packet, packet.destClient, packet.sourceClient);
        require(
            packet.timeoutTimestamp > block.timestamp,
            IBCInvalidTimeoutTimestamp(packet.timeoutTimestamp, block.timestamp)
        );
        getClient(packet.destClient).verifyMembership(
            MsgVerifyMembership({
                proof: msg_.proofCommitment,
                proofHeight: msg_.proofHeight,
                path: Ics24Host.path(
                    counterparty.merklePrefix, Ics24Host.commitmentKey(packet.sourceClient, packet.sequence)
                ),
                value: abi.encodePacked(Ics24Host.packetCommitment(packet))
            })
        );
        if (!_writeReceipt(packet)) {
            emit Noop();
            return;
        }
        bytes[] memory acknowledgements = new bytes[](1);
        acknowledgements[0] = _receive(packet);
        _commitAcknowledgement(packet, acknowledgements[0]);
        emit WriteAcknowledgement(packet.destClient, packet.sequence, packet, acknowledgements);
    }

    /// @inheritdoc IRouter
    function ackPacket(MsgAckPacket calldata msg_) external nonReentrant whenNotPaused restricted {
        Packet memory packet = msg_.packet;
        CounterpartyInfo memory counterparty = _checkEnds(packet, packet.sourceClient, packet.destClient);
        require(msg_.acknowledgement.length != 0, IBCInvalidAcknowledgement(0, MAX_ACKNOWLEDGEMENT_LENGTH));
        getClient(packet.sourceClient).verifyMembership(
            MsgVerifyMembership({
                proof: msg_.proofAcked,
                proofHeight: msg_.proofHeight,
                path: Ics24Host.path(
                    counterparty.merklePrefix, Ics24Host.acknowledgementKey(packet.destClient, packet.sequence)
                ),
                value: abi.encodePacked(Ics24Host.acknowledgementCommitment(msg_.acknowledgement))
            })
        );
        // the commitment is gone before the application hears of it: nothing that it calls can settle the packet again
        if (!_deleteCommitment(packet)) {
            emit Noop();
            return;
        }
        getIBCApp(packet.payloads[0].sourcePort).onAcknowledgementPacket(
            OnAcknowledgementPacketCallback({
                sourceClient: packet.sourceClient,
                destinationClient: packet.destClient,
                sequence: packet.sequence,
                payload: packet.payloads[0],
                acknowledgement: msg_.acknowledgement,
                relayer: msg.sender
            })
        );
        emit AckPacket(packet.sourceClient, packet.sequence, packet, msg_.acknowledgement);
    }

    /// @inheritdoc IRouter
    function timeoutPacket(MsgTimeoutPacket calldata msg_) external nonReentrant whenNotPaused restricted {
        Packet memory packet = msg_.packet;
        CounterpartyInfo memory counterparty = _checkEnds(packet, packet.sourceClient, packet.destClient);
        uint256 counterpartyTimestamp = getClient(packet.sourceClient).verifyNonMembership(
            MsgVerifyNonMembership({
                proof: msg_.proofTimeout,
                proofHeight: msg_.proofHeight,
                path: Ics24Host.path(
                    counterparty.merklePrefix, Ics24Host.receiptKey(packet.destClient, packet.sequence)
                )
            })
        );
        // receive needs time < timeout, this needs time >= timeout: of one packet exactly one can ever happen
        require(
            counterpartyTimestamp >= packet.timeoutTimestamp,
            IBCInvalidTimeoutTimestamp(packet.timeoutTimestamp, counterpartyTimestamp)
        );
        if (!_deleteCommitment(packet)) {
            emit Noop();
            return;
        }
        getIBCApp(packet.payloads[0].sourcePort).onTimeoutPacket(
            OnTimeoutPacketCallback({
                sourceClient: packet.sourceClient,
                destinationClient: packet.destClient,
                sequence: packet.sequence,
                payload: packet.payloads[0],
                relayer: msg.sender
            })
        );
        emit TimeoutPacket(packet.sourceClient, packet.sequence, packet);
    }

    /// @inheritdoc IRouter
    function relayBatch(BatchCall[] calldata calls) external returns (bool[] memory succeeded) {
        // from inside a callback, its events would read as verdicts on the calls of the batch around it
        require(!_reentrancyGuardEntered(), ReentrancyGuardReentrantCall());
        succeeded = new bool[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            _checkBatchSelector(i, calls[i].data);
            bytes memory data = calls[i].data;
            uint256 needed = calls[i].gasLimit;
            // EIP-150 keeps back a 64th of what is left; without this check a relayer could starve one call
            uint256 left = gasleft();
            uint256 available = left > BATCH_CALL_OVERHEAD ? (left - BATCH_CALL_OVERHEAD) * 63 / 64 : 0;
            require(available >= needed, InsufficientBatchGas(i, available, needed));
            (bool success, bytes memory reason) = BoundedCall.delegateToSelf(needed, data, MAX_REASON_LENGTH);
            succeeded[i] = success;
            if (!success) emit BatchCallFailed(i, reason);
        }
    }

    /// @inheritdoc IRouter
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc IRouter
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc IRouter
    function isSystemContract(address account) external view returns (bool) {
        return account == address(this) || account == authority() || _systemContracts[account];
    }

    /// @inheritdoc IRouter
    function getIBCApp(string memory portId) public view returns (IIBCApp app) {
        app = _apps[portId];
        require(address(app) != address(0), IBCAppNotFound(portId));
    }

    function _addApp(string memory portId, address app) private {
        require(address(_apps[portId]) == address(0), IBCPortAlreadyExists(portId));
        require(app.code.length != 0, IBCInvalidApp(app));
        _apps[portId] = IIBCApp(app);
        _systemContracts[app] = true;
        emit IBCAppAdded(portId, app);
    }

    /// @dev Calls the application and turns what it says into the acknowledgement. Return data is copied up to the
    /// greatest legal length and no further. A refusal counts only if it left a quarter of the gas unused: a call that runs
    /// out of gas deep inside leaves a 64th or a few, and an app that wraps it into a reason must not let a relayer buy an
    /// error acknowledgement by sending too little gas.
    function _receive(Packet memory packet) private returns (bytes memory acknowledgement) {
        address app = address(getIBCApp(packet.payloads[0].destPort));
        bytes memory input = abi.encodeCall(
            IIBCApp.onRecvPacket,
            (OnRecvPacketCallback({
                    sourceClient: packet.sourceClient,
                    destinationClient: packet.destClient,
                    sequence: packet.sequence,
                    payload: packet.payloads[0],
                    relayer: msg.sender
                }))
        );
        uint256 gasBefore = gasleft();
        (bool success, bytes memory returned, uint256 size) =
            BoundedCall.call(app, gasBefore, input, MAX_ACKNOWLEDGEMENT_LENGTH + ABI_OVERHEAD);
        if (!success) {
            require(size != 0 && gasleft() >= gasBefore / MIN_UNUSED_GAS_FRACTION, IBCFailedCallback());
            if (returned.length > MAX_REASON_LENGTH) {
                assembly ("memory-safe") {
                    mstore(returned, MAX_REASON_LENGTH)
                }
            }
            emit IBCAppRecvPacketCallbackError(returned);
            return abi.encodePacked(Ics24Host.ERROR_ACKNOWLEDGEMENT);
        }
        bool ok;
        (ok, acknowledgement) = BoundedCall.decodeBytes(returned);
        require(
            ok && acknowledgement.length <= MAX_ACKNOWLEDGEMENT_LENGTH,
            IBCInvalidAcknowledgement(size, MAX_ACKNOWLEDGEMENT_LENGTH)
        );
        require(acknowledgement.length != 0, IBCAsyncAcknowledgementNotSupported());
        require(
            keccak256(acknowledgement) != keccak256(abi.encodePacked(Ics24Host.ERROR_ACKNOWLEDGEMENT)),
            IBCErrorUniversalAcknowledgement()
        );
    }

    function _checkSendTimeout(string calldata sourceClient, uint64 timeoutTimestamp) private view {
        IClientStatus client = IClientStatus(address(getClient(sourceClient)));
        require(client.status() == ClientStatus.Active, IBCClientNotActive(sourceClient));
        require(timeoutTimestamp > block.timestamp, IBCInvalidTimeoutTimestamp(timeoutTimestamp, block.timestamp));
        uint256 duration = timeoutTimestamp - block.timestamp;
        require(duration <= MAX_TIMEOUT_DURATION, IBCInvalidTimeoutDuration(MAX_TIMEOUT_DURATION, duration));
        uint256 counterpartyTimestamp = client.latestTimestamp();
        require(
            timeoutTimestamp > counterpartyTimestamp,
            IBCInvalidTimeoutTimestamp(timeoutTimestamp, counterpartyTimestamp)
        );
    }

    /// @dev What other chains would refuse to decode must not be sent.
    function _checkPayload(Payload calldata payload) private pure {
        require(Identifiers.isPortId(payload.destPort), IBCInvalidPayload("destPort"));
        require(Identifiers.isPlainText(payload.version, MAX_TEXT_LENGTH), IBCInvalidPayload("version"));
        require(Identifiers.isPlainText(payload.encoding, MAX_TEXT_LENGTH), IBCInvalidPayload("encoding"));
        uint256 length = payload.value.length;
        require(length != 0 && length <= MAX_VALUE_LENGTH, IBCInvalidPayload("value"));
    }

    /// @dev Rules that receive, acknowledge and timeout share: `localClient` is ours, `remoteClient` its counterparty.
    function _checkEnds(
        Packet memory packet,
        string memory localClient,
        string memory remoteClient
    )
        private
        view
        returns (CounterpartyInfo memory counterparty)
    {
        require(packet.payloads.length == 1, IBCMultiPayloadPacketNotSupported());
        require(packet.sequence != 0, IBCInvalidSequence(packet.sequence));
        counterparty = getCounterparty(localClient);
        require(
            Identifiers.equal(counterparty.clientId, remoteClient),
            IBCInvalidCounterparty(counterparty.clientId, remoteClient)
        );
    }

    function _checkBatchSelector(uint256 index, bytes calldata data) private pure {
        bytes4 selector = data.length < 4 ? bytes4(0) : bytes4(data[0:4]);
        require(
            selector == IClientRegistry.updateClient.selector || selector == IRouter.recvPacket.selector
                || selector == IRouter.ackPacket.selector || selector == IRouter.timeoutPacket.selector
                || selector == IClientRegistry.submitMisbehaviour.selector,
            BatchSelectorNotAllowed(index, selector)
        );
    }
}
