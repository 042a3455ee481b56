// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Light client of an attested chain: encodings and views (docs/spec/attestation.md)
interface IAttestationClient {
    /// @notice What a signature is good for.
    /// @param sourceRouter 1 to 64 bytes; 20 on an EVM chain
    /// @param destinationRouter this chain's router, 20 bytes
    /// @param destinationClientId identifier of this client on that router
    struct Scope {
        string sourceChainId;
        bytes sourceRouter;
        string destinationChainId;
        bytes destinationRouter;
        string destinationClientId;
    }

    /// @notice Parameters and position of the client, as `getClientState` encodes them.
    /// @param attestors strictly ascending
    /// @param threshold more than half of the attestors
    /// @param trustingPeriod seconds
    /// @param maxClockDrift seconds
    struct ClientState {
        Scope scope;
        address[] attestors;
        uint32 threshold;
        uint64 trustingPeriod;
        uint64 maxClockDrift;
        uint64 latestHeight;
        bool frozen;
    }

    /// @notice What is kept of an attested state; also the attested data themselves.
    /// @param timestamp Unix seconds
    struct ConsensusState {
        uint64 height;
        uint64 timestamp;
    }

    /// @notice A state was attested and stored.
    event ConsensusStateStored(uint64 indexed height, uint64 timestamp);
    /// @notice Misbehaviour was proven; the client verifies nothing any more.
    event ClientFrozen(uint64 indexed revisionHeight, string reason);

    /// @notice A constructor argument breaks a rule.
    error InvalidClientState(string field);
    /// @notice The client is frozen.
    error FrozenClient();
    /// @notice A state is older than the trusting period.
    error ExpiredClient(uint256 expiredAtNs, uint256 nowNs);
    /// @notice The chain has forked off under another chain id: what is attested is not meant for it.
    error WrongChainId(uint256 expected, uint256 actual);
    /// @notice No consensus state is stored at this height.
    error UnknownHeight(uint64 revisionNumber, uint64 revisionHeight);
    /// @notice Fewer signatures than the threshold, more than there are attestors, or bytes that are no whole signature.
    error InvalidSignatureCount(uint256 signatureBytes, uint256 least, uint256 most);
    /// @notice Not r, s, v with low s and v 27 or 28, or nobody's.
    error InvalidSignature(uint256 index);
    /// @notice Made by someone who is no attestor, or over other data, or for another client.
    error UnknownAttestor(uint256 index, address signer);
    /// @notice The signer is not above the one before: out of order, or a second signature.
    error SignersNotAscending(uint256 index, address signer);
    /// @notice The attested data break a rule of their encoding or range.
    error InvalidAttestedData(string field);
    /// @notice The attested time is not before now plus the clock drift.
    error HeaderFromFuture(uint256 headerNs, uint256 limitNs);
    /// @notice Both attestations can be true.
    error NotMisbehaviour();
    /// @notice The path has not exactly one element of 1 to 1 024 bytes.
    error InvalidPath();
    /// @notice The attestation does not say what is claimed.
    error InvalidProof(string rule);

    /// @notice Consensus state stored at a height.
    /// @param revisionNumber 0
    /// @param revisionHeight block height
    /// @return reverts with `UnknownHeight` where there is none
    function getConsensusState(
        uint64 revisionNumber,
        uint64 revisionHeight
    )
        external
        view
        returns (ConsensusState memory);

    /// @notice Stored heights around a stored height; zero where there is none.
    /// @param revisionHeight a stored height
    /// @return lower nearest stored height below
    /// @return higher nearest stored height above
    function neighbours(uint64 revisionHeight) external view returns (uint64 lower, uint64 higher);
}
