// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice What may move in one window, and what has to wait. Amounts in the token's smallest unit.
/// @param sendCap most that a window may send beyond what it received; 2^128 - 1 is no cap, 0 shuts
/// @param receiveCap most that a window may receive beyond what it sent for good; 2^128 - 1 is no cap, 0 shuts
/// @param delayAbove a receive of more than this waits; 2^128 - 1 is no delay
/// @param windowSeconds windows begin at multiples of this; 0 removes the limit
/// @param delaySeconds how long a large receive waits, at most 7 days
struct Limit {
    uint128 sendCap;
    uint128 receiveCap;
    uint128 delayAbove;
    uint32 windowSeconds;
    uint32 delaySeconds;
}

/// @notice An amount that this contract keeps for its owner.
/// @param token ERC-20 or voucher
/// @param releasableAt Unix seconds
/// @param owner who gets it
/// @param amount zero if there is none, or no longer
struct Held {
    address token;
    uint64 releasableAt;
    address owner;
    uint256 amount;
}

/// @notice How a sent transfer ended. `Unsettled` also of what was never sent.
enum TransferOutcome {
    Unsettled,
    Completed,
    Refused,
    TimedOut
}

/// @title What a contract may implement to learn how its transfers ended
interface ITransferSender {
    /// @notice Learns the end of a transfer that it has sent. Must accept calls from Transfer only.
    /// @dev Called with exactly 150 000 gas, after a refund was paid or held; a revert is recorded in an event and changes
    /// nothing. Calling Transfer or sending inside it is refused. `outcomeOf` says the same at any later time.
    /// @param clientId of the packet, on the sender's router
    /// @param sequence as `sendTransfer` or `sendForwarded` returned it
    /// @param outcome Completed, Refused or TimedOut; after the last two the tokens are back, or held for the sender
    function onTransferSettled(string calldata clientId, uint64 sequence, TransferOutcome outcome) external;
}

/// @title Transfer: ERC-20 tokens between chains (ICS-20 v2)
/// @dev A packet is named by this router's client and its sequence there, in every event.
interface ITransfer {
    /// @notice Tokens left: escrowed here, or vouchers burnt.
    /// @param nextClient hub's client of the destination; empty unless forwarded
    /// @param timeoutTimestamp of the last leg
    event TransferSent(
        string clientId,
        uint64 indexed sequence,
        address indexed sender,
        address indexed token,
        string denom,
        uint256 amount,
        string receiver,
        string nextClient,
        uint64 timeoutTimestamp
    );
    /// @notice Tokens arrived and were paid, or are held (`TransferHeld` of the same packet).
    /// @param denom what this chain calls the token: its address, or the voucher's trace
    event TransferReceived(
        string clientId,
        uint64 indexed sequence,
        address indexed receiver,
        address indexed token,
        string denom,
        uint256 amount,
        string sender
    );
    /// @notice The other side has taken the tokens over.
    event TransferCompleted(string clientId, uint64 indexed sequence, address indexed sender);
    /// @notice The transfer failed and the sender has the tokens again, or can claim them (`TransferHeld` of the same packet).
    /// @param timedOut false: by the error acknowledgement
    event TransferRefunded(
        string clientId,
        uint64 indexed sequence,
        address indexed sender,
        address indexed token,
        uint256 amount,
        bool timedOut
    );
    /// @notice The sender's `onTransferSettled` reverted. At most 896 bytes of reason.
    event SettlementCallbackFailed(string clientId, uint64 indexed sequence, address indexed sender, bytes reason);
    /// @notice The amount is kept for its owner.
    /// @param refund false: a large receive that waits; true: a refund that could not be paid
    /// @param reason what the token said to the payment, at most 896 bytes
    event TransferHeld(
        bytes32 indexed heldId,
        bool refund,
        string clientId,
        uint64 sequence,
        address owner,
        address token,
        uint256 amount,
        uint64 releasableAt,
        bytes reason
    );
    /// @notice A held amount was paid.
    event TransferReleased(bytes32 indexed heldId, address indexed to, address indexed token, uint256 amount);
    /// @notice A large receive that waited was taken back: into escrow, or burnt.
    event TransferCancelled(bytes32 indexed heldId, address indexed owner, address indexed token, uint256 amount);
    /// @notice The first token of this trace arrived.
    event VoucherCreated(address indexed voucher, string denom);
    /// @notice A voucher got the name that wallets show.
    event VoucherDescribed(address indexed voucher, string name, string symbol, uint8 decimals);
    /// @notice The client of the hub was set; empty if forwarding is off.
    event HubClientSet(string clientId);
    /// @notice What may move of a token over a client was set.
    event ClientLimitSet(string clientId, address indexed token, Limit limit);
    /// @notice What may move of each token of an origin was set.
    event OriginLimitSet(string trace, Limit limit);

