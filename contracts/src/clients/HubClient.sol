// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubClient } from "../interfaces/IHubClient.sol";
import { IClientStatus, ILightClient } from "../interfaces/ILightClient.sol";
import { Ics23Smt } from "../libraries/Ics23Smt.sol";
import { TendermintCommit } from "../libraries/TendermintCommit.sol";
import { TendermintHash } from "../libraries/TendermintHash.sol";
import {
    ClientStatus,
    Height,
    MsgVerifyMembership,
    MsgVerifyNonMembership,
    UpdateResult
} from "../types/Client.sol";

/// @title Light client of the hub: a 07-tendermint client in Solidity (docs/spec/hub-client.md)
/// @notice Believes a header only for the signatures of more than two thirds of its validators, tied by the trusting
/// rules to a state that it already holds. Nobody has rights here: no state can be set, and nothing unfreezes it.
contract HubClient is ILightClient, IClientStatus, IHubClient {
    uint256 private constant NANOS = 1_000_000_000;
    uint256 private constant MAX_CHAIN_ID_LENGTH = 50;
    /// @dev cometbft version/version.go BlockProtocol.
    uint64 private constant BLOCK_PROTOCOL = 11;
    /// @dev 136 years: keeps every accepted time within 64 bits of nanoseconds.
    uint64 private constant MAX_PERIOD = type(uint32).max;

    /// @dev `lower` and `higher` link the stored heights in order, so that neighbours in time are found without a search.
    struct StoredState {
        uint64 timestamp;
        uint64 lower;
        uint64 higher;
        bytes32 root;
        bytes32 nextValidatorsHash;
    }

    uint64 private immutable _revision;
    uint64 private immutable _trustLevelNumerator;
    uint64 private immutable _trustLevelDenominator;
    uint64 private immutable _trustingPeriod;
    uint64 private immutable _unbondingPeriod;
    uint64 private immutable _maxClockDrift;

    string private _chainId;
    uint64 private _latest;
    bool private _frozen;
    mapping(uint64 revisionHeight => StoredState state) private _states;

    /// @param clientState parameters; `latestHeight` is the height of the first consensus state
    /// @param consensusState what the deployer trusts
    constructor(ClientState memory clientState, ConsensusState memory consensusState) {
        uint256 idLength = bytes(clientState.chainId).length;
        require(idLength != 0 && idLength <= MAX_CHAIN_ID_LENGTH, InvalidClientState("chainId"));
        uint64 numerator = clientState.trustLevelNumerator;
        uint64 denominator = clientState.trustLevelDenominator;
        require(
            denominator != 0 && numerator <= denominator && uint256(numerator) * 3 >= denominator,
            InvalidClientState("trustLevel")
        );
        require(
            clientState.trustingPeriod != 0 && clientState.trustingPeriod < clientState.unbondingPeriod
                && clientState.unbondingPeriod <= MAX_PERIOD,
            InvalidClientState("trustingPeriod")
        );
        require(
            clientState.maxClockDrift != 0 && clientState.maxClockDrift <= MAX_PERIOD,
            InvalidClientState("maxClockDrift")
        );
        require(
            clientState.latestHeight.revisionHeight != 0
                && clientState.latestHeight.revisionNumber == _revisionOf(bytes(clientState.chainId)),
            InvalidClientState("latestHeight")
        );
        require(!clientState.frozen, InvalidClientState("frozen"));
        require(
            consensusState.timestamp >= NANOS && consensusState.timestamp < _nowNs() + clientState.maxClockDrift * NANOS,
            InvalidClientState("timestamp")
        );
        require(consensusState.root != 0, InvalidClientState("root"));
        require(consensusState.nextValidatorsHash != 0, InvalidClientState("nextValidatorsHash"));

        _chainId = clientState.chainId;
        _revision = clientState.latestHeight.revisionNumber;
        _trustLevelNumerator = numerator;
        _trustLevelDenominator = denominator;
        _trustingPeriod = clientState.trustingPeriod;
        _unbondingPeriod = clientState.unbondingPeriod;
        _maxClockDrift = clientState.maxClockDrift;
        uint256 expiresAt = consensusState.timestamp + clientState.trustingPeriod * NANOS;
        require(expiresAt > _nowNs(), ExpiredClient(expiresAt, _nowNs()));
        uint64 height = clientState.latestHeight.revisionHeight;
        _latest = height;
        _states[height] =
            StoredState(consensusState.timestamp, 0, 0, consensusState.root, consensusState.nextValidatorsHash);
        emit ConsensusStateStored(height, consensusState.timestamp, consensusState.root);
    }

    /// @inheritdoc ILightClient
    function updateClient(bytes calldata updateMsg) external returns (UpdateResult) {
        _requireActive();
        HeaderUpdate memory update = abi.decode(updateMsg, (HeaderUpdate));
        StoredState memory trusted = _trustedState(update);
        _verifyTimes(update.header, trusted);
        _verifyCommit(update, trusted, true);
        return _store(update);
    }

    /// @inheritdoc ILightClient
    function misbehaviour(bytes calldata misbehaviourMsg) external {
        _requireActive();
        Misbehaviour memory evidence = abi.decode(misbehaviourMsg, (Misbehaviour));
        BlockHeader memory header1 = evidence.header1.header;
        BlockHeader memory header2 = evidence.header2.header;
        if (header1.height == header2.height) {
            require(
                evidence.header1.commit.blockId.hash != evidence.header2.commit.blockId.hash, NotMisbehaviour()
            );
        } else {
            // a later block may not be older: the first header is the higher one
            require(
                header1.height > header2.height
                    && TendermintHash.nanoseconds(header1.time) <= TendermintHash.nanoseconds(header2.time),
                NotMisbehaviour()
            );
        }
        _verifyCommit(evidence.header1, _trustedState(evidence.header1), false);
        _verifyCommit(evidence.header2, _trustedState(evidence.header2), false);
        _freeze(header1.height, header1.height == header2.height ? "two headers" : "time went back");
    }

    /// @inheritdoc ILightClient
    function verifyMembership(MsgVerifyMembership calldata msg_) external view returns (uint256) {
        StoredState storage state = _provingState(msg_.proofHeight, msg_.path);
        require(msg_.value.length != 0, InvalidProof("empty value"));
        Ics23Smt.verifyExistence(
            state.root, abi.decode(msg_.proof, (ExistenceProof)), msg_.path[0], msg_.value
        );
        return state.timestamp / NANOS;
    }

    /// @inheritdoc ILightClient
    function verifyNonMembership(MsgVerifyNonMembership calldata msg_) external view returns (uint256) {
        StoredState storage state = _provingState(msg_.proofHeight, msg_.path);
        Ics23Smt.verifyNonExistence(state.root, abi.decode(msg_.proof, (NonExistenceProof)), msg_.path[0]);
        return state.timestamp / NANOS;
    }

    /// @inheritdoc ILightClient
    function getClientState() external view returns (bytes memory) {
        return abi.encode(
            ClientState({
                chainId: _chainId,
                trustLevelNumerator: _trustLevelNumerator,
                trustLevelDenominator: _trustLevelDenominator,
                trustingPeriod: _trustingPeriod,
                unbondingPeriod: _unbondingPeriod,
                maxClockDrift: _maxClockDrift,
                latestHeight: Height(_revision, _latest),
                frozen: _frozen
            })
        );
    }

    /// @inheritdoc IHubClient
    function getConsensusState(
        uint64 revisionNumber,
        uint64 revisionHeight
    )
        external
        view
        returns (ConsensusState memory)
    {
        StoredState storage state = _states[revisionHeight];
        require(
            revisionNumber == _revision && state.timestamp != 0, UnknownHeight(revisionNumber, revisionHeight)
        );
        return ConsensusState(state.timestamp, state.root, state.nextValidatorsHash);
    }

    /// @inheritdoc IHubClient
    function neighbours(uint64 revisionHeight) external view returns (uint64 lower, uint64 higher) {
        StoredState storage state = _states[revisionHeight];
        return (state.lower, state.higher);
    }

    /// @inheritdoc IClientStatus
    function clientType() external pure returns (string memory) {
        return "07-tendermint";
    }

    /// @inheritdoc IClientStatus
    function servesClient(address, string calldata) external pure returns (bool) {
        return true;
    }

    /// @inheritdoc IClientStatus
    function status() external view returns (ClientStatus) {
        if (_frozen) return ClientStatus.Frozen;
        return _expiresAt(_states[_latest].timestamp) <= _nowNs() ? ClientStatus.Expired : ClientStatus.Active;
    }

    /// @inheritdoc IClientStatus
    function latestHeight() external view returns (Height memory) {
        return Height(_revision, _latest);
    }

    /// @inheritdoc IClientStatus
    function latestTimestamp() external view returns (uint256) {
        return _states[_latest].timestamp / NANOS;
    }

    /// @inheritdoc IClientStatus
    /// @dev The trusting period and the revision may differ in a substitute, as in ICS-02 recovery.
    function identity() external view returns (bytes32) {
        return keccak256(
            abi.encode(
                "hutong/hub-client/1",
                _chainName(),
                _trustLevelNumerator,
                _trustLevelDenominator,
                _unbondingPeriod,
                _maxClockDrift
            )
        );
    }

    /// @inheritdoc IClientStatus
    function provenStore() external view returns (bytes32) {
        return keccak256(abi.encode(_chainName(), bytes("")));
    }

    /// @dev The chain's id without its revision.
    function _chainName() private view returns (bytes memory name) {
        name = bytes(_chainId);
        (, uint256 nameLength) = _split(name);
        assembly ("memory-safe") {
            mstore(name, nameLength)
        }
    }

    /// @dev Finds the trusted state, younger than the trusting period and below the header.
    function _trustedState(HeaderUpdate memory update) private view returns (StoredState memory trusted) {
        Height memory height = update.trustedHeight;
        require(height.revisionNumber == _revision, RevisionMismatch(_revision, height.revisionNumber));
        trusted = _states[height.revisionHeight];
        require(trusted.timestamp != 0, UnknownHeight(height.revisionNumber, height.revisionHeight));
        require(
            update.header.height > height.revisionHeight,
            HeightNotIncreasing(update.header.height, height.revisionHeight)
        );
        uint256 expiresAt = _expiresAt(trusted.timestamp);
        require(expiresAt > _nowNs(), TrustedStateExpired(expiresAt, _nowNs()));
    }

    function _verifyTimes(BlockHeader memory header, StoredState memory trusted) private view {
        uint256 headerNs = TendermintHash.nanoseconds(header.time);
        require(headerNs > trusted.timestamp, TimeNotIncreasing(headerNs, trusted.timestamp));
        uint256 limitNs = _nowNs() + _maxClockDrift * NANOS;
        require(headerNs < limitNs, HeaderFromFuture(headerNs, limitNs));
    }

    /// @dev The header is what the commit is for, and enough of the right validators signed it. The trusting check comes
    /// first: the header's own set is the sender's choice until then.
    /// @param adjacentRule whether the block after the trusted one must carry the announced set. Stock clients ask for it
    /// in updates and not in evidence.
    function _verifyCommit(HeaderUpdate memory update, StoredState memory trusted, bool adjacentRule) private view {
        BlockHeader memory header = update.header;
        Commit memory commit = update.commit;
        Validator[] memory validators = update.validators;
        string memory chainId = _chainId;
        require(keccak256(bytes(header.chainId)) == keccak256(bytes(chainId)), WrongChain(chainId, header.chainId));
        require(header.versionBlock == BLOCK_PROTOCOL, UnsupportedBlockProtocol(header.versionBlock));
        require(header.proposerAddress != 0, EmptyField("proposerAddress"));
        require(header.validatorsHash != 0, EmptyField("validatorsHash"));
        require(header.nextValidatorsHash != 0, EmptyField("nextValidatorsHash"));
        require(header.appHash != 0, EmptyField("appHash"));
        // CometBFT's heights are int64: a higher one is negative to stock clients, and refused
        require(
            commit.height == header.height && header.height <= uint64(type(int64).max), CommitMismatch("height")
        );
        require(commit.round <= uint32(type(int32).max), CommitMismatch("round"));
        require(commit.blockId.hash == TendermintHash.headerHash(header), CommitMismatch("hash"));

        uint256 total = TendermintCommit.checkValidators(validators);
        bytes32 setHash = TendermintHash.validatorsHash(validators);
        require(
            setHash == header.validatorsHash, ValidatorsHashMismatch("validators", header.validatorsHash, setHash)
        );
        Validator[] memory trustedValidators = update.trustedValidators;
        uint256 trustedTotal = total;
        if (trustedValidators.length == 0) {
            trustedValidators = validators;
        } else {
            trustedTotal = TendermintCommit.checkValidators(trustedValidators);
            setHash = TendermintHash.validatorsHash(trustedValidators);
        }
        require(
            setHash == trusted.nextValidatorsHash,
            ValidatorsHashMismatch("trusted validators", trusted.nextValidatorsHash, setHash)
        );

        TendermintCommit.Tally memory tally = TendermintCommit.open(commit, validators, chainId);
        if (adjacentRule && header.height == update.trustedHeight.revisionHeight + 1) {
            require(
                header.validatorsHash == trusted.nextValidatorsHash,
                ValidatorsHashMismatch("next validators", trusted.nextValidatorsHash, header.validatorsHash)
            );
        } else {
            // the stock client computes the threshold in int64 and refuses what does not fit
            require(
                trustedTotal * _trustLevelNumerator <= uint64(type(int64).max),
                InvalidValidatorSet("trust level overflow")
            );
            TendermintCommit.requireTrust(
                tally, trustedValidators, trustedTotal * _trustLevelNumerator / _trustLevelDenominator
            );
        }
        TendermintCommit.requireTwoThirds(tally, total);
    }

    /// @dev A proven header becomes a state, is known already, or contradicts what is known.
    function _store(HeaderUpdate memory update) private returns (UpdateResult) {
        BlockHeader memory header = update.header;
        uint64 height = header.height;
        uint64 timestamp = uint64(TendermintHash.nanoseconds(header.time));
        StoredState storage known = _states[height];
        if (known.timestamp != 0) {
            if (
                known.timestamp == timestamp && known.root == header.appHash
                    && known.nextValidatorsHash == header.nextValidatorsHash
            ) return UpdateResult.NoOp;
            _freeze(height, "two headers");
            return UpdateResult.Misbehaviour;
        }
        uint64 lower = update.trustedHeight.revisionHeight;
        uint64 higher = _states[lower].higher;
        while (higher != 0 && higher < height) {
            lower = higher;
            higher = _states[lower].higher;
        }
        if (_states[lower].timestamp >= timestamp || (higher != 0 && timestamp >= _states[higher].timestamp)) {
            _freeze(height, "time went back");
            return UpdateResult.Misbehaviour;
        }
        _states[height] = StoredState(timestamp, lower, higher, header.appHash, header.nextValidatorsHash);
        _states[lower].higher = height;
        if (higher == 0) _latest = height;
        else _states[higher].lower = height;
        emit ConsensusStateStored(height, timestamp, header.appHash);
        return UpdateResult.Update;
    }

    function _freeze(uint64 height, string memory reason) private {
        _frozen = true;
        emit ClientFrozen(height, reason);
    }

    function _requireActive() private view {
        require(!_frozen, FrozenClient());
        uint256 expiresAt = _expiresAt(_states[_latest].timestamp);
        require(expiresAt > _nowNs(), ExpiredClient(expiresAt, _nowNs()));
    }

    function _provingState(Height calldata height, bytes[] calldata path)
        private
        view
        returns (StoredState storage state)
    {
        _requireActive();
        require(path.length == 1 && path[0].length != 0, InvalidPath());
        state = _states[height.revisionHeight];
        require(
            height.revisionNumber == _revision && state.timestamp != 0,
            UnknownHeight(height.revisionNumber, height.revisionHeight)
        );
    }

    function _expiresAt(uint64 timestamp) private view returns (uint256) {
        return timestamp + _trustingPeriod * NANOS;
    }

    function _nowNs() private view returns (uint256) {
        return block.timestamp * NANOS;
    }

    /// @dev N of `name-N` without a leading zero, else 0 (ICS-02).
    function _revisionOf(bytes memory chainId) private pure returns (uint64 revision) {
        (revision,) = _split(chainId);
    }

    function _split(bytes memory chainId) private pure returns (uint64 revision, uint256 nameLength) {
        uint256 length = chainId.length;
        uint256 digits = 0;
        while (digits < length && chainId[length - 1 - digits] >= "0" && chainId[length - 1 - digits] <= "9") {
            ++digits;
        }
        if (digits == 0 || digits + 2 > length) return (0, length);
        nameLength = length - digits - 1;
        if (chainId[nameLength] != "-" || chainId[nameLength - 1] == "-" || chainId[nameLength + 1] == "0") {
            return (0, length);
        }
        uint256 value = 0;
        for (uint256 i = nameLength + 1; i < length; ++i) {
            value = value * 10 + uint8(chainId[i]) - 48;
        }
        require(value <= type(uint64).max, InvalidClientState("chainId"));
        revision = uint64(value);
    }
}
