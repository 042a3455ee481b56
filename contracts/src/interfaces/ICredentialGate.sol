// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;


/// @title Refusals of a contract that accepts credentials (docs/spec/identity-seal.md)
interface ICredentialGate {
    /// @notice A seal was accepted, for the call that this event is of.
    /// @param seal its digest
    /// @param issuer of `did:hutong:<hub name>:<issuer>`
    /// @param list of the issuer
    /// @param listHeight height of the hub at which the status was 0
    /// @param standingHeight height of the hub at which issuer, key and accreditations counted
    /// @param maxAge seconds by which this contract may learn late of a revocation
    event SealAccepted(
        bytes32 indexed seal,
        bytes32 indexed issuer,
        uint64 list,
        uint64 listHeight,
        uint64 standingHeight,
        uint64 maxAge
    );

    /// @notice The seal is of another schema than this call asks for.
    error OtherSchema(bytes32 schema, bytes32 expected);
    /// @notice The seal's last second has passed.
    error SealOver(uint64 notAfter, uint256 nowTime);
    /// @notice What is kept of the list is too old: synchronise the cache.
    error StaleList(uint64 headerTime, uint64 maxAge, uint256 nowTime);
    /// @notice What is kept of the issuer is too old: synchronise the cache.
    error StaleIssuer(uint64 headerTime, uint64 maxAge, uint256 nowTime);
    /// @notice The issuer has taken something back since what is kept of the list: synchronise the cache.
    error ListOfPastEpoch(uint64 epoch, uint64 newest);
    /// @notice The issuer has taken something back since what is kept of it: synchronise the cache.
    error IssuerOfPastEpoch(uint64 epoch, uint64 newest);
    /// @notice The issuer has opened no list of this number.
    error ListUnknown(bytes32 issuer, uint64 list);
    /// @notice The list's seals are by another key, or it was opened for another schema than the seal's.
    error ListOfAnother(bytes32 standing, bytes32 expected);
    /// @notice The issuer is not registered.
    error IssuerUnknown(bytes32 issuer);
    /// @notice The issuer has no such key.
    error KeyUnknown(bytes32 issuer);
    /// @notice The key is for something else.
    error KeyForOtherUse(bytes32 issuer);
    /// @notice The key's window has not begun or is over.
    error KeyOutOfWindow(bytes32 issuer);
    /// @notice An accreditation of the chain does not exist.
    error AccreditationUnknown(bytes32 issuer);
    /// @notice An accreditation of the chain is revoked.
    error AccreditationRevoked(bytes32 issuer);
    /// @notice The window of an accreditation has not begun or is over.
    error AccreditationOutOfWindow(bytes32 issuer);
    /// @notice The chain is longer than its depths allow.
    error DepthExceeded(bytes32 issuer);
    /// @notice An accreditation stands on one for another schema.
    error SchemaNotCovered(bytes32 issuer);
    /// @notice Somebody in the chain is not registered, or deactivated.
    error AccreditorNotActive(bytes32 issuer);
    /// @notice The window of the key, or of an accreditation, has ended since what is kept of them.
    error StandingOver(uint64 validUntil, uint256 nowTime);
    /// @notice The list's seals are by a key of a curve that this contract does not take.
    error AlgorithmNotTaken(uint8 algorithm);
    /// @notice Another key signed, or another seal.
    error SealNotSigned(bytes32 seal);
    /// @notice The key has ended, and nothing counted in the log by then.
    error NothingLogged(bytes32 issuer);
    /// @notice The key has ended, and the seal is not in the log of that time.
    error NotLogged(bytes32 seal);
    /// @notice The list has no such index.
    error IndexOutOfRange(uint64 index, uint256 size);
    /// @notice The path has another length than the list's tree.
    error OtherPathLength(uint256 got, uint256 expected);
    /// @notice The path leads to another root than the list's.
    error StatusNotProven(bytes32 root, bytes32 expected);
    /// @notice The status is not 0: revoked or suspended.
    error CredentialRevoked(uint256 status);
    /// @notice The claim does not stand under the seal's root.
    error ClaimNotSealed(uint256 place);
    /// @notice The claim at this place is of another name or kind than this call asks for.
    error OtherClaim(uint256 place);
    /// @notice The presentation's last second has passed.
    error PresentationOver(uint64 deadline, uint256 nowTime);
    /// @notice The holder has presented with this nonce here.
    error NonceUsed(address holder, uint256 nonce);
    /// @notice The holder's key did not sign this presentation of this seal to this contract by this caller for this call.
    error HolderNotSigned(address holder);

    /// @notice The cache that is asked.
    /// @return address of an IdentityCache
    function identityCache() external view returns (address);

    /// @notice By how many seconds this contract may learn late of a revocation.
    /// @return seconds
    function maxCredentialAge() external view returns (uint64);

    /// @notice Whether a holder has presented with a nonce here.
    /// @param holder address of the seal's holder
    /// @param nonce any number
    /// @return used true: a presentation with it is refused
    function isNonceUsed(address holder, uint256 nonce) external view returns (bool used);
}
