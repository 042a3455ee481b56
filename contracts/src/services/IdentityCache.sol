// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IClientRegistry } from "../interfaces/IClientRegistry.sol";
import { IHubClient } from "../interfaces/IHubClient.sol";
import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { IClientStatus } from "../interfaces/ILightClient.sol";
import { IdentityRecords } from "../libraries/IdentityRecords.sol";
import { Observations } from "../libraries/Observations.sol";
import { SmtMultiproof } from "../libraries/SmtMultiproof.sol";
import { RoutedHubClient } from "../records/RoutedHubClient.sol";
import { ClientStatus, Height } from "../types/Client.sol";
import { Flaw, IssuerFacts, IssuerQuery, Standing, StatusList } from "../types/Identity.sol";
import { Multiproof, Record } from "../types/Record.sol";

/// @title Cache of the hub's identity records
/// @notice What is kept is under the address of the chain's client of the hub, which is asked for at each call, and its status
/// too: what was kept under one that was migrated away is never read again, since a router takes no client twice.
contract IdentityCache is IIdentityCache, RoutedHubClient {
    uint256 private constant NANOS = 1_000_000_000;
    uint256 private constant MAX_LEVELS = 5;
    uint256 private constant ES256 = 1;
    uint256 private constant FOR_SIGNING = 1;
    uint256 private constant FOR_CONTRACTS = 16;
    uint256 private constant CHUNK_BITS = 256;

    /// @dev Records that were proven, and how many of the places were used.
    struct Shown {
        uint64 height;
        uint64 time;
        uint256 used;
    }

    mapping(address client => mapping(bytes32 key => Standing standing)) private _standings;
    mapping(address client => mapping(bytes32 issuer => mapping(uint64 number => StatusList list))) private _lists;
    mapping(address client => mapping(bytes32 issuer => uint64 epoch)) private _epochs;

    /// @param router_ router of this chain
    /// @param clientId_ its client of the hub, a HubClient
    constructor(IClientRegistry router_, string memory clientId_) RoutedHubClient(router_, clientId_) { }

    /// @inheritdoc IIdentityCache
    function sync(
        IssuerQuery calldata query,
        Record[] calldata records,
        uint8[] calldata places,
        Multiproof calldata proof,
        Height calldata height
    )
        external
    {
        address client = _activeClient();
        Shown memory shown = _verify(client, records, proof, height);
        Standing memory standing = _readIssuer(query, records, places, shown);
        for (uint256 i = 0; i < query.lists.length; ++i) {
            bytes32 key = IdentityRecords.listKey(query.issuer, query.lists[i]);
            _keepList(client, query, query.lists[i], _next(key, records, places, shown), standing);
        }
        if (standing.flaw == Flaw.None) _readChain(query, records, places, shown, standing);
        require(shown.used == places.length, WrongPlaces(places.length, shown.used));
        _keepStanding(client, query, standing);
    }

    /// @inheritdoc IIdentityCache
    function facts(bytes32 issuer, uint64 list) external view returns (IssuerFacts memory found) {
        address client = _activeClient();
        found.newestHeaderTime = uint64(IClientStatus(client).latestTimestamp());
        found.newestEpoch = _epochs[client][issuer];
        found.list = _lists[client][issuer][list];
        require(found.list.height != 0, ListNotSynced(issuer, list));
        if (found.list.bits == 0) return found;
        Standing storage kept = _standings[client][found.list.standing];
        require(kept.height != 0, IssuerNotSynced(issuer, found.list.standing));
        Standing memory standing = found.standing;
        (standing.account, standing.validUntil, standing.flaw) = (kept.account, kept.validUntil, kept.flaw);
        (standing.algorithm, standing.ended) = (kept.algorithm, kept.ended);
        (standing.height, standing.headerTime) = (kept.height, kept.headerTime);
        (standing.epoch, standing.endLogSize) = (kept.epoch, kept.endLogSize);
        // what says nothing here is not read
        if (standing.ended) standing.endLogRoot = kept.endLogRoot;
        if (standing.algorithm == ES256) (standing.x, standing.y) = (kept.x, kept.y);
    }

    function _keepStanding(address client, IssuerQuery calldata query, Standing memory standing) private {
        if (_epochs[client][query.issuer] < standing.epoch) _epochs[client][query.issuer] = standing.epoch;
        bytes32 key = _standingKey(query.issuer, query.schema, query.thumbprint);
        Standing storage kept = _standings[client][key];
        if (kept.height >= standing.height) return;
        (kept.account, kept.validUntil, kept.flaw) = (standing.account, standing.validUntil, standing.flaw);
        (kept.algorithm, kept.ended) = (standing.algorithm, standing.ended);
        (kept.height, kept.headerTime) = (standing.height, standing.headerTime);
        (kept.epoch, kept.endLogSize) = (standing.epoch, standing.endLogSize);
        // what is not read of the others costs nothing
        if (standing.ended) kept.endLogRoot = standing.endLogRoot;
        if (standing.algorithm == ES256) (kept.x, kept.y) = (standing.x, standing.y);
        emit IssuerSynced(query.issuer, key, standing.height, standing.epoch, uint8(standing.flaw));
    }

    function _keepList(
        address client,
        IssuerQuery calldata query,
        uint64 number,
        bytes calldata value,
        Standing memory standing
    )
        private
    {
        StatusList storage kept = _lists[client][query.issuer][number];
        if (kept.height >= standing.height) return;
        StatusList memory list;
        (list.height, list.headerTime, list.epoch) = (standing.height, standing.headerTime, standing.epoch);
        if (value.length != 0) {
            IdentityRecords.requireWords(value, IdentityRecords.LIST_WORDS);
            bytes32 schema = IdentityRecords.word(value, IdentityRecords.LIST_SCHEMA);
            bytes32 sealing = IdentityRecords.word(value, IdentityRecords.LIST_SEAL_KEY);
            if (sealing == 0) sealing = IdentityRecords.word(value, IdentityRecords.LIST_KEY);
            (uint8 bits, uint64 size) = IdentityRecords.listForm(value);
            list.root = IdentityRecords.word(value, IdentityRecords.LIST_ROOT);
            list.standing = _standingKey(query.issuer, schema, sealing);
            // the hub has widths of 1, 2, 4 and 8 bits, and sizes that are powers of two of at least one chunk
            list.bits = bits;
            list.depth = uint8(Math.log2(uint256(size) * bits / CHUNK_BITS));
            list.anySchema = schema == 0;
        }
        _lists[client][query.issuer][number] = list;
        emit ListSynced(query.issuer, number, list.height, list.root);
    }

    function _activeClient() private view returns (address client) {
        client = hubClient();
        ClientStatus status = IClientStatus(client).status();
        require(status == ClientStatus.Active, HubClientNotActive(status));
    }

    /// @dev Every record is true under the root of that height, and every byte of the proof is needed for that.
    function _verify(address client, Record[] calldata records, Multiproof calldata proof, Height calldata height)
        private
        view
        returns (Shown memory shown)
    {
        IHubClient.ConsensusState memory state =
            IHubClient(client).getConsensusState(height.revisionNumber, height.revisionHeight);
        bytes32[] memory claims = new bytes32[](2 * records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            Record calldata record = records[i];
            claims[2 * i] = Observations.hash(record.key);
            if (record.value.length != 0) claims[2 * i + 1] = Observations.hash(record.value);
        }
        SmtMultiproof.verify(state.root, claims, proof);
        return Shown(height.revisionHeight, uint64(state.timestamp / NANOS), 0);
    }

    function _readIssuer(
        IssuerQuery calldata query,
        Record[] calldata records,
        uint8[] calldata places,
        Shown memory shown
    )
        private
        pure
        returns (Standing memory standing)
    {
        bytes calldata did = _next(IdentityRecords.didKey(query.issuer), records, places, shown);
        bytes calldata key = _next(IdentityRecords.keyKey(query.issuer, query.thumbprint), records, places, shown);
        bytes calldata epoch = _next(IdentityRecords.epochKey(query.issuer), records, places, shown);
        (standing.height, standing.headerTime) = (shown.height, shown.time);
        if (did.length == 0) {
            standing.flaw = Flaw.IssuerUnknown;
            return standing;
        }
        require(epoch.length != 0, EpochMissing(query.issuer));
        IdentityRecords.requireWords(epoch, IdentityRecords.EPOCH_WORDS);
        standing.epoch = IdentityRecords.number(epoch, IdentityRecords.EPOCH);
        if (key.length == 0) standing.flaw = Flaw.KeyUnknown;
        else _readKey(_isActive(did), key, standing);
    }

    /// @dev A key of a DID that is deactivated has ended, whatever its record says.
    function _readKey(bool isActive, bytes calldata key, Standing memory standing) private pure {
        IdentityRecords.requireWords(key, IdentityRecords.KEY_WORDS);
        standing.algorithm = uint8(IdentityRecords.number(key, IdentityRecords.KEY_ALGORITHM));
        standing.account = address(uint160(uint256(IdentityRecords.word(key, IdentityRecords.KEY_ACCOUNT))));
        standing.x = IdentityRecords.word(key, IdentityRecords.KEY_X);
        standing.y = IdentityRecords.word(key, IdentityRecords.KEY_Y);
        standing.ended =
            !isActive || IdentityRecords.number(key, IdentityRecords.KEY_STATE) != IdentityRecords.ACTIVE;
        standing.endLogSize = IdentityRecords.number(key, IdentityRecords.KEY_END_LOG_SIZE);
        standing.endLogRoot = IdentityRecords.word(key, IdentityRecords.KEY_END_LOG_ROOT);
        standing.validUntil = type(uint64).max;
        // the hub knows no P-256 key for contracts, so one for credentials signs seals
        uint256 purpose = standing.algorithm == ES256 ? FOR_SIGNING : FOR_CONTRACTS;
        if (IdentityRecords.number(key, IdentityRecords.KEY_PURPOSES) & purpose == 0) {
            standing.flaw = Flaw.KeyForOtherUse;
        } else if (!standing.ended) {
            uint64 from = IdentityRecords.number(key, IdentityRecords.KEY_VALID_FROM);
            standing.validUntil = IdentityRecords.number(key, IdentityRecords.KEY_VALID_UNTIL);
            if (!_isWithin(standing, from)) standing.flaw = Flaw.KeyOutOfWindow;
        }
    }

    /// @dev Accreditations from the issuer's own up to governance: as `chain_of` of the hub's rules, in its order.
    function _readChain(
        IssuerQuery calldata query,
        Record[] calldata records,
        uint8[] calldata places,
        Shown memory shown,
        Standing memory standing
    )
        private
        pure
    {
        (bytes32 subject, bytes32 schema) = (query.issuer, query.schema);
        uint256 below;
        for (uint256 level = 0; level < MAX_LEVELS; ++level) {
            bytes calldata grant =
                _next(IdentityRecords.accreditationKey(subject, schema), records, places, shown);
            standing.flaw = _readGrant(grant, standing);
            if (standing.flaw != Flaw.None) return;
            uint256 depth = IdentityRecords.number(grant, IdentityRecords.DEPTH);
            if (level != 0 && below >= depth) {
                standing.flaw = Flaw.DepthExceeded;
                return;
            }
            below = depth;
            subject = IdentityRecords.word(grant, IdentityRecords.ACCREDITOR);
            if (subject == 0) return;
            bytes32 parent = IdentityRecords.word(grant, IdentityRecords.PARENT_SCHEMA);
            if (parent != schema && parent != 0) {
                standing.flaw = Flaw.SchemaNotCovered;
                return;
            }
            schema = parent;
            if (!_isActive(_next(IdentityRecords.didKey(subject), records, places, shown))) {
                standing.flaw = Flaw.AccreditorNotActive;
                return;
            }
        }
        standing.flaw = Flaw.DepthExceeded;
    }

    function _readGrant(bytes calldata grant, Standing memory standing) private pure returns (Flaw) {
        if (grant.length == 0) return Flaw.AccreditationUnknown;
        IdentityRecords.requireWords(grant, IdentityRecords.ACCREDITATION_WORDS);
        if (IdentityRecords.number(grant, IdentityRecords.ACCREDITATION_STATE) != IdentityRecords.ACTIVE) {
            return Flaw.AccreditationRevoked;
        }
        uint64 until = IdentityRecords.number(grant, IdentityRecords.VALID_UNTIL);
        if (until < standing.validUntil) standing.validUntil = until;
        uint64 from = IdentityRecords.number(grant, IdentityRecords.VALID_FROM);
        return _isWithin(standing, from) ? Flaw.None : Flaw.AccreditationOutOfWindow;
    }

    function _isActive(bytes calldata did) private pure returns (bool) {
        if (did.length == 0) return false;
        IdentityRecords.requireWords(did, IdentityRecords.DID_WORDS);
        return IdentityRecords.number(did, IdentityRecords.DID_STATE) == IdentityRecords.ACTIVE;
    }

    /// @dev At the header's time. What ended before shows in `validUntil`.
    function _isWithin(Standing memory standing, uint64 from) private pure returns (bool) {
        return from <= standing.headerTime && standing.headerTime < standing.validUntil;
    }

    /// @dev The value of the record that is needed next; empty where the hub has none.
    function _next(
        bytes32 keyHash,
        Record[] calldata records,
        uint8[] calldata places,
        Shown memory shown
    )
        private
        pure
        returns (bytes calldata)
    {
        uint256 used = shown.used++;
        require(used < places.length, WrongPlaces(places.length, used + 1));
        uint256 place = places[used];
        require(place < records.length && keccak256(records[place].key) == keyHash, WrongRecord(used));
        return records[place].value;
    }

    function _standingKey(bytes32 issuer, bytes32 schema, bytes32 thumbprint) private pure returns (bytes32) {
        return keccak256(abi.encode(issuer, schema, thumbprint));
    }
}