    /// @notice Only the router calls the packet callbacks.
    error OnlyRouter(address caller);
    /// @notice Only this contract calls itself.
    error OnlySelf(address caller);
    /// @notice No contract is at the address, or one of the bridge's own.
    error NotAToken(address token);
    /// @notice Amounts start at 1.
    error ZeroAmount();
    /// @notice A balance did not change by the amount: the token takes fees or is rebased.
    error BalanceMismatch(address token, uint256 expected, uint256 actual);
    /// @notice The client would bring home more than it was sent.
    error EscrowExceeded(string clientId, address token, uint256 escrowed, uint256 amount);
    /// @notice The trace comes home to here, and no such token was sent.
    error UnknownToken(string denom);
    /// @notice Not a denomination of at most 16 hops and 1024 characters.
    error InvalidDenom(string denom);
    /// @notice The payload has other ports, version or encoding than ICS-20 v2 in ABI.
    error UnsupportedPayload(string sourcePort, string destPort, string version, string encoding);
    /// @notice A text is empty, too long, or has characters that it must not have.
    error InvalidText(string field, uint256 length, uint256 maxLength);
    /// @notice Not an address in hex, or one where the tokens would be lost: zero, the token, a contract of the bridge.
    error InvalidReceiver(string receiver);
    /// @notice Forwarding goes over the configured hub client only.
    error NotHubClient(string clientId);
    /// @notice Not an identifier of the hub's.
    error InvalidNextClient(string clientId);
    /// @notice The timeout leaves no time for the first leg, or is more than 24 hours ahead.
    error InvalidTimeout(uint64 timeoutTimestamp, uint256 minimum, uint256 maximum);
    /// @notice The window has no room for the amount.
    /// @param scope the client, or the origin's trace
    error LimitExceeded(string scope, address token, uint256 room, uint256 amount);
    /// @notice The delay is longer than 7 days, or a limit has no window.
    error InvalidLimit(string field, uint256 value, uint256 maximum);
    /// @notice Nothing is held under this id.
    error NothingHeld(bytes32 heldId);
    /// @notice The amount still waits.
    error StillHeld(bytes32 heldId, uint64 releasableAt);
    /// @notice Only the owner says where a held amount goes.
    error OnlyOwner(address owner, address caller);
    /// @notice The gas left cannot give the refund, or the sender's callback, its fixed gas.
    error InsufficientSettlementGas(uint256 available, uint256 needed);
    /// @notice A voucher is described once.
    error AlreadyDescribed(address voucher);

    /// @notice Sends tokens over a client: to the chain behind it, or to the hub itself.
    /// @dev An ERC-20 of this chain is escrowed and needs an allowance; a voucher that goes home is burnt and needs none.
    /// @param sourceClient this router's client
    /// @param token ERC-20 or voucher
    /// @param amount in the token's smallest unit
    /// @param receiver 1 to 2048 printable characters
    /// @param memo at most 32 768 bytes
    /// @param timeoutTimestamp Unix seconds of the other chain, at most 24 h ahead
    /// @return sequence of the packet on `sourceClient`
    function sendTransfer(
        string calldata sourceClient,
        address token,
        uint256 amount,
        string calldata receiver,
        string calldata memo,
        uint64 timeoutTimestamp
    )
        external
        returns (uint64 sequence);

