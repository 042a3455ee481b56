// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BatchCall,
    MsgAckPacket,
    MsgRecvPacket,
    MsgSendPacket,
    MsgTimeoutPacket,
    Packet
} from "../types/Packet.sol";
import { IIBCApp } from "./IIBCApp.sol";

/// @title IBC v2 router: public ABI of `ICS26Router`, with batches of our own
interface IRouter {
    /// @notice An application took a port.
    event IBCAppAdded(string portId, address app);
    /// @notice An application refused a packet; the error acknowledgement was written. At most 1 KiB of reason.
    event IBCAppRecvPacketCallbackError(bytes reason);
    /// @notice A packet was committed.
    event SendPacket(string indexed clientId, uint256 indexed sequence, Packet packet);
    /// @notice A packet was received and its acknowledgement committed.
    event WriteAcknowledgement(
        string indexed clientId, uint256 indexed sequence, Packet packet, bytes[] acknowledgements
    );
    /// @notice A packet that was sent from here is settled by its acknowledgement.
    event AckPacket(string indexed clientId, uint256 indexed sequence, Packet packet, bytes acknowledgement);
    /// @notice A packet that was sent from here is settled by its timeout.
    event TimeoutPacket(string indexed clientId, uint256 indexed sequence, Packet packet);
    /// @notice The message was valid and had been handled before.
    event Noop();
    /// @notice One call of a batch reverted; the others stand. At most 1 KiB of reason.
    event BatchCallFailed(uint256 indexed index, bytes reason);

    /// @notice The port is taken.
    error IBCPortAlreadyExists(string portId);
    /// @notice The port breaks ICS-24, or looks like an address or an identifier.
    error IBCInvalidPortIdentifier(string portId);
    /// @notice No application owns the port.
    error IBCAppNotFound(string portId);
    /// @notice The application has no code.
    error IBCInvalidApp(address app);
    /// @notice Send and receive: the timeout is not after `comparedTimestamp`. Timeout: it is after it.
    error IBCInvalidTimeoutTimestamp(uint256 timeoutTimestamp, uint256 comparedTimestamp);
    /// @notice The timeout is further away than 24 hours.
    error IBCInvalidTimeoutDuration(uint256 maxTimeoutDuration, uint256 actualTimeoutDuration);
    /// @notice The packet's other end is not the client's counterparty.
    error IBCInvalidCounterparty(string expected, string actual);
    /// @notice The packet has not exactly one payload.
    error IBCMultiPayloadPacketNotSupported();
    /// @notice Sequences start at 1.
    error IBCInvalidSequence(uint64 sequence);
    /// @notice A payload field is empty, too long, or outside printable ASCII.
    error IBCInvalidPayload(string field);
    /// @notice Only the owner of the source port sends from it.
    error IBCUnauthorizedSender(address caller);
    /// @notice The client is frozen or expired.
    error IBCClientNotActive(string clientId);
    /// @notice An application must acknowledge at once.
    error IBCAsyncAcknowledgementNotSupported();
    /// @notice An application may not return the error sentinel as a success.
    error IBCErrorUniversalAcknowledgement();
    /// @notice The acknowledgement is longer than 16 KiB, or is not ABI-encoded bytes.
    error IBCInvalidAcknowledgement(uint256 length, uint256 maxLength);
    /// @notice The application reverted without a reason, or with less than a quarter of its gas left: gas may have run
    /// out, so nothing is settled and the packet can be received again, with more gas.
    error IBCFailedCallback();
    /// @notice A commitment is stored under this path already.
    error IBCPacketCommitmentAlreadyExists(bytes path);
    /// @notice An acknowledgement is stored under this path already.
    error IBCPacketAcknowledgementAlreadyExists(bytes path);
    /// @notice The packet is not the one that was sent.
    error IBCPacketCommitmentMismatch(bytes32 expected, bytes32 actual);
    /// @notice Another packet was received under this client and sequence.
    error IBCPacketReceiptMismatch(bytes32 expected, bytes32 actual);
    /// @notice The gas left cannot give the call its gas limit.
    error InsufficientBatchGas(uint256 index, uint256 available, uint256 needed);
    /// @notice A batch may hold relay calls only.
    error BatchSelectorNotAllowed(uint256 index, bytes4 selector);

    /// @notice Gives a chosen port to an application. Restricted.
    /// @param portId 2 to 128 ICS-24 characters, not an address
    /// @param app the application contract
    function addIBCApp(string calldata portId, address app) external;

    /// @notice Gives an application the port named by its address in lower-case hex. Restricted.
    /// @param app the application contract
    function addIBCApp(address app) external;

    /// @notice Commits a packet. Called by the application that owns the source port.
    /// @param msg_ client, timeout in Unix seconds (at most 24 h ahead) and payload
    /// @return sequence of the packet
    function sendPacket(MsgSendPacket calldata msg_) external returns (uint64);

    /// @notice Receives a proven packet, calls its application and commits the acknowledgement. Restricted to relayers.
    /// @param msg_ packet with the proof of its commitment
    function recvPacket(MsgRecvPacket calldata msg_) external;

    /// @notice Settles a packet by its proven acknowledgement. Restricted to relayers.
    /// @param msg_ packet and acknowledgement with proof
    function ackPacket(MsgAckPacket calldata msg_) external;

    /// @notice Settles a packet by proof that it was not received in time. Restricted to relayers.
    /// @param msg_ packet with the proof that no receipt exists
    function timeoutPacket(MsgTimeoutPacket calldata msg_) external;

    /// @notice Runs relay calls one after the other; one that reverts does not undo the others.
    /// @dev Each call runs with the caller's own rights and exactly its gas limit. Refused inside a callback.
    /// @param calls the calls
    /// @return succeeded one entry per call
    function relayBatch(BatchCall[] calldata calls) external returns (bool[] memory succeeded);

    /// @notice Stops sendPacket, recvPacket, ackPacket and timeoutPacket. Restricted to pausers.
    /// @dev Client updates go on. Timeouts keep running: they are measured by the destination's block time.
    function pause() external;

    /// @notice Ends the pause. Restricted to unpausers.
    function unpause() external;

    /// @notice The application that owns a port.
    /// @param portId port
    /// @return the contract; reverts where there is none
    function getIBCApp(string calldata portId) external view returns (IIBCApp);

    /// @notice The stored commitment, receipt or acknowledgement commitment.
    /// @param hashedPath keccak256 of the ICS-24 key
    /// @return zero where nothing is stored
    function getCommitment(bytes32 hashedPath) external view returns (bytes32);

    /// @notice Whether an address belongs to the bridge itself, and must never be called on a message's behalf.
    /// @param account address
    /// @return true for this router, its AccessManager, every light client and every application
    function isSystemContract(address account) external view returns (bool);
}
