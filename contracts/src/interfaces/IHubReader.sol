// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClientStatus, Height } from "../types/Client.sol";
import { Answer, Record, RecordProof } from "../types/Record.sol";

/// @title Reader of the hub's records, and so of other chains' state (docs/spec/records.md)
/// @notice What it returns has passed every rule of reading; what does not is refused by a typed error. Ages are whole seconds:
/// a record is refused once its header, or the observed block, is as old as `maxAge`, so that a caller says itself how late it
/// may learn of a change, even where every relay is dead.
///
/// `minTrust`: 0 takes anything; 1 to 64 what the observed chain's consensus proves, or at least so many attestors stand for;
/// 255 what is proven alone. Records that are not observations are the hub's own word, and are read whatever it says.
interface IHubReader {
    /// @notice A record was kept for `readCached`.
    event RecordKept(bytes32 indexed keyHash, uint64 indexed revisionHeight, bytes key);
    /// @notice An epoch was kept: what was observed over the client before it is refused from now on.
    event EpochKept(string clientId, uint64 indexed revisionHeight, uint64 epoch, bool readable);

    /// @notice Not a contract, or a client of another type.
    error NotAHubClient(address client);
    /// @notice The chain's client of the hub is frozen or expired: nothing is read.
    error HubClientNotActive(ClientStatus status);
    /// @notice The hub's header is too old.
    error StaleHeader(uint256 headerTime, uint256 maxAge, uint256 nowTime);
    /// @notice The observed block is too old, however new the hub's header is.
    error StaleSource(uint256 sourceTime, uint256 maxAge, uint256 nowTime);
    /// @notice A time lies further ahead than clocks may differ.
    error FromFuture(uint256 time, uint256 limit);
    /// @notice Neither shown under this root nor kept at this height.
    error EpochNotProven(string clientId);
    /// @notice The hub's client of the observed chain is frozen or has expired.
    error ObservedClientClosed(string clientId, uint64 epoch);
    /// @notice The client was frozen, or expired, or was recovered since the record was written.
    error EpochRevoked(string clientId, uint64 epoch, uint64 current);
    /// @notice Too few attestors stand for it, or none is enough.
    error TrustTooLow(uint8 threshold, uint8 minTrust);
    /// @notice `minTrust` is neither from 0 to 64 nor 255.
    error InvalidMinTrust(uint8 minTrust);
    /// @notice The named part is not as docs/spec/records.md has it.
    error MalformedRecord(string field);
    /// @notice Too long to be kept.
    error RecordTooLong(uint256 length, uint256 limit);
    /// @notice Nothing was kept under the key since the chain's client of the hub was put in its place.
    error NotKept(bytes key);

    /// @notice Reads one record.
    /// @param key of the record
    /// @param value what it is claimed to hold; empty: nothing is written there
    /// @param proof of the record, and of its client's epoch if it is an observation
    /// @param height of the hub, which the chain's client of it has a consensus state of
    /// @param maxAge seconds
    /// @param minTrust see above
    /// @return what the record says
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
        returns (Answer memory);

    /// @notice Reads several records under one root.
    /// @param records ascending by the SHA-256 of their keys
    /// @param proof of records and epochs together
    /// @param height of the hub
    /// @param maxAge seconds
    /// @param minTrust see above
    /// @return what each says, in their order
    function readMany(
        Record[] calldata records,
        RecordProof calldata proof,
        Height calldata height,
        uint64 maxAge,
        uint8 minTrust
    )
        external
        view
        returns (Answer[] memory);

    /// @notice Keeps records and epochs for reads without a proof. Open to everyone: proofs decide. Where something newer is
    /// kept, nothing changes. Epochs alone may be kept too, which makes a revocation known.
    /// @param records ascending by the SHA-256 of their keys, each of at most 8 229 bytes
    /// @param proof of records and epochs together
    /// @param height of the hub
    function keep(Record[] calldata records, RecordProof calldata proof, Height calldata height) external;

    /// @notice Reads one kept record. Header time is that of the root under which it was kept.
    /// @param key of the record
    /// @param maxAge seconds
    /// @param minTrust see above
    /// @return what the record says
    function readCached(bytes calldata key, uint64 maxAge, uint8 minTrust) external view returns (Answer memory);

    /// @notice Reads several kept records.
    /// @param keys of the records
    /// @param maxAge seconds
    /// @param minTrust see above
    /// @return what each says, in their order
    function readManyCached(
        bytes[] calldata keys,
        uint64 maxAge,
        uint8 minTrust
    )
        external
        view
        returns (Answer[] memory);

    /// @notice The newest epoch that was kept of a client of the hub.
    /// @param observedClient identifier on the hub
    /// @return revisionHeight at which it was shown; 0: none was kept
    /// @return epoch its number
    /// @return readable false: the client is not active
    function keptEpoch(string calldata observedClient)
        external
        view
        returns (uint64 revisionHeight, uint64 epoch, bool readable);

    /// @notice The chain's client of the hub, as the router has it now. Whoever may migrate clients there is trusted with it.
    /// @return address of a HubClient
    function hubClient() external view returns (address);

    /// @notice Router that is asked for it.
    /// @return address
    function router() external view returns (address);

    /// @notice Identifier on that router.
    /// @return text such as `client-0`
    function clientId() external view returns (string memory);
}
