// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Height } from "../types/Client.sol";

/// @title Light client of the hub: encodings and views (docs/spec/hub-client.md)
interface IHubClient {
    /// @notice Parameters and position of the client, as `getClientState` encodes them.
    /// @param trustingPeriod seconds
    /// @param unbondingPeriod seconds
    /// @param maxClockDrift seconds
    struct ClientState {
        string chainId;
        uint64 trustLevelNumerator;
        uint64 trustLevelDenominator;
        uint64 trustingPeriod;
        uint64 unbondingPeriod;
        uint64 maxClockDrift;
        Height latestHeight;
        bool frozen;
    }

    /// @notice What is kept of a verified header.
    /// @param timestamp nanoseconds since 1970
    struct ConsensusState {
        uint64 timestamp;
        bytes32 root;
        bytes32 nextValidatorsHash;
    }

    /// @notice CometBFT time.
    struct Timestamp {
        uint64 secs;
        uint32 nanos;
    }

    /// @notice CometBFT block identifier; zero hashes stand for empty ones.
    struct BlockId {
        bytes32 hash;
        uint32 partSetTotal;
        bytes32 partSetHash;
    }

    /// @notice CometBFT header; zero hashes stand for empty ones.
    struct BlockHeader {
        uint64 versionBlock;
        uint64 versionApp;
        string chainId;
        uint64 height;
        Timestamp time;
        BlockId lastBlockId;
        bytes32 lastCommitHash;
        bytes32 dataHash;
        bytes32 validatorsHash;
        bytes32 nextValidatorsHash;
        bytes32 consensusHash;
        bytes32 appHash;
        bytes32 lastResultsHash;
        bytes32 evidenceHash;
        bytes20 proposerAddress;
    }

    /// @notice One entry of a commit.
    /// @param flag 1 absent, 2 commit, 3 nil
    struct CommitSignature {
        uint8 flag;
        Timestamp time;
        bytes32 r;
        bytes32 s;
    }

    /// @notice Commit, with the signature list cut after the last entry that the commit rule reads.
    struct Commit {
        uint64 height;
        uint32 round;
        BlockId blockId;
        CommitSignature[] signatures;
    }

    /// @notice Validator with its uncompressed secp256k1 key.
    struct Validator {
        uint256 x;
        uint256 y;
        uint64 power;
    }

    /// @notice Update message: `abi.encode(HeaderUpdate)`.
    /// @param trustedHeight height of a stored consensus state
    /// @param trustedValidators set under that state's next validators hash; empty if equal to `validators`
    struct HeaderUpdate {
        Height trustedHeight;
        BlockHeader header;
        Commit commit;
        Validator[] validators;
        Validator[] trustedValidators;
    }

    /// @notice Misbehaviour message: `abi.encode(Misbehaviour)`.
    struct Misbehaviour {
        HeaderUpdate header1;
        HeaderUpdate header2;
    }

    /// @notice ICS-23 existence proof under the SMT specification.
    /// @param rightBits bit i set: the node at step i (0 at the leaf) is a right child
    /// @param siblings leaf to root, at most 256
    struct ExistenceProof {
        bytes key;
        bytes value;
        uint256 rightBits;
        bytes32[] siblings;
    }

    /// @notice ICS-23 non-existence proof under the SMT specification. Non-membership proof: `abi.encode(NonExistenceProof)`.
    struct NonExistenceProof {
        bytes key;
        bool hasLeft;
        ExistenceProof left;
        bool hasRight;
        ExistenceProof right;
    }

    /// @notice A header was proven and its state stored.
    event ConsensusStateStored(uint64 indexed revisionHeight, uint64 timestamp, bytes32 root);
    /// @notice Misbehaviour was proven; the client verifies nothing any more.
    event ClientFrozen(uint64 indexed revisionHeight, string reason);

    /// @notice A constructor argument breaks a rule.
    error InvalidClientState(string field);
    /// @notice The client is frozen.
    error FrozenClient();
    /// @notice The latest consensus state is older than the trusting period.
    error ExpiredClient(uint256 expiredAtNs, uint256 nowNs);
    /// @notice The trusted state is older than the trusting period.
    error TrustedStateExpired(uint256 expiredAtNs, uint256 nowNs);
    /// @notice No consensus state is stored at this height.
    error UnknownHeight(uint64 revisionNumber, uint64 revisionHeight);
    /// @notice The trusted height has another revision than the chain identifier.
    error RevisionMismatch(uint64 expected, uint64 actual);
    /// @notice The header is not above the trusted height.
    error HeightNotIncreasing(uint64 height, uint64 trustedHeight);
    /// @notice The header is of another chain.
    error WrongChain(string expected, string actual);
    /// @notice The header's block protocol is not 11.
    error UnsupportedBlockProtocol(uint64 versionBlock);
    /// @notice The header's time is not after the trusted state's.
    error TimeNotIncreasing(uint256 headerNs, uint256 trustedNs);
    /// @notice The header's time is not before now plus the clock drift.
    error HeaderFromFuture(uint256 headerNs, uint256 limitNs);
    /// @notice Nanoseconds or seconds outside the range of the wire type.
    error InvalidTimestamp(uint64 secs, uint32 nanos);
    /// @notice A header field that must not be empty is empty.
    error EmptyField(string field);
    /// @notice The commit is for another block or height.
    error CommitMismatch(string field);
    /// @notice The validator set does not hash to what the header or trusted state says.
    error ValidatorsHashMismatch(string set, bytes32 expected, bytes32 actual);
    /// @notice The set is empty, too large, or its power is zero, or above the cap of CometBFT.
    error InvalidValidatorSet(string reason);
    /// @notice The key is not a point of secp256k1.
    error InvalidPublicKey(uint256 index);
    /// @notice More signatures than validators.
    error TooManySignatures(uint256 got, uint256 limit);
    /// @notice The entry's flag is none of absent, commit, nil.
    error InvalidCommitFlag(uint256 index, uint8 flag);
    /// @notice The signature is malformed, has a high s, or is not the validator's.
    error InvalidSignature(uint256 index);
    /// @notice A trusted validator signed twice.
    error DoubleVote(uint256 index);
    /// @notice Too little trusted power signed: update over a nearer header first.
    error NotEnoughTrust(uint256 signedPower, uint256 neededPower);
    /// @notice Not more than two thirds of the header's own validators signed.
    error NotEnoughPower(uint256 signedPower, uint256 neededPower);
    /// @notice The two headers do not contradict each other.
    error NotMisbehaviour();
    /// @notice The path has not exactly one element, or it is empty.
    error InvalidPath();
    /// @notice The proof breaks the named rule of ICS-23.
    error InvalidProof(string rule);

    /// @notice Consensus state stored at a height.
    /// @param revisionNumber revision of the chain identifier
    /// @param revisionHeight block height
    /// @return reverts with `UnknownHeight` where there is none
    function getConsensusState(
        uint64 revisionNumber,
        uint64 revisionHeight
    )
        external
        view
        returns (ConsensusState memory);

    /// @notice Stored heights around a height of this client's revision; zero where there is none.
    /// @param revisionHeight a stored height
    /// @return lower nearest stored height below
    /// @return higher nearest stored height above
    function neighbours(uint64 revisionHeight) external view returns (uint64 lower, uint64 higher);
}
