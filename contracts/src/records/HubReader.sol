// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IClientRegistry } from "../interfaces/IClientRegistry.sol";
import { IHubClient } from "../interfaces/IHubClient.sol";
import { IHubReader } from "../interfaces/IHubReader.sol";
import { IClientStatus } from "../interfaces/ILightClient.sol";
import { Observations } from "../libraries/Observations.sol";
import { SmtMultiproof } from "../libraries/SmtMultiproof.sol";
import { ClientStatus, Height } from "../types/Client.sol";
import { Answer, EpochRecord, Presence, Record, RecordProof } from "../types/Record.sol";

/// @title Reader of the hub's records through one HubClient of one router
/// @notice Nobody has rights here. The client is asked for, and its status too, at each call, also for what is kept; what was
/// kept under a client that was migrated away is never read again, since a router takes no client twice.
contract HubReader is IHubReader {
    uint256 private constant NANOS = 1_000_000_000;
    /// @dev Seconds by which clocks of three chains may differ: a time ahead by no more counts as now.
    uint256 private constant MAX_CLOCK_DRIFT = 60;
    uint256 private constant MAX_KEPT_BYTES = 8229;
    uint8 private constant MAX_THRESHOLD = 64;
    uint8 private constant PROVEN_ALONE = 255;

    /// @dev A root of the hub, whose client it is, and when it was.
    struct Root {
        address client;
        bytes32 hash;
        uint64 height;
        uint64 time;
    }

    /// @dev What is asked of a record.
    struct Terms {
        uint64 maxAge;
        uint8 minTrust;
    }

    /// @dev An epoch that was shown, with the hash of its client's identifier.
    struct ShownEpoch {
        bytes32 clientIdHash;
        uint64 number;
        bool readable;
    }

    /// @dev `height` 0: none is kept.
    struct KeptEpoch {
        uint64 height;
        uint64 number;
        bool readable;
    }

    /// @dev Two words of storage; the value's follow elsewhere. `epoch` 0: not an observation, or nothing is written there.
    struct Kept {
        uint64 height;
        uint64 headerTime;
        uint64 epoch;
        uint16 length;
        Presence presence;
        uint8 threshold;
        uint8 attestors;
        uint64 sourceTime;
        uint64 sourceRevision;
        uint64 sourceHeight;
    }

    /// @dev Two lists of claims, a path and a value hash each, that become one.
    struct Merge {
        bytes32[] records;
        bytes32[] claims;
        uint256 next;
        uint256 place;
    }

    IClientRegistry private immutable ROUTER;
    /// @dev An identifier has at most 64 bytes: two words that cost no storage.
    uint256 private immutable CLIENT_ID_LENGTH;
    bytes32 private immutable CLIENT_ID_HEAD;
    bytes32 private immutable CLIENT_ID_TAIL;
    mapping(address client => mapping(bytes32 clientIdHash => KeptEpoch epoch)) private _epochs;
    mapping(address client => mapping(bytes32 keyHash => Kept kept)) private _kept;
    mapping(address client => mapping(bytes32 keyHash => mapping(uint256 index => bytes32 word))) private _words;

    /// @param router_ router of this chain
    /// @param clientId_ its client of the hub, a HubClient
    constructor(IClientRegistry router_, string memory clientId_) {
        address client = address(router_.getClient(clientId_));
        require(
            keccak256(bytes(IClientStatus(client).clientType())) == keccak256("07-tendermint"), NotAHubClient(client)
        );
        ROUTER = router_;
        bytes memory id = abi.encodePacked(clientId_, bytes32(0), bytes32(0));
        (CLIENT_ID_LENGTH, CLIENT_ID_HEAD, CLIENT_ID_TAIL) = (bytes(clientId_).length, bytes32(id), _second(id));
    }

    /// @inheritdoc IHubReader
    function read(
        bytes calldata key,
        bytes calldata value,
        RecordProof calldata proof,
        Height calldata height,
        uint64 maxAge,
        uint8 minTrust
    )
        external
        view
        returns (Answer memory answer)
    {
        Terms memory terms = _terms(maxAge, minTrust);
        Root memory root = _root(height);
        bytes32[] memory claims = new bytes32[](2);
        _put(claims, 0, key, value);
        ShownEpoch[] memory epochs = _verify(root, claims, proof);
        _judge(key, value, epochs, root, terms, answer);
    }

    /// @inheritdoc IHubReader
    function readMany(
        Record[] calldata records,
        RecordProof calldata proof,
        Height calldata height,
        uint64 maxAge,
        uint8 minTrust
    )
        external
        view
        returns (Answer[] memory answers)
    {
        Terms memory terms = _terms(maxAge, minTrust);
        Root memory root = _root(height);
        ShownEpoch[] memory epochs = _verifyMany(root, records, proof);
        answers = new Answer[](records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            Record calldata record = records[i];
            _judge(record.key, record.value, epochs, root, terms, answers[i]);
        }
    }

    /// @inheritdoc IHubReader
    function keep(Record[] calldata records, RecordProof calldata proof, Height calldata height) external {
        Root memory root = _root(height);
        ShownEpoch[] memory epochs = _verifyMany(root, records, proof);
        for (uint256 i = 0; i < epochs.length; ++i) {
            KeptEpoch storage known = _epochs[root.client][epochs[i].clientIdHash];
            if (known.height >= root.height) continue;
            _epochs[root.client][epochs[i].clientIdHash] =
                KeptEpoch(root.height, epochs[i].number, epochs[i].readable);
            emit EpochKept(proof.epochs[i].clientId, root.height, epochs[i].number, epochs[i].readable);
        }
        Terms memory terms = Terms(type(uint64).max, 0);
        for (uint256 i = 0; i < records.length; ++i) {
            bytes calldata key = records[i].key;
            bytes32 keyHash = keccak256(key);
            if (_kept[root.client][keyHash].height >= root.height) continue;
            Answer memory answer;
            uint64 epoch = _judge(key, records[i].value, epochs, root, terms, answer);
            _write(root, keyHash, answer, epoch);
            emit RecordKept(keyHash, root.height, key);
        }
    }

    /// @inheritdoc IHubReader
    function readCached(bytes calldata key, uint64 maxAge, uint8 minTrust) external view returns (Answer memory) {
        return _readKept(_activeClient(), key, _terms(maxAge, minTrust));
    }

    /// @inheritdoc IHubReader
    function readManyCached(
        bytes[] calldata keys,
        uint64 maxAge,
        uint8 minTrust
    )
        external
        view
        returns (Answer[] memory answers)
    {
        Terms memory terms = _terms(maxAge, minTrust);
        address client = _activeClient();
        answers = new Answer[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            answers[i] = _readKept(client, keys[i], terms);
        }
    }

    /// @inheritdoc IHubReader
    function keptEpoch(string calldata observedClient) external view returns (uint64, uint64, bool) {
        KeptEpoch memory epoch = _epochs[hubClient()][keccak256(bytes(observedClient))];
        return (epoch.height, epoch.number, epoch.readable);
    }

    /// @inheritdoc IHubReader
    function router() external view returns (address) {
        return address(ROUTER);
    }

    /// @inheritdoc IHubReader
    function clientId() public view returns (string memory id) {
        bytes32 head = CLIENT_ID_HEAD;
        bytes32 tail = CLIENT_ID_TAIL;
        uint256 length = CLIENT_ID_LENGTH;
        id = new string(64);
        assembly ("memory-safe") {
            mstore(id, length)
            mstore(add(id, 0x20), head)
            mstore(add(id, 0x40), tail)
        }
    }

    /// @inheritdoc IHubReader
    function hubClient() public view returns (address) {
        return address(ROUTER.getClient(clientId()));
    }

    function _write(Root memory root, bytes32 keyHash, Answer memory answer, uint64 epoch) private {
        bytes memory value = answer.value;
        require(value.length <= MAX_KEPT_BYTES, RecordTooLong(value.length, MAX_KEPT_BYTES));
        _kept[root.client][keyHash] = Kept({
            height: root.height,
            headerTime: answer.headerTime,
            epoch: epoch,
            length: uint16(value.length),
            presence: answer.presence,
            threshold: answer.threshold,
            attestors: answer.attestors,
            sourceTime: answer.sourceTime,
            sourceRevision: answer.sourceHeight.revisionNumber,
            sourceHeight: answer.sourceHeight.revisionHeight
        });
        mapping(uint256 => bytes32) storage words = _words[root.client][keyHash];
        for (uint256 i = 0; i < value.length; i += 32) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(value, 0x20), i))
            }
            words[i] = word;
        }
    }

    function _readKept(
        address client,
        bytes calldata key,
        Terms memory terms
    )
        private
        view
        returns (Answer memory answer)
    {
        bytes32 keyHash = keccak256(key);
        Kept memory kept = _kept[client][keyHash];
        require(kept.height != 0, NotKept(key));
        answer.presence = kept.presence;
        answer.headerTime = kept.headerTime;
        answer.threshold = kept.threshold;
        answer.attestors = kept.attestors;
        answer.sourceTime = kept.sourceTime;
        answer.sourceHeight = Height(kept.sourceRevision, kept.sourceHeight);
        bytes memory value = new bytes(kept.length);
        mapping(uint256 => bytes32) storage words = _words[client][keyHash];
        for (uint256 i = 0; i < value.length; i += 32) {
            bytes32 word = words[i];
            assembly ("memory-safe") {
                mstore(add(add(value, 0x20), i), word)
            }
        }
        answer.value = value;
        if (kept.epoch != 0) {
            (bytes calldata observed,) = Observations.parseKey(key);
            KeptEpoch memory current = _epochs[client][keccak256(observed)];
            _requireCurrent(observed, kept.epoch, current.number, current.readable);
        }
        _requireTerms(answer, kept.epoch != 0, terms);
    }

    /// @dev The root at a height, of a client that is active now.
    function _root(Height calldata height) private view returns (Root memory root) {
        root.client = _activeClient();
        IHubClient.ConsensusState memory state =
            IHubClient(root.client).getConsensusState(height.revisionNumber, height.revisionHeight);
        root.hash = state.root;
        root.height = height.revisionHeight;
        root.time = uint64(state.timestamp / NANOS);
    }

    function _activeClient() private view returns (address client) {
        client = hubClient();
        ClientStatus status = IClientStatus(client).status();
        require(status == ClientStatus.Active, HubClientNotActive(status));
    }

    function _verifyMany(
        Root memory root,
        Record[] calldata records,
        RecordProof calldata proof
    )
        private
        view
        returns (ShownEpoch[] memory)
    {
        bytes32[] memory claims = new bytes32[](2 * records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            Record calldata record = records[i];
            _put(claims, i, record.key, record.value);
        }
        return _verify(root, claims, proof);
    }

    /// @dev Records and epochs are claims of one proof, in the order of their hashes.
    function _verify(
        Root memory root,
        bytes32[] memory records,
        RecordProof calldata proof
    )
        private
        view
        returns (ShownEpoch[] memory epochs)
    {
        EpochRecord[] calldata shown = proof.epochs;
        uint256 count = shown.length;
        epochs = new ShownEpoch[](count);
        Merge memory merge = Merge(records, new bytes32[](records.length + 2 * count), 0, 0);
        for (uint256 i = 0; i < count; ++i) {
            _mergeEpoch(merge, root, shown[i], epochs[i]);
        }
        _mergeBelow(merge, bytes32(type(uint256).max));
        SmtMultiproof.verify(root.hash, merge.claims, proof.nodes);
    }

    /// @dev The next claims are the records whose paths are below the epoch's, then the epoch.
    function _mergeEpoch(
        Merge memory merge,
        Root memory root,
        EpochRecord calldata record,
        ShownEpoch memory epoch
    )
        private
        view
    {
        bytes calldata value = record.value;
        (bytes32 path, bytes32 clientIdHash) = Observations.epochPath(record.clientId);
        _mergeBelow(merge, path);
        _set(merge.claims, merge.place, path, Observations.hash(value));
        unchecked {
            merge.place += 2;
        }
        _fill(epoch, root, clientIdHash, value);
    }

    function _mergeBelow(Merge memory merge, bytes32 path) private pure {
        unchecked {
            bytes32[] memory records = merge.records;
            uint256 next = merge.next;
            uint256 place = merge.place;
            for (; next < records.length && _get(records, next) < path; next += 2) {
                _set(merge.claims, place, _get(records, next), _get(records, next + 1));
                place += 2;
            }
            (merge.next, merge.place) = (next, place);
        }
    }

    /// @dev The epoch that is shown, or a newer one that is kept: what is known to be revoked is not read under an old root.
    function _fill(
        ShownEpoch memory epoch,
        Root memory root,
        bytes32 clientIdHash,
        bytes calldata value
    )
        private
        view
    {
        epoch.clientIdHash = clientIdHash;
        (epoch.number, epoch.readable) = Observations.readEpoch(value);
        KeptEpoch memory known = _epochs[root.client][clientIdHash];
        if (known.height > root.height) (epoch.number, epoch.readable) = (known.number, known.readable);
    }

    /// @dev What a proven record says, if it may be read on these terms.
    /// @param answer empty, to be filled
    /// @return epoch of the observation; 0 where the record is not an observation
    function _judge(
        bytes calldata key,
        bytes calldata value,
        ShownEpoch[] memory epochs,
        Root memory root,
        Terms memory terms,
        Answer memory answer
    )
        private
        view
        returns (uint64 epoch)
    {
        answer.headerTime = root.time;
        (bytes calldata observed, bool ofEvm) = Observations.parseKey(key);
        if (value.length != 0 && observed.length != 0) {
            epoch = Observations.read(value, ofEvm, answer);
            (uint64 current, bool readable) = _epochOf(observed, epochs, root);
            _requireCurrent(observed, epoch, current, readable);
        } else if (value.length != 0) {
            answer.presence = Presence.Present;
            answer.value = value;
        }
        _requireTerms(answer, epoch != 0, terms);
    }

    /// @dev Shown under the root, or kept at this height or a later one: an epoch never falls, and one number has one state, so
    /// an observation of the later one is of the same epoch under this root.
    function _epochOf(
        bytes calldata observed,
        ShownEpoch[] memory epochs,
        Root memory root
    )
        private
        view
        returns (uint64 number, bool readable)
    {
        bytes32 clientIdHash = keccak256(observed);
        for (uint256 i = 0; i < epochs.length; ++i) {
            if (epochs[i].clientIdHash == clientIdHash) return (epochs[i].number, epochs[i].readable);
        }
        KeptEpoch memory known = _epochs[root.client][clientIdHash];
        require(known.height >= root.height, EpochNotProven(string(observed)));
        return (known.number, known.readable);
    }

    function _requireTerms(Answer memory answer, bool isObserved, Terms memory terms) private view {
        require(_isFresh(answer.headerTime, terms), StaleHeader(answer.headerTime, terms.maxAge, block.timestamp));
        if (!isObserved) return;
        require(_isFresh(answer.sourceTime, terms), StaleSource(answer.sourceTime, terms.maxAge, block.timestamp));
        uint8 threshold = answer.threshold;
        require(
            threshold == 0 || (terms.minTrust != PROVEN_ALONE && threshold >= terms.minTrust),
            TrustTooLow(threshold, terms.minTrust)
        );
    }

    function _isFresh(uint256 time, Terms memory terms) private view returns (bool) {
        uint256 limit = block.timestamp + MAX_CLOCK_DRIFT;
        require(time <= limit, FromFuture(time, limit));
        return block.timestamp < time + terms.maxAge;
    }

    function _requireCurrent(bytes calldata observed, uint64 epoch, uint64 current, bool readable) private pure {
        require(readable, ObservedClientClosed(string(observed), current));
        require(epoch == current, EpochRevoked(string(observed), epoch, current));
    }

    function _terms(uint64 maxAge, uint8 minTrust) private pure returns (Terms memory) {
        require(minTrust <= MAX_THRESHOLD || minTrust == PROVEN_ALONE, InvalidMinTrust(minTrust));
        return Terms(maxAge, minTrust);
    }

    /// @dev Puts path and value hash of a record where claim `index` has them.
    function _put(bytes32[] memory claims, uint256 index, bytes calldata key, bytes calldata value) private view {
        require(key.length != 0, MalformedRecord("key"));
        _set(claims, 2 * index, Observations.hash(key), value.length == 0 ? bytes32(0) : Observations.hash(value));
    }

    /// @dev The caller knows that `place` and the one after it are there.
    function _set(bytes32[] memory words, uint256 place, bytes32 one, bytes32 two) private pure {
        assembly ("memory-safe") {
            let word := add(add(words, 0x20), shl(5, place))
            mstore(word, one)
            mstore(add(word, 0x20), two)
        }
    }

    /// @dev As `_set`.
    function _get(bytes32[] memory words, uint256 place) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(words, 0x20), shl(5, place)))
        }
    }

    function _second(bytes memory data) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(data, 0x40))
        }
    }
}
