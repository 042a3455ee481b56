// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClientStatus, Height } from "../types/Client.sol";
import { IssuerFacts, IssuerQuery } from "../types/Identity.sol";
import { IRoutedHubClient } from "./IRoutedHubClient.sol";
import { Multiproof, Record } from "../types/Record.sol";

/// @title What a chain knows of the hub's issuers (docs/spec/identity-seal.md)
/// @notice Anyone shows records of an issuer under one header of the hub, and whatever they say is kept with the header's time:
/// also that a key has ended, or that an accreditation is gone. Nobody has rights here.
interface IIdentityCache is IRoutedHubClient {
    /// @notice What is kept of an issuer is now of this height.
    /// @param issuer of `did:hutong:<hub name>:<issuer>`
    /// @param standing key of what is kept: K(issuer ‖ schema ‖ thumbprint)
    /// @param revisionHeight of the hub
    /// @param epoch of the issuer
    /// @param flaw as `Flaw` numbers them; 0: none
    event IssuerSynced(
        bytes32 indexed issuer, bytes32 indexed standing, uint64 revisionHeight, uint64 epoch, uint8 flaw
    );
    /// @notice What is kept of a status list is now of this height.
    event ListSynced(bytes32 indexed issuer, uint64 indexed list, uint64 revisionHeight, bytes32 root);

    /// @notice The chain's client of the hub is frozen or expired: nothing is read.
    error HubClientNotActive(ClientStatus status);
    /// @notice The record at this place is of another key than is needed there.
    /// @param place in `places`
    error WrongRecord(uint256 place);
    /// @notice Fewer or more places than records are needed.
    error WrongPlaces(uint256 got, uint256 needed);
    /// @notice A value is no identity record of version 1.
    error MalformedIdentityRecord();
    /// @notice A registered issuer has an epoch, and the record is not shown.
    error EpochMissing(bytes32 issuer);
    /// @notice Nothing was shown of this list since the chain's client of the hub was put in its place.
    error ListNotSynced(bytes32 issuer, uint64 list);
    /// @notice Nothing was shown of the issuer with the key and schema of this list.
    error IssuerNotSynced(bytes32 issuer, bytes32 standing);

    /// @notice Keeps what the hub says of an issuer under one header. Open to everyone: proofs decide. What is kept of a later
    /// height stays.
    /// @param query which issuer, schema, key and lists
    /// @param records all that are needed, ascending by the SHA-256 of their keys
    /// @param places in `records` of what is needed, in this order: DID, key and epoch of the issuer; each list; then the chain
    /// of accreditations: a record, the DID of its accreditor, the record that this one stands on, up to a root's, or to the
    /// first that does not hold
    /// @param proof of all
    /// @param height of the hub
    function sync(
        IssuerQuery calldata query,
        Record[] calldata records,
        uint8[] calldata places,
        Multiproof calldata proof,
        Height calldata height
    )
        external;

    /// @notice What is kept for a seal. Ages, epochs and flaws are the caller's to judge.
    /// @param issuer of the seal
    /// @param list of the seal
    /// @return list, standing, the newest epoch, and the time of the newest header
    function facts(bytes32 issuer, uint64 list) external view returns (IssuerFacts memory);
}
