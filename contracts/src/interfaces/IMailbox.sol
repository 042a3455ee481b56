// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import { Origin } from "./IMessageReceiver.sol";

/// @title Mailbox: messages between contracts of different chains
interface IMailbox {
    /// @notice A message was sent. Its payload is in the router's `SendPacket` of the same transaction.
    /// @param messageId equal on both chains
    /// @param sender who sent it
    /// @param sequence sequence of the packet on `sourceClient`
    /// @param nextClient hub's client of the destination; empty for a direct message
    event MessageSent(
        bytes32 indexed messageId,
        address indexed sender,
        string sourceClient,
        uint64 sequence,
        string nextClient,
        string receiver,
        uint64 timeoutTimestamp
    );
    /// @notice A message was handled by its receiver. Payload and result are in the router's `WriteAcknowledgement`.
    event MessageDelivered(bytes32 indexed messageId, address indexed receiver, Origin origin, string sender);
    /// @notice A message that was sent from here is settled by its acknowledgement.
    /// @param delivered false if the receiver or the hub refused it
    event MessageAcknowledged(bytes32 indexed messageId, address indexed sender, bool delivered, bytes result);
    /// @notice A message that was sent from here was provably not delivered in time.
    event MessageTimedOut(bytes32 indexed messageId, address indexed sender);
    /// @notice The sender's `onMessageSettled` reverted. At most 896 bytes of reason.
    event SettlementCallbackFailed(bytes32 indexed messageId, address indexed sender, bytes reason);
    /// @notice The client of the hub was set; empty if forwarding is off.
    event HubClientSet(string clientId);
    /// @notice A chain that sends directly was named; an empty name removes it.
    event DirectPeerSet(string clientId, string chain);
    /// @notice A chain behind the hub was named; an empty name removes it.
    event ForwardedPeerSet(string originClientId, string chain);

    /// @notice Only the router calls the packet callbacks.
    error OnlyRouter(address caller);
    /// @notice No peer is configured under this client.
    error UnknownPeer(string clientId);
    /// @notice Forwarding goes over the configured hub client only.
    error NotHubClient(string clientId);
    /// @notice The payload has another version or encoding.
    error UnsupportedPayload(string version, string encoding);
    /// @notice The packet comes from another port than the rule for its version allows.
    error WrongSourcePort(string sourcePort);
    /// @notice The stamp has an unknown version, another hop count, a zero sequence, or ports of another application.
    error InvalidStamp(string field);
    /// @notice The bytes are not the canonical ABI encoding.
    error MalformedPayload(uint256 offset);
    /// @notice Salt and memo are not offered.
    error UnsupportedField(string field);
    /// @notice Not a contract address in hex, or a contract of the bridge itself.
    error InvalidReceiver(string receiver);
    /// @notice The receiver reverted; at most 896 bytes of its reason.
    error ReceiverReverted(bytes reason);
    /// @notice The result is longer than 8 KiB, or is not ABI-encoded bytes.
    error InvalidResult(uint256 length, uint256 maxLength);
    /// @notice The message is empty or too long.
    error InvalidMessage(string field, uint256 length, uint256 maxLength);
    /// @notice The timeout leaves no time for the first leg, or is more than 24 hours ahead.
    error InvalidTimeout(uint64 timeoutTimestamp, uint256 minimum, uint256 maximum);
    /// @notice The gas left cannot give the sender's callback its fixed gas.
    error InsufficientSettlementGas(uint256 available, uint256 needed);

    /// @notice Sends a message over a client of the destination chain.
    /// @param sourceClient this router's client of the destination, configured as a direct peer
    /// @param receiver address on the destination chain
    /// @param payload 1 to 65 536 bytes
    /// @param timeoutTimestamp Unix seconds of the destination chain, at most 24 h ahead
    /// @return messageId equal on both chains
    /// @return sequence sequence of the packet on `sourceClient`
    function sendMessage(
        string calldata sourceClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp
    )
        external
        returns (bytes32 messageId, uint64 sequence);

    /// @notice Sends a message over the hub to the chain behind the hub's client `nextClient`.
    /// @param hubClient this router's client of the hub
    /// @param nextClient the hub's client of the destination
    /// @param receiver address on the destination chain
    /// @param payload 1 to 65 536 bytes
    /// @param timeoutTimestamp T2: Unix seconds of the destination chain, at most 24 h ahead. The first leg times out `FORWARD_MARGIN` earlier.
    /// @return messageId equal on both chains
    /// @return sequence sequence of the packet on `hubClient`
    function sendForwarded(
        string calldata hubClient,
        string calldata nextClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp
    )
        external
        returns (bytes32 messageId, uint64 sequence);

    /// @notice `sendMessage` for a receiver that needs more gas than a relay gives without being asked (1.5 million for the
    /// whole receive, proof included). The other chain's Mailbox must know the payload version `hutong-gmp-gas-1`.
    /// @param receiveGas 1 to 10 000 000: what the receiver is called with at least; with less, the receive reverts whole
    /// @return messageId equal on both chains
    /// @return sequence sequence of the packet on `sourceClient`
    function sendMessageWithGas(
        string calldata sourceClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp,
        uint256 receiveGas
    )
        external
        returns (bytes32 messageId, uint64 sequence);

    /// @notice `sendForwarded` for a receiver that needs more gas, likewise.
    /// @param receiveGas 1 to 10 000 000: what the receiver is called with at least; with less, the receive reverts whole
    /// @return messageId equal on both chains
    /// @return sequence sequence of the packet on `hubClient`
    function sendForwardedWithGas(
        string calldata hubClient,
        string calldata nextClient,
        string calldata receiver,
        bytes calldata payload,
        uint64 timeoutTimestamp,
        uint256 receiveGas
    )
        external
        returns (bytes32 messageId, uint64 sequence);

    /// @notice Sets this router's client of the hub. Restricted.
    /// @param clientId identifier; empty turns forwarding off
    function setHubClient(string calldata clientId) external;

    /// @notice Names a chain that may send directly. Restricted.
    /// @param clientId this router's client of that chain
    /// @param chain name shown to receivers; empty removes the peer
    function setDirectPeer(string calldata clientId, string calldata chain) external;

    /// @notice Names a chain behind the current hub; names given under another hub client do not count. Restricted.
    /// @param originClientId the hub's client of that chain
    /// @param chain name shown to receivers; empty removes the peer
    function setForwardedPeer(string calldata originClientId, string calldata chain) external;

    /// @notice This router's client of the hub.
    /// @return empty if forwarding is off
    function hubClientId() external view returns (string memory);

    /// @notice Name of the chain behind a direct client.
    /// @param clientId this router's client
    /// @return empty if unknown
    function directPeer(string calldata clientId) external view returns (string memory);

    /// @notice Name of the chain behind a client of the hub.
    /// @param originClientId the hub's client
    /// @return empty if unknown
    function forwardedPeer(string calldata originClientId) external view returns (string memory);

    /// @notice Identifier of a message: keccak256(abi.encode(forwarded, route, sequence)).
    /// @param forwarded over the hub
    /// @param route forwarded: the hub's client of the sending chain; direct: `source client/destination client` of the packet
    /// @param sequence sequence of the first packet
    /// @return equal on the sending and on the receiving chain
    function messageIdOf(bool forwarded, string calldata route, uint64 sequence) external pure returns (bytes32);
}