    /// @notice Sends tokens over the hub to the chain behind the hub's client `nextClient`.
    /// @param hubClient this router's client of the hub
    /// @param nextClient the hub's client of the destination
    /// @param token ERC-20 or voucher
    /// @param amount in the token's smallest unit
    /// @param receiver 1 to 2048 printable characters without `"` and `\`
    /// @param timeoutTimestamp T2: Unix seconds of the destination chain, at most 24 h ahead. The first leg times out `FORWARD_MARGIN` earlier.
    /// @return sequence of the packet on `hubClient`
    function sendForwarded(
        string calldata hubClient,
        string calldata nextClient,
        address token,
        uint256 amount,
        string calldata receiver,
        uint64 timeoutTimestamp
    )
        external
        returns (uint64 sequence);

    /// @notice Pays a held amount to its owner. Anyone may call it once its time has come.
    /// @param heldId id
    function release(bytes32 heldId) external;

    /// @notice Pays a held amount to where its owner says. For the owner.
    /// @param heldId id
    /// @param to address that can take the token
    function releaseTo(bytes32 heldId, address to) external;

    /// @notice Takes a large receive back while it waits: the tokens return to the escrow, vouchers are burnt. Restricted.
    /// @dev For receives that a broken client let in; the remote side knows nothing of it.
    /// @param clientId this router's client
    /// @param sequence of the received packet
    function cancelHeld(string calldata clientId, uint64 sequence) external;

    /// @notice Sets this router's client of the hub. Restricted.
    /// @param clientId identifier; empty turns forwarding off
    function setHubClient(string calldata clientId) external;

    /// @notice Limits one token over one client. Restricted.
    /// @param clientId this router's client
    /// @param token ERC-20 or voucher (`voucherAddress` names it before it exists)
    /// @param limit windows begin anew
    function setClientLimit(string calldata clientId, address token, Limit calldata limit) external;

    /// @notice Limits each token of an origin, over all clients. Restricted.
    /// @param trace hops of a voucher's trace, e.g. `transfer/client-0/transfer/bft-evm-1`; empty for tokens of this chain
    /// @param limit windows begin anew
    function setOriginLimit(string calldata trace, Limit calldata limit) external;

    /// @notice Gives a voucher the name, symbol and decimals that wallets show, once. Restricted.
    /// @param denom the voucher's trace
    function describeVoucher(string calldata denom, string calldata name, string calldata symbol, uint8 decimals)
        external;

    /// @notice Stops sends, receives, settlements and releases. Restricted to pausers.
    /// @dev Nothing is refused meanwhile: a paused receive reverts whole and can be repeated. Timeouts keep running.
    function pause() external;

    /// @notice Ends the pause. Restricted to unpausers.
    function unpause() external;

    /// @notice This router's client of the hub.
    /// @return empty if forwarding is off
    function hubClientId() external view returns (string memory);

    /// @notice How a transfer ended.
    /// @param clientId of the packet, on this router
    /// @param sequence of the packet
    function outcomeOf(string calldata clientId, uint64 sequence) external view returns (TransferOutcome);

    /// @notice What a client was sent and has not brought home, of one token.
    function escrowOf(string calldata clientId, address token) external view returns (uint256);

    /// @notice What a token is called in packets.
    /// @return `0x…` of an ERC-20 of this chain, the trace of a voucher
    function denomOf(address token) external view returns (string memory);

    /// @notice Whether an address is a voucher of this contract.
    function isVoucher(address token) external view returns (bool);

    /// @notice Address of the voucher of a trace, whether or not it exists yet.
    function voucherAddress(string calldata denom) external view returns (address);

    /// @notice Name of a held amount.
    /// @param refund false: a receive that waits; true: a refund that could not be paid
    /// @param clientId this router's client
    /// @param sequence of the packet
    function heldId(bool refund, string calldata clientId, uint64 sequence) external pure returns (bytes32);

    /// @notice A held amount.
    function held(bytes32 id) external view returns (Held memory);

    /// @notice A limit and what its current window has used.
    function clientLimit(string calldata clientId, address token)
        external
        view
        returns (Limit memory limit, uint256 sent, uint256 received);

    /// @notice A limit and what its current window has used of one token.
    function originLimit(string calldata trace, address token)
        external
        view
        returns (Limit memory limit, uint256 sent, uint256 received);
}
