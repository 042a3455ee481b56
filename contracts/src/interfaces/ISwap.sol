// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LegState, SwapTerms } from "../types/Swap.sol";

/// @title Swap of two legs on two chains: both or neither (docs/spec/swaps.md)
interface ISwap {
    /// @notice The maker's leg is held, and the packet that asks for the other one is sent.
    event SwapOpened(
        bytes32 indexed id, address indexed maker, string route, uint64 sequence, SwapTerms terms, uint64 timeoutTimestamp
    );
    /// @notice The taker's leg is held for these terms.
    event SwapFunded(bytes32 indexed id, address indexed taker, string route, SwapTerms terms);
    /// @notice The taker took its leg back before it was asked for.
    event SwapWithdrawn(bytes32 indexed id, address indexed taker);
    /// @notice Leg B is the maker's.
    event SwapExecuted(bytes32 indexed id, address indexed makerReceiver, uint64 sequence);
    /// @notice Leg A is the taker's: the other chain has shown that leg B was paid.
    event SwapSettled(bytes32 indexed id, address indexed takerReceiver);
    /// @notice Leg A is the maker's again: the other chain has shown that leg B was not paid and never will be.
    event SwapReturned(bytes32 indexed id, address indexed maker, bool timedOut);
    /// @notice What was owed has been paid.
    event Claimed(address indexed account, address indexed token, uint256 amount);
    /// @notice The hub's client is another now.
    event HubClientSet(string clientId);

    /// @notice Only the router calls this.
    error OnlyRouter(address caller);
    /// @notice Only this party of the terms may do this.
    error OnlyParty(address party, address caller);
    /// @notice Terms with a zero address, a zero amount, a token without code, or a contract of the bridge as receiver.
    error InvalidTerms();
    /// @notice The leg is in another state than the call needs.
    error WrongState(bytes32 id, LegState state);
    /// @notice A token took or gave another amount than it was told.
    error BalanceMismatch(address token, uint256 expected, uint256 got);
    /// @notice Nothing is owed.
    error NothingOwed(address account, address token);
    /// @notice Only the configured hub client forwards.
    error NotHubClient(string clientId);
    /// @notice No client identifier of a hub.
    error InvalidNextClient(string clientId);
    /// @notice A forwarded swap ends between the margin of its first packet and a day.
    error InvalidTimeout(uint64 timeoutTimestamp, uint256 minimum, uint256 maximum);
    /// @notice The packet is not of this port.
    error UnsupportedPayload(string sourcePort, string destPort, string version, string encoding);

    /// @notice The maker puts in leg A and asks for leg B over a client of the other chain.
    /// @param timeoutTimestamp Unix seconds of the other chain, at most a day ahead
    /// @return id of leg A
    /// @return sequence of the packet
    function open(string calldata sourceClient, SwapTerms calldata terms, uint64 timeoutTimestamp)
        external
        returns (bytes32 id, uint64 sequence);
    /// @notice As `open`, over the hub to the chain that the hub knows as `nextClient`.
    /// @param timeoutTimestamp of the second packet, Unix seconds, at most a day ahead
    function openForwarded(
        string calldata hubClient,
        string calldata nextClient,
        SwapTerms calldata terms,
        uint64 timeoutTimestamp
    )
        external
        returns (bytes32 id, uint64 sequence);
    /// @notice The taker puts in leg B, for exactly these terms by exactly this route.
    /// @param route local client of the maker's chain, or `hub client>hub's client of it`
    /// @return id of leg B
    function fund(string calldata route, SwapTerms calldata terms) external returns (bytes32 id);
    /// @notice The taker takes leg B back while nobody has asked for it.
    function withdraw(string calldata route, SwapTerms calldata terms) external;
    /// @notice Pays an account what it is owed of a token. Anybody may call it.
    function claim(address account, address token) external returns (uint256 amount);

    /// @notice Names the client whose forwarder is believed; empty for none.
    function setHubClient(string calldata clientId) external;
    /// @notice Stops everything but withdrawals.
    function pause() external;
    /// @notice Ends the pause.
    function unpause() external;

    /// @notice How far a leg is.
    function stateOf(bytes32 id) external view returns (LegState);
    /// @notice What an account can claim of a token.
    function owedTo(address account, address token) external view returns (uint256);
    /// @notice Whether leg A is held and the client that decides it is frozen or expired, and which client.
    function stuckAt(bytes32 id) external view returns (bool stuck, string memory clientId);
    /// @notice The client whose forwarder is believed; empty for none.
    function hubClientId() external view returns (string memory);
    /// @notice Name of a leg on the chain where it is held.
    /// @param opened true for leg A
    function idOf(bool opened, string calldata route, SwapTerms calldata terms) external pure returns (bytes32);
}
