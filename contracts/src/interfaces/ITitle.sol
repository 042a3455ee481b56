// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TitleCounter, TitleDocument, TitleState } from "../types/Title.sol";

/// @title Title documents: exactly one live holder over all chains (docs/spec/titles.md)
interface ITitle {
    /// @notice An issuer made a title of its own.
    event TitleMinted(
        bytes32 indexed id, address indexed issuer, bytes32 indexed localId, address holder, bytes32 content
    );
    /// @notice The title has another holder on this chain.
    event TitleTransferred(bytes32 indexed id, address indexed from, address indexed to);
    /// @notice Until it is released, the title is neither sold, moved nor retired.
    event LienPlaced(bytes32 indexed id, address indexed lienHolder);
    /// @notice The lien holder let go.
    event LienReleased(bytes32 indexed id, address indexed lienHolder);
    /// @notice The holder named who else may advance the counters.
    event RecorderSet(bytes32 indexed id, address indexed recorder);
    /// @notice A counter went on.
    event CounterAdvanced(bytes32 indexed id, bytes32 indexed name, uint128 value, address indexed by);
    /// @notice The hub's client is another now.
    event HubClientSet(string clientId);
    /// @notice The title has ended for good.
    event TitleRetired(bytes32 indexed id, address indexed holder);
    /// @notice The title left and is live nowhere until it arrives or comes back. The sequence is of the route's client.
    event MoveSent(
        string route,
        uint64 indexed sequence,
        bytes32 indexed id,
        address indexed sender,
        string receiver,
        uint64 timeoutTimestamp
    );
    /// @notice The title arrived and is live here. The sequence is the first packet's.
    event TitleReceived(
        string route, uint64 indexed sequence, bytes32 indexed id, address indexed holder, string sender
    );
    /// @notice The other chain has taken the title over.
    event MoveCompleted(string route, uint64 indexed sequence, bytes32 indexed id);
    /// @notice The move was refused or timed out; the title is live here again, with its sender.
    event MoveUndone(
        string route, uint64 indexed sequence, bytes32 indexed id, address indexed holder, bool timedOut
    );
    /// @notice How many titles of elsewhere than there may be in the custody of a route.
    event CustodyLimitSet(string route, uint64 limit);

    /// @notice Only the router calls this.
    error OnlyRouter(address caller);
    /// @notice The title is not live here, so nothing can be done with it here.
    error NotLive(bytes32 id, TitleState state);
    /// @notice Only the holder may do this.
    error OnlyHolder(bytes32 id, address holder, address caller);
    /// @notice Only the lien holder may do this; zero if there is no lien.
    error OnlyLienHolder(bytes32 id, address lienHolder, address caller);
    /// @notice Only holder and recorder may advance counters.
    error OnlyRecorder(bytes32 id, address recorder, address caller);
    /// @notice The lien holder must release the title first.
    error UnderLien(bytes32 id, address lienHolder);
    /// @notice The title is known here in a state in which it cannot be made or taken in again.
    error TitleExists(bytes32 id, TitleState state);
    /// @notice Nobody was sent this title by this route, or it has returned already.
    error NotInCustody(string route, bytes32 id);
    /// @notice Counters go one way only, and nothing else of a title changes.
    error CounterWentBack(bytes32 id, bytes32 name);
    /// @notice The title has no such counter.
    error UnknownCounter(bytes32 id, bytes32 name);
    /// @notice A trace of this length in bytes is not routes with `/` between, or has too many.
    error InvalidTrace(uint256 length);
    /// @notice Counters are too many, not in order of name, or not encoded in their one form.
    error InvalidCounters();
    /// @notice A title's content never changes.
    error ContentChanged(bytes32 id, bytes32 expected, bytes32 got);
    /// @notice No title can be held by this account: zero, or a contract of the bridge.
    error InvalidHolder(string account);
    /// @notice A text is empty, too long or not printable.
    error InvalidText(string field, uint256 length, uint256 maxLength);
    /// @notice Only the configured hub client forwards.
    error NotHubClient(string clientId);
    /// @notice No client identifier of a hub.
    error InvalidNextClient(string clientId);
    /// @notice A forwarded move ends between the margin of its first packet and a day.
    error InvalidTimeout(uint64 timeoutTimestamp, uint256 minimum, uint256 maximum);
    /// @notice The packet is not of this port.
    error UnsupportedPayload(string sourcePort, string destPort, string version, string encoding);
    /// @notice As many titles as may be are in the custody of this route.
    error CustodyFull(string route, uint64 limit);

