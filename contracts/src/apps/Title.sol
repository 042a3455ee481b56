// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { IClientRegistry } from "../interfaces/IClientRegistry.sol";
import { IIBCApp } from "../interfaces/IIBCApp.sol";
import { IClientStatus } from "../interfaces/ILightClient.sol";
import { IRouter } from "../interfaces/IRouter.sol";
import { ITitle } from "../interfaces/ITitle.sol";
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
import { TitleCounter, TitleDocument, TitleState } from "../types/Title.sol";

/// @title Title documents between chains (docs/spec/titles.md)
/// @notice Owns the port `title`. A title that leaves is in the custody of the route that it was sent by, and by that route
/// alone can it come home. Nobody has power over a title but its holder, and its lien holder to keep it where it is.
contract Title is ITitle, IIBCApp, AccessManaged, Pausable {
    using Identifiers for string;
    using Titles for string;

    uint256 private constant MAX_TIMEOUT_DURATION = 1 days;

    /// @notice The router whose port `title` this is.
    IRouter public immutable ROUTER;
    /// @notice Seconds that the first leg of a forwarded move times out before the second.
    uint64 public immutable FORWARD_MARGIN;

    /// @dev `limited`: whether `limit` counts.
    struct Custody {
        uint64 count;
        uint64 limit;
        bool limited;
    }

    /// @dev What a packet of ours carried. `pending`: the title still leaves with it.
    struct Sent {
        bytes32 id;
        string route;
        address sender;
        bool pending;
    }

    mapping(bytes32 id => TitleDocument document) private _titles;
    mapping(string route => Custody custody) private _custody;
    string private _hubClientId;

    modifier onlyRouter() {
        require(msg.sender == address(ROUTER), OnlyRouter(msg.sender));
        _;
    }

    /// @param router router on which `title` will be given to this contract
    /// @param authority AccessManager that answers who may limit and pause
    /// @param forwardMargin seconds between the timeouts of both legs: 600, on development chains 5
    constructor(IRouter router, address authority, uint64 forwardMargin) AccessManaged(authority) {
        ROUTER = router;
        FORWARD_MARGIN = forwardMargin;
    }

    /// @inheritdoc ITitle
    function mint(bytes32 localId, address holder, bytes32 content, TitleCounter[] calldata counters)
        external
        returns (bytes32 id)
    {
        Titles.checkCounters(counters);
        string memory issuer = Identifiers.toHex(msg.sender);
        id = Titles.idOf("", issuer, localId);
        TitleDocument storage title = _titles[id];
        require(title.state == TitleState.None, TitleExists(id, title.state));
        _create(title, "", issuer, localId, content, counters);
        _checkHolder(holder);
        _giveTo(title, holder);
        emit TitleMinted(id, msg.sender, localId, holder, content);
    }

    /// @inheritdoc ITitle
    function transfer(bytes32 id, address to) external {
        TitleDocument storage title = _ownFree(id);
        _checkHolder(to);
        _giveTo(title, to);
        emit TitleTransferred(id, msg.sender, to);
    }

    /// @inheritdoc ITitle
    function pledge(bytes32 id, address lienHolder) external {
        TitleDocument storage title = _ownFree(id);
        require(lienHolder != address(0), InvalidHolder(Identifiers.toHex(lienHolder)));
        title.lienHolder = lienHolder;
        emit LienPlaced(id, lienHolder);
    }

    /// @inheritdoc ITitle
    function releaseLien(bytes32 id) external {
        TitleDocument storage title = _titles[id];
        require(
            title.lienHolder == msg.sender && msg.sender != address(0), OnlyLienHolder(id, title.lienHolder, msg.sender)
        );
        title.lienHolder = address(0);
        emit LienReleased(id, msg.sender);
    }

    /// @inheritdoc ITitle
    function setRecorder(bytes32 id, address recorder) external {
        _own(id).recorder = recorder;
        emit RecorderSet(id, recorder);
    }

    /// @inheritdoc ITitle
    function advance(bytes32 id, bytes32 name, uint128 value) external {
        TitleDocument storage title = _live(id);
        require(
            msg.sender == title.holder || msg.sender == title.recorder, OnlyRecorder(id, title.recorder, msg.sender)
        );
        uint256 count = title.counters.length;
        for (uint256 i = 0; i < count; ++i) {
            TitleCounter storage counter = title.counters[i];
            if (counter.name != name) continue;
            require(counter.falling ? value < counter.value : value > counter.value, CounterWentBack(id, name));
            counter.value = value;
            emit CounterAdvanced(id, name, value, msg.sender);
            return;
        }
        revert UnknownCounter(id, name);
    }

    /// @inheritdoc ITitle
    function retire(bytes32 id) external {
        TitleDocument storage title = _ownFree(id);
        title.state = TitleState.Retired;
        title.recorder = address(0);
        emit TitleRetired(id, msg.sender);
    }

    /// @inheritdoc ITitle
    function move(string calldata sourceClient, bytes32 id, string calldata receiver, uint64 timeoutTimestamp)
        external
        whenNotPaused
        returns (uint64 sequence)
    {
        bytes memory value = _leave(id, sourceClient, receiver);
        sequence = ROUTER.sendPacket(
            MsgSendPacket({
                sourceClient: sourceClient,
                timeoutTimestamp: timeoutTimestamp,
                payload: Payload(Titles.PORT, Titles.PORT, Titles.VERSION, Titles.ENCODING, value)
            })
        );
        _titles[id].sequence = sequence;
        emit MoveSent(sourceClient, sequence, id, msg.sender, receiver, timeoutTimestamp);
    }

    /// @inheritdoc ITitle
    function moveForwarded(
        string calldata hubClient,
        string calldata nextClient,
        bytes32 id,
        string calldata receiver,
        uint64 timeoutTimestamp
    )
        external
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
        string memory route = Titles.forwardedRoute(hubClient, nextClient);
        bytes memory value = Forward.encode(
            Forward.Request({
                nextClient: nextClient,
                destinationPort: Titles.PORT,
                version: Titles.VERSION,
                encoding: Titles.ENCODING,
                timeoutTimestamp: timeoutTimestamp,
                value: _leave(id, route, receiver)
            })
        );
        sequence = ROUTER.sendPacket(
            MsgSendPacket({
                sourceClient: hubClient,
                timeoutTimestamp: timeoutTimestamp - FORWARD_MARGIN,
                payload: Payload(Titles.PORT, Forward.PORT, Forward.VERSION, Titles.ENCODING, value)
            })
        );
        _titles[id].sequence = sequence;
        emit MoveSent(route, sequence, id, msg.sender, receiver, timeoutTimestamp);
    }

    /// @inheritdoc IIBCApp
    function onRecvPacket(OnRecvPacketCallback calldata msg_) external onlyRouter returns (bytes memory) {
        // not the packet's fault, so no refusal: without a reason the router reverts the whole receive, which can be repeated
        if (paused()) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        Payload calldata payload = msg_.payload;
        if (payload.version.equal(Forward.VERSION)) return _receiveForwarded(msg_.destinationClient, payload);
        _checkPayload(payload.sourcePort, payload.destPort, payload.version, payload.encoding);
        return _receive(msg_.destinationClient, msg_.sequence, payload.value);
    }

    /// @inheritdoc IIBCApp
    function onAcknowledgementPacket(OnAcknowledgementPacketCallback calldata msg_) external onlyRouter whenNotPaused {
        if (keccak256(msg_.acknowledgement) == keccak256(abi.encodePacked(Ics24Host.ERROR_ACKNOWLEDGEMENT))) {
            _undo(msg_.sourceClient, msg_.sequence, msg_.payload, false);
            return;
        }
        // v2 has one failure, and this is not it: whatever else the other side wrote, it has taken the title over
        Sent memory sent = _sentBy(msg_.sourceClient, msg_.sequence, msg_.payload);
        if (sent.pending) {
            TitleDocument storage title = _titles[sent.id];
            title.sequence = 0;
            title.state = title.trace.startsWithHop(sent.route) ? TitleState.Returned : TitleState.Away;
        }
        emit MoveCompleted(sent.route, msg_.sequence, sent.id);
    }

    /// @inheritdoc IIBCApp
    function onTimeoutPacket(OnTimeoutPacketCallback calldata msg_) external onlyRouter whenNotPaused {
        _undo(msg_.sourceClient, msg_.sequence, msg_.payload, true);
    }

    /// @inheritdoc ITitle
    function setHubClient(string calldata clientId) external restricted {
        _hubClientId = clientId;
        emit HubClientSet(clientId);
    }

    /// @inheritdoc ITitle
    function setCustodyLimit(string calldata route, uint64 limit) external restricted {
        Custody storage custody = _custody[route];
        (custody.limit, custody.limited) = (limit, true);
        emit CustodyLimitSet(route, limit);
    }

    /// @inheritdoc ITitle
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc ITitle
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc ITitle
    function titleOf(bytes32 id) external view returns (TitleDocument memory) {
        return _titles[id];
    }

    /// @inheritdoc ITitle
    function holderOf(bytes32 id) external view returns (address) {
        return _live(id).holder;
    }

    /// @inheritdoc ITitle
    function stuckAt(bytes32 id) external view returns (bool stuck, string memory clientId) {
        TitleDocument storage title = _titles[id];
        clientId = Titles.clientOf(title.route);
        if (title.state != TitleState.Leaving && title.state != TitleState.Away) return (false, clientId);
        stuck = IClientStatus(address(IClientRegistry(address(ROUTER)).getClient(clientId))).status() != ClientStatus.Active;
    }

    /// @inheritdoc ITitle
    function custodyOf(string calldata route) external view returns (uint64 count, uint64 limit) {
        Custody storage custody = _custody[route];
        return (custody.count, custody.limited ? custody.limit : type(uint64).max);
    }

    /// @inheritdoc ITitle
    function hubClientId() external view returns (string memory) {
        return _hubClientId;
    }

    /// @inheritdoc ITitle
    function idOf(string calldata trace, string calldata issuer, bytes32 localId) external pure returns (bytes32) {
        return Titles.idOf(trace, issuer, localId);
    }

    /// @dev Takes a title out of life here and gives the value of the packet that carries it.
    function _leave(bytes32 id, string memory route, string calldata receiver) private returns (bytes memory) {
        TitleDocument storage title = _ownFree(id);
        _checkText("receiver", receiver);
        string memory trace = title.trace;
        bool home = trace.startsWithHop(route);
        if (home) trace = trace.withoutHop(route);
        else _takeIntoCustody(route);
        title.state = TitleState.Leaving;
        title.holder = address(0);
        title.recorder = address(0);
        title.route = route;
        return abi.encode(
            Titles.PacketData({
                home: home,
                trace: trace,
                issuer: title.issuer,
                localId: title.localId,
                content: title.content,
                sender: Identifiers.toHex(msg.sender),
                receiver: receiver,
                counters: Titles.packCounters(title.counters)
            })
        );
    }

    /// @dev The stamp names the origin; it was written by the hub, outside of all bytes that the sender controls.
    function _receiveForwarded(string calldata localClient, Payload calldata payload) private returns (bytes memory) {
        require(bytes(_hubClientId).length != 0 && localClient.equal(_hubClientId), NotHubClient(localClient));
        require(
            payload.sourcePort.equal(Forward.PORT) && payload.encoding.equal(Titles.ENCODING),
            UnsupportedPayload(payload.sourcePort, payload.destPort, payload.version, payload.encoding)
        );
        (Forward.Stamp memory stamp, string calldata version, string calldata encoding, bytes calldata value) =
            Forward.decodeStamped(payload.value);
        require(
            stamp.destinationPort.equal(Forward.PORT) && Identifiers.isClientId(stamp.clientId),
            UnsupportedPayload(stamp.sourcePort, stamp.destinationPort, version, encoding)
        );
        _checkPayload(stamp.sourcePort, payload.destPort, version, encoding);
        return _receive(Titles.forwardedRoute(localClient, stamp.clientId), stamp.sequence, value);
    }

    function _receive(string memory route, uint64 sequence, bytes calldata value) private returns (bytes memory) {
        Titles.PacketData memory data = Titles.decode(value);
        _checkText("issuer", data.issuer);
        _checkText("sender", data.sender);
        (bool isAddress, address holder) = data.receiver.parseAddress();
        require(isAddress, InvalidHolder(data.receiver));
        _checkHolder(holder);
        bytes32 id = _arrive(route, data);
        _giveTo(_titles[id], holder);
        emit TitleReceived(route, sequence, id, holder, data.sender);
        return Titles.SUCCESS;
    }

    /// @dev Checks that the title may be live here from now on, and brings what is known of it up to date.
    function _arrive(string memory route, Titles.PacketData memory data) private returns (bytes32 id) {
        Titles.checkTrace(data.trace);
        TitleCounter[] memory counters = Titles.unpackCounters(data.counters);
        string memory trace = data.home ? data.trace : data.trace.withHop(route);
        id = Titles.idOf(trace, data.issuer, data.localId);
        TitleDocument storage title = _titles[id];
        TitleState state = title.state;
        if (data.home) {
            // what left by this route into custody, and not what had come by it and is on its way back
            require(
                (state == TitleState.Leaving || state == TitleState.Away) && title.route.equal(route)
                    && !trace.startsWithHop(route),
                NotInCustody(route, id)
            );
            _custody[route].count -= 1;
        } else if (state == TitleState.None) {
            Titles.checkTrace(trace);
            _create(title, trace, data.issuer, data.localId, data.content, counters);
            return id;
        } else {
            // a chain that sends the title again has it again, so a return that is not settled yet has arrived there
            require(
                state == TitleState.Returned || (state == TitleState.Leaving && title.route.equal(route)),
                TitleExists(id, state)
            );
        }
        _goOn(id, title, data.content, counters);
    }

    function _goOn(bytes32 id, TitleDocument storage title, bytes32 content, TitleCounter[] memory counters) private {
        require(title.content == content, ContentChanged(id, title.content, content));
        require(title.counters.length == counters.length, InvalidCounters());
        for (uint256 i = 0; i < counters.length; ++i) {
            require(Titles.hasGoneOn(title.counters[i], counters[i]), CounterWentBack(id, counters[i].name));
            title.counters[i].value = counters[i].value;
        }
    }

    function _create(
        TitleDocument storage title,
        string memory trace,
        string memory issuer,
        bytes32 localId,
        bytes32 content,
        TitleCounter[] memory counters
    )
        private
    {
        title.trace = trace;
        title.issuer = issuer;
        title.localId = localId;
        title.content = content;
        for (uint256 i = 0; i < counters.length; ++i) {
            title.counters.push(counters[i]);
        }
    }

    /// @dev The commitment is gone: this happens once.
    function _undo(string calldata sourceClient, uint64 sequence, Payload calldata payload, bool timedOut) private {
        Sent memory sent = _sentBy(sourceClient, sequence, payload);
        // the title has come back by a later packet: to give it back as well would make a second holder
        if (!sent.pending) return;
        TitleDocument storage title = _titles[sent.id];
        if (!title.trace.startsWithHop(sent.route)) _custody[sent.route].count -= 1;
        _giveTo(title, sent.sender);
        emit MoveUndone(sent.route, sequence, sent.id, sent.sender, timedOut);
    }

    /// @dev The packet is our own, so its encoding is known to be right.
    function _sentBy(string calldata sourceClient, uint64 sequence, Payload calldata payload)
        private
        view
        returns (Sent memory sent)
    {
        bytes memory value = payload.value;
        sent.route = sourceClient;
        if (payload.version.equal(Forward.VERSION)) {
            Forward.Request memory request = abi.decode(value, (Forward.Request));
            sent.route = Titles.forwardedRoute(sourceClient, request.nextClient);
            value = request.value;
        }
        Titles.PacketData memory data = abi.decode(value, (Titles.PacketData));
        string memory trace = data.home ? data.trace.withHop(sent.route) : data.trace;
        sent.id = Titles.idOf(trace, data.issuer, data.localId);
        TitleDocument storage title = _titles[sent.id];
        sent.pending =
            title.state == TitleState.Leaving && title.sequence == sequence && title.route.equal(sent.route);
        (, sent.sender) = data.sender.parseAddress();
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
        // without its source port, anyone who owns any port on the other chain could bring home what this port sent
        require(
            sourcePort.equal(Titles.PORT) && destPort.equal(Titles.PORT) && version.equal(Titles.VERSION)
                && encoding.equal(Titles.ENCODING),
            UnsupportedPayload(sourcePort, destPort, version, encoding)
        );
    }

    /// @dev What comes back goes to whoever sent it, whatever that account has become since.
    function _giveTo(TitleDocument storage title, address holder) private {
        title.state = TitleState.Live;
        title.holder = holder;
        title.recorder = address(0);
        if (title.sequence != 0) title.sequence = 0;
        if (bytes(title.route).length != 0) title.route = "";
    }

    function _checkHolder(address holder) private view {
        require(
            holder != address(0) && holder != address(this) && !ROUTER.isSystemContract(holder),
            InvalidHolder(Identifiers.toHex(holder))
        );
    }

    function _takeIntoCustody(string memory route) private {
        Custody storage custody = _custody[route];
        require(!custody.limited || custody.count < custody.limit, CustodyFull(route, custody.limit));
        custody.count += 1;
    }

    function _live(bytes32 id) private view returns (TitleDocument storage title) {
        title = _titles[id];
        require(title.state == TitleState.Live, NotLive(id, title.state));
    }

    function _own(bytes32 id) private view returns (TitleDocument storage title) {
        title = _live(id);
        require(title.holder == msg.sender, OnlyHolder(id, title.holder, msg.sender));
    }

    function _ownFree(bytes32 id) private view returns (TitleDocument storage title) {
        title = _own(id);
        require(title.lienHolder == address(0), UnderLien(id, title.lienHolder));
    }

    function _checkText(string memory field, string memory text) private pure {
        require(
            Identifiers.isPlainText(text, Titles.MAX_TEXT_LENGTH),
            InvalidText(field, bytes(text).length, Titles.MAX_TEXT_LENGTH)
        );
    }
}
