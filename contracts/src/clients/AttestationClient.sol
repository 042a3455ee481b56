// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAttestationClient } from "../interfaces/IAttestationClient.sol";
import { IClientStatus, ILightClient } from "../interfaces/ILightClient.sol";
import { Attested } from "../libraries/Attested.sol";
import { Identifiers } from "../libraries/Identifiers.sol";
import {
    ClientStatus,
    Height,
    MsgVerifyMembership,
    MsgVerifyNonMembership,
    UpdateResult
} from "../types/Client.sol";

/// @title Light client of a chain without provable consensus: m of n keys say what it holds (docs/spec/attestation.md)
/// @notice Attestors, threshold and scope are fixed by the constructor and come from no message. Nobody has rights here: no
/// state can be set, and nothing unfreezes it.
contract AttestationClient is ILightClient, IClientStatus, IAttestationClient {
    uint256 private constant NANOS = 1_000_000_000;
    uint256 private constant MAX_CHAIN_ID_LENGTH = 64;
    uint256 private constant MAX_ROUTER_LENGTH = 64;
    uint256 private constant MAX_ATTESTORS = 64;
    uint256 private constant MAX_PATH_LENGTH = 1024;
    uint256 private constant TIMESTAMP_LIMIT = 1 << 40;
    uint64 private constant MAX_PERIOD = type(uint32).max;
    string private constant TYPE = "attestation";

    /// @dev `lower` and `higher` link the stored heights in order, so that neighbours in time are found without a search.
    struct StoredState {
        uint64 timestamp;
        uint64 lower;
        uint64 higher;
    }

    bytes32 private immutable _scopeHash;
    uint256 private immutable _chainId;
    uint256 private immutable _threshold;
    uint256 private immutable _attestorCount;
    uint64 private immutable _trustingPeriod;
    uint64 private immutable _maxClockDrift;

    Scope private _scope;
    address[] private _attestors;
    mapping(address signer => bool isAttestor) private _isAttestor;
    uint64 private _latest;
    bool private _frozen;
    mapping(uint64 height => StoredState state) private _states;

    /// @param clientState parameters; the scope names this chain
    /// @param consensusState what the deployer trusts, of `clientState.latestHeight`
    constructor(ClientState memory clientState, ConsensusState memory consensusState) {
        _requireScope(clientState.scope);
        _scope = clientState.scope;
        _scopeHash = Attested.scopeHash(clientState.scope);
        _chainId = block.chainid;

        uint256 count = clientState.attestors.length;
        require(count != 0 && count <= MAX_ATTESTORS, InvalidClientState("attestors"));
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address attestor = clientState.attestors[i];
            require(attestor > last, InvalidClientState("attestors"));
            _isAttestor[attestor] = true;
            last = attestor;
        }
        _attestors = clientState.attestors;
        _attestorCount = count;
        // with half or fewer, two groups without a common member could sign two histories
        require(
            clientState.threshold <= count && uint256(clientState.threshold) * 2 > count,
            InvalidClientState("threshold")
        );
        _threshold = clientState.threshold;
        require(
            clientState.trustingPeriod != 0 && clientState.trustingPeriod <= MAX_PERIOD,
            InvalidClientState("trustingPeriod")
        );
        require(
            clientState.maxClockDrift != 0 && clientState.maxClockDrift <= MAX_PERIOD,
            InvalidClientState("maxClockDrift")
        );
        _trustingPeriod = clientState.trustingPeriod;
        _maxClockDrift = clientState.maxClockDrift;
        require(!clientState.frozen, InvalidClientState("frozen"));

        uint64 height = clientState.latestHeight;
        uint64 timestamp = consensusState.timestamp;
        require(height != 0 && height == consensusState.height, InvalidClientState("latestHeight"));
        require(timestamp != 0 && timestamp < TIMESTAMP_LIMIT, InvalidClientState("timestamp"));
        _requireUnexpired(timestamp);
        _requireNotFromFuture(timestamp);
        _latest = height;
        _states[height] = StoredState(timestamp, 0, 0);
        emit ConsensusStateStored(height, timestamp);
    }

    /// @inheritdoc ILightClient
    function updateClient(bytes calldata updateMsg) external returns (UpdateResult) {
        _requireActive();
        (bytes calldata data, bytes calldata signatures) = Attested.open(updateMsg);
        _requireSigned(Attested.KIND_STATE, data, signatures);
        (uint64 height, uint64 timestamp) = Attested.parseState(data);
        _requireUnexpired(timestamp);
        _requireNotFromFuture(timestamp);
        return _store(height, timestamp);
    }

    /// @inheritdoc ILightClient
    /// @dev Attested times are not judged: who signs two states of one height does not get away with a date.
    function misbehaviour(bytes calldata misbehaviourMsg) external {
        _requireActive();
        (
            uint256 kind,
            bytes calldata data1,
            bytes calldata signatures1,
            bytes calldata data2,
            bytes calldata signatures2
        ) = Attested.openEvidence(misbehaviourMsg);
        _requireSigned(kind, data1, signatures1);
        _requireSigned(kind, data2, signatures2);
        if (kind == Attested.KIND_STATE) _freezeOnStates(data1, data2);
        else _freezeOnPackets(data1, data2);
    }

    /// @inheritdoc ILightClient
    function verifyMembership(MsgVerifyMembership calldata msg_) external view returns (uint256) {
        require(msg_.value.length == 32 && bytes32(msg_.value) != 0, InvalidProof("value is one word, not zero"));
        return _verify(msg_.proof, msg_.proofHeight, msg_.path, bytes32(msg_.value));
    }

    /// @inheritdoc ILightClient
    function verifyNonMembership(MsgVerifyNonMembership calldata msg_) external view returns (uint256) {
        return _verify(msg_.proof, msg_.proofHeight, msg_.path, 0);
    }

    /// @inheritdoc ILightClient
    function getClientState() external view returns (bytes memory) {
        return abi.encode(
            ClientState({
                scope: _scope,
                attestors: _attestors,
                threshold: uint32(_threshold),
                trustingPeriod: _trustingPeriod,
                maxClockDrift: _maxClockDrift,
                latestHeight: _latest,
                frozen: _frozen
            })
        );
    }

    /// @inheritdoc IAttestationClient
    function getConsensusState(
        uint64 revisionNumber,
        uint64 revisionHeight
    )
        external
        view
        returns (ConsensusState memory)
    {
        return ConsensusState(revisionHeight, _timestampAt(revisionNumber, revisionHeight));
    }

    /// @inheritdoc IAttestationClient
    function neighbours(uint64 revisionHeight) external view returns (uint64 lower, uint64 higher) {
        StoredState storage state = _states[revisionHeight];
        return (state.lower, state.higher);
    }

    /// @inheritdoc IClientStatus
    function clientType() external pure returns (string memory) {
        return TYPE;
    }

    /// @inheritdoc IClientStatus
    function servesClient(address router, string calldata clientId) external view returns (bool) {
        return keccak256(abi.encodePacked(router)) == keccak256(_scope.destinationRouter)
            && Identifiers.equal(clientId, _scope.destinationClientId);
    }

    /// @inheritdoc IClientStatus
    function status() external view returns (ClientStatus) {
        if (_frozen) return ClientStatus.Frozen;
        return _expiresAt(_states[_latest].timestamp) <= block.timestamp ? ClientStatus.Expired : ClientStatus.Active;
    }

    /// @inheritdoc IClientStatus
    function latestHeight() external view returns (Height memory) {
        return Height(0, _latest);
    }

    /// @inheritdoc IClientStatus
    function latestTimestamp() external view returns (uint256) {
        return _states[_latest].timestamp;
    }

    /// @inheritdoc IClientStatus
    /// @dev A substitute may have other attestors and another period. Its destination is checked by `servesClient`, and
    /// may name another chain id than the client that it replaces: after a fork that changed it.
    function identity() external view returns (bytes32) {
        return keccak256(
            abi.encode("hutong/attestation-client/1", _scope.sourceChainId, _scope.sourceRouter, _maxClockDrift)
        );
    }

    /// @inheritdoc IClientStatus
    function provenStore() external view returns (bytes32) {
        return keccak256(abi.encode(_scope.sourceChainId, _scope.sourceRouter));
    }

    function _requireScope(Scope memory scope) private view {
        require(Identifiers.isPlainText(scope.sourceChainId, MAX_CHAIN_ID_LENGTH), InvalidClientState("sourceChainId"));
        uint256 length = scope.sourceRouter.length;
        require(length != 0 && length <= MAX_ROUTER_LENGTH, InvalidClientState("sourceRouter"));
        require(keccak256(scope.sourceRouter) != keccak256(new bytes(length)), InvalidClientState("sourceRouter"));
        require(
            Identifiers.equal(scope.destinationChainId, Identifiers.toDecimal(block.chainid)),
            InvalidClientState("destinationChainId")
        );
        bytes memory router = scope.destinationRouter;
        require(router.length == 20 && bytes20(router) != 0, InvalidClientState("destinationRouter"));
        require(Identifiers.isClientId(scope.destinationClientId), InvalidClientState("destinationClientId"));
        require(
            !Identifiers.equal(scope.sourceChainId, scope.destinationChainId)
                || keccak256(scope.sourceRouter) != keccak256(router),
            InvalidClientState("sourceRouter")
        );
    }

    /// @dev At least the threshold of signatures, all by attestors, in strictly ascending order of signers.
    function _requireSigned(uint256 kind, bytes calldata data, bytes calldata signatures) private view {
        uint256 count = signatures.length / Attested.SIGNATURE_LENGTH;
        require(
            signatures.length == count * Attested.SIGNATURE_LENGTH && count != 0 && count >= _threshold
                && count <= _attestorCount,
            InvalidSignatureCount(signatures.length, _threshold, _attestorCount)
        );
        bytes32 digest = Attested.digest(_scopeHash, kind, data);
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            uint256 start = i * Attested.SIGNATURE_LENGTH;
            address signer = Attested.recover(digest, signatures[start:start + Attested.SIGNATURE_LENGTH]);
            require(signer != address(0), InvalidSignature(i));
            require(_isAttestor[signer], UnknownAttestor(i, signer));
            require(signer > last, SignersNotAscending(i, signer));
            last = signer;
        }
    }

    /// @param expected zero: nothing is stored under the path
    function _verify(
        bytes calldata proof,
        Height calldata height,
        bytes[] calldata path,
        bytes32 expected
    )
        private
        view
        returns (uint256 timestamp)
    {
        _requireActive();
        require(path.length == 1 && path[0].length != 0 && path[0].length <= MAX_PATH_LENGTH, InvalidPath());
        timestamp = _timestampAt(height.revisionNumber, height.revisionHeight);
        (bytes calldata data, bytes calldata signatures) = Attested.open(proof);
        _requireSigned(Attested.KIND_PACKETS, data, signatures);
        (uint64 attestedHeight, bytes calldata entries) = Attested.parsePackets(data);
        require(attestedHeight == height.revisionHeight, InvalidProof("attested at another height"));
        (bool found, bytes32 commitment) = Attested.commitmentOf(entries, keccak256(path[0]));
        require(found, InvalidProof("path is not listed"));
        require(commitment == expected, InvalidProof("another value is attested"));
    }

    /// @dev An attested state becomes a stored one, is known already, or contradicts what is known. The walk starts at the
    /// latest height: storing an old state costs its sender the read of every stored one above.
    function _store(uint64 height, uint64 timestamp) private returns (UpdateResult) {
        uint64 known = _states[height].timestamp;
        if (known == timestamp) return UpdateResult.NoOp;
        if (known != 0) {
            _freeze(height, "two states");
            return UpdateResult.Misbehaviour;
        }
        uint64 lower = _latest;
        uint64 higher = 0;
        while (lower > height) {
            higher = lower;
            lower = _states[lower].lower;
        }
        if (
            (lower != 0 && _states[lower].timestamp > timestamp)
                || (higher != 0 && timestamp > _states[higher].timestamp)
        ) {
            _freeze(height, "time went back");
            return UpdateResult.Misbehaviour;
        }
        _states[height] = StoredState(timestamp, lower, higher);
        if (lower != 0) _states[lower].higher = height;
        if (higher == 0) _latest = height;
        else _states[higher].lower = height;
        emit ConsensusStateStored(height, timestamp);
        return UpdateResult.Update;
    }

    function _freezeOnStates(bytes calldata data1, bytes calldata data2) private {
        (uint64 height1, uint64 timestamp1) = Attested.parseState(data1);
        (uint64 height2, uint64 timestamp2) = Attested.parseState(data2);
        if (height1 == height2) {
            require(timestamp1 != timestamp2, NotMisbehaviour());
            _freeze(height1, "two states");
        } else {
            require((height1 < height2) == (timestamp1 > timestamp2) && timestamp1 != timestamp2, NotMisbehaviour());
            _freeze(height1 > height2 ? height1 : height2, "time went back");
        }
    }

    function _freezeOnPackets(bytes calldata data1, bytes calldata data2) private {
        (uint64 height1, bytes calldata entries1) = Attested.parsePackets(data1);
        (uint64 height2, bytes calldata entries2) = Attested.parsePackets(data2);
        require(height1 == height2 && Attested.packetsConflict(entries1, entries2), NotMisbehaviour());
        _freeze(height1, "two commitments");
    }

    function _freeze(uint64 height, string memory reason) private {
        _frozen = true;
        emit ClientFrozen(height, reason);
    }

    function _requireActive() private view {
        require(block.chainid == _chainId, WrongChainId(_chainId, block.chainid));
        require(!_frozen, FrozenClient());
        _requireUnexpired(_states[_latest].timestamp);
    }

    function _requireUnexpired(uint64 timestamp) private view {
        uint256 expiresAt = _expiresAt(timestamp);
        require(expiresAt > block.timestamp, ExpiredClient(expiresAt * NANOS, block.timestamp * NANOS));
    }

    function _requireNotFromFuture(uint64 timestamp) private view {
        uint256 limit = block.timestamp + _maxClockDrift;
        require(timestamp < limit, HeaderFromFuture(timestamp * NANOS, limit * NANOS));
    }

    function _timestampAt(uint64 revisionNumber, uint64 revisionHeight) private view returns (uint64 timestamp) {
        timestamp = _states[revisionHeight].timestamp;
        require(revisionNumber == 0 && timestamp != 0, UnknownHeight(revisionNumber, revisionHeight));
    }

    function _expiresAt(uint64 timestamp) private view returns (uint256) {
        return uint256(timestamp) + _trustingPeriod;
    }
}
