// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Height } from "./Client.sol";

/// @notice One application's data in a packet.
struct Payload {
    string sourcePort;
    string destPort;
    string version;
    string encoding;
    bytes value;
}

/// @notice IBC v2 packet.
/// @param sequence counted per source client, from 1
/// @param timeoutTimestamp Unix seconds of the destination chain
struct Packet {
    uint64 sequence;
    string sourceClient;
    string destClient;
    uint64 timeoutTimestamp;
    Payload[] payloads;
}

/// @notice Sent by an application.
struct MsgSendPacket {
    string sourceClient;
    uint64 timeoutTimestamp;
    Payload payload;
}

/// @notice Sent by a relayer: a packet with the proof of its commitment.
struct MsgRecvPacket {
    Packet packet;
    bytes proofCommitment;
    Height proofHeight;
}

/// @notice Sent by a relayer: an acknowledgement with the proof that the destination wrote it.
struct MsgAckPacket {
    Packet packet;
    bytes acknowledgement;
    bytes proofAcked;
    Height proofHeight;
}

/// @notice Sent by a relayer: proof that the destination holds no receipt at a time not before the timeout.
struct MsgTimeoutPacket {
    Packet packet;
    bytes proofTimeout;
    Height proofHeight;
}

/// @notice One call of a batch.
/// @param gasLimit gas that the call gets, exactly
/// @param data calldata of updateClient, recvPacket, ackPacket, timeoutPacket or submitMisbehaviour
struct BatchCall {
    uint64 gasLimit;
    bytes data;
}

/// @notice What an application learns of a received packet.
struct OnRecvPacketCallback {
    string sourceClient;
    string destinationClient;
    uint64 sequence;
    Payload payload;
    address relayer;
}

/// @notice What an application learns of the acknowledgement of a packet that it sent.
struct OnAcknowledgementPacketCallback {
    string sourceClient;
    string destinationClient;
    uint64 sequence;
    Payload payload;
    bytes acknowledgement;
    address relayer;
}

/// @notice What an application learns of the timeout of a packet that it sent.
struct OnTimeoutPacketCallback {
    string sourceClient;
    string destinationClient;
    uint64 sequence;
    Payload payload;
    address relayer;
}