    /// @notice Makes a title in the caller's own name. Nobody else can make it, and it can never be made again.
    /// @param localId the caller's name for it
    /// @param holder its first holder
    /// @param content hash of the document
    /// @param counters at most 8, in order of name
    /// @return id its name on this chain
    function mint(bytes32 localId, address holder, bytes32 content, TitleCounter[] calldata counters)
        external
        returns (bytes32 id);
    /// @notice Gives the title to another holder on this chain. Refused under a lien.
    function transfer(bytes32 id, address to) external;
    /// @notice The holder pledges the title: one lien at a time.
    function pledge(bytes32 id, address lienHolder) external;
    /// @notice The lien holder lets go.
    function releaseLien(bytes32 id) external;
    /// @notice The holder names who else may advance the counters, or nobody (zero). Ends with the holder's title.
    function setRecorder(bytes32 id, address recorder) external;
    /// @notice Brings a counter to a further value: greater, or smaller if it is falling. The same value is refused.
    function advance(bytes32 id, bytes32 name, uint128 value) external;
    /// @notice Ends the title for good. Refused under a lien.
    function retire(bytes32 id) external;
    /// @notice Sends the title to another chain. Refused under a lien.
    /// @param sourceClient client of the other chain
    /// @param id the title's name on this chain
    /// @param receiver who shall hold it there, in that chain's form
    /// @param timeoutTimestamp Unix seconds of the other chain, at most a day ahead
    /// @return sequence of the packet
    function move(string calldata sourceClient, bytes32 id, string calldata receiver, uint64 timeoutTimestamp)
        external
        returns (uint64 sequence);

    /// @notice Sends the title over the hub to another chain. Refused under a lien.
    /// @param hubClient the configured client of the hub
    /// @param nextClient the hub's client of the other chain
    /// @param id the title's name on this chain
    /// @param receiver who shall hold it there, in that chain's form
    /// @param timeoutTimestamp of the second packet, Unix seconds, at most a day ahead
    /// @return sequence of the first packet
    function moveForwarded(
        string calldata hubClient,
        string calldata nextClient,
        bytes32 id,
        string calldata receiver,
        uint64 timeoutTimestamp
    )
        external
        returns (uint64 sequence);

    /// @notice Names the client whose forwarder may bring titles of the chains that the hub joins; empty for none.
    function setHubClient(string calldata clientId) external;
    /// @notice Bounds how many titles may be in the custody of a route; zero shuts. Titles that are there stay.
    function setCustodyLimit(string calldata route, uint64 limit) external;
    /// @notice Stops moves, their arrival and their settlement.
    function pause() external;
    /// @notice Ends the pause.
    function unpause() external;

    /// @notice What this chain knows of a title.
    function titleOf(bytes32 id) external view returns (TitleDocument memory);
    /// @notice The holder; reverts unless the title is live here.
    function holderOf(bytes32 id) external view returns (address);
    /// @notice Whether the title is leaving or away over a client that is frozen or expired, and which: until that client
    /// is recovered it comes back by nothing, and is never made anew.
    function stuckAt(bytes32 id) external view returns (bool stuck, string memory clientId);
    /// @notice How many titles are in the custody of a route, and how many may be.
    function custodyOf(string calldata route) external view returns (uint64 count, uint64 limit);
    /// @notice The client whose forwarder is believed; empty for none.
    function hubClientId() external view returns (string memory);
    /// @notice A title's name on this chain: hash of the routes that it came by, its issuer and its local name.
    function idOf(string calldata trace, string calldata issuer, bytes32 localId) external pure returns (bytes32);
}
