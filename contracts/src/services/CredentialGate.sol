// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { ICredentialGate } from "../interfaces/ICredentialGate.sol";
import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { ChunkTree } from "../libraries/ChunkTree.sol";
import { Seals } from "../libraries/Seals.sol";
import { Acceptance, Disclosure, Flaw, IssuerFacts, Seal, Standing, StatusList } from "../types/Identity.sol";

/// @title What a contract inherits to accept credentials
/// @notice `_accept` refuses, by one error for each rule, unless the issuer may issue, the credential is neither over nor
/// revoked, and its holder presents it to this contract, on this chain, for this call by this caller, once. A function that
/// calls it takes the acceptance as its first argument, and hands on the encoding of the others.
abstract contract CredentialGate is ICredentialGate {
    uint256 private constant BOOLEAN = 1;
    uint256 private constant INTEGER = 2;
    uint256 private constant TEXT = 3;
    uint8 internal constant ES256K = 2;

    IIdentityCache private immutable CACHE;
    uint64 private immutable MAX_AGE;
    mapping(address holder => mapping(uint256 word => uint256 bits)) private _nonces;

    /// @param cache of the hub's identity records on this chain
    /// @param maxAge seconds by which a revocation may be learnt late: 15 for money, more for a library card
    constructor(IIdentityCache cache, uint64 maxAge) {
        // an address that is no cache does not answer
        require(cache.hubClient() != address(0));
        (CACHE, MAX_AGE) = (cache, maxAge);
    }

    /// @inheritdoc ICredentialGate
    function identityCache() external view returns (address) {
        return address(CACHE);
    }

    /// @inheritdoc ICredentialGate
    function maxCredentialAge() external view returns (uint64) {
        return MAX_AGE;
    }

    /// @inheritdoc ICredentialGate
    function isNonceUsed(address holder, uint256 nonce) external view returns (bool used) {
        return _nonces[holder][nonce >> 8] >> (nonce & 0xff) & 1 == 1;
    }

    /// @dev Accepts a seal for this call.
    /// @param shown first argument of the call
    /// @param schema that is asked for
    /// @param arguments `abi.encode` of the call's other arguments, which the holder signed
    /// @return seal its digest: one credential has one, on every chain
    function _accept(Acceptance calldata shown, bytes32 schema, bytes memory arguments)
        internal
        returns (bytes32 seal)
    {
        Seal calldata said = shown.seal;
        seal = Seals.digest(said);
        require(said.schema == schema, OtherSchema(said.schema, schema));
        IssuerFacts memory known = CACHE.facts(said.issuer, said.list);
        // a proposer who holds the clock back is no help against a header that everybody knows
        uint256 time = known.newestHeaderTime > block.timestamp ? known.newestHeaderTime : block.timestamp;
        require(time <= said.notAfter, SealOver(said.notAfter, time));
        _requireFresh(known, time);
        _requireList(shown, known.list);
        _requireStanding(said.issuer, known.standing, time);
        _requireSigned(shown, seal, known);
        _requireValid(shown, known.list);
        for (uint256 i = 0; i < shown.disclosures.length; ++i) {
            require(Seals.holds(said.claimsRoot, shown.disclosures[i]), ClaimNotSealed(i));
        }
        _requireHolder(shown, seal, arguments, time);
        emit SealAccepted(
            seal, said.issuer, said.list, known.list.height, known.standing.height, MAX_AGE
        );
    }

    /// @dev The claim at a place, which `_accept` has judged, as yes or no.
    function _boolean(Acceptance calldata shown, uint256 place, bytes32 name) internal pure returns (bool) {
        return uint256(bytes32(_claim(shown, place, name, BOOLEAN))) == 1;
    }

    /// @dev As `_boolean`, an integer. Dates are whole days since 1970-01-01.
    function _integer(Acceptance calldata shown, uint256 place, bytes32 name) internal pure returns (int256) {
        return int256(uint256(bytes32(_claim(shown, place, name, INTEGER))));
    }

    /// @dev As `_boolean`, a text.
    function _text(Acceptance calldata shown, uint256 place, bytes32 name) internal pure returns (string memory) {
        return string(_claim(shown, place, name, TEXT));
    }

    /// @dev Whether a P-256 key signed; `CredentialGateP256` takes such seals.
    function _isSignedByP256(bytes32, bytes calldata, Standing memory) internal view virtual returns (bool) {
        return false;
    }

    /// @dev Whether seals by keys of this algorithm are taken.
    function _takes(uint8 algorithm) internal pure virtual returns (bool) {
        return algorithm == ES256K;
    }

    function _requireFresh(IssuerFacts memory known, uint256 time) private view {
        StatusList memory list = known.list;
        require(time - list.headerTime <= MAX_AGE, StaleList(list.headerTime, MAX_AGE, time));
        require(list.epoch >= known.newestEpoch, ListOfPastEpoch(list.epoch, known.newestEpoch));
        if (list.bits == 0) return;
        Standing memory issuer = known.standing;
        require(time - issuer.headerTime <= MAX_AGE, StaleIssuer(issuer.headerTime, MAX_AGE, time));
        require(issuer.epoch >= known.newestEpoch, IssuerOfPastEpoch(issuer.epoch, known.newestEpoch));
    }

    /// @dev The list is this key's, under its issuer's accreditation for the seal's schema, or for all.
    function _requireList(Acceptance calldata shown, StatusList memory list) private pure {
        Seal calldata said = shown.seal;
        require(list.bits != 0, ListUnknown(said.issuer, said.list));
        bytes32 schema = list.anySchema ? bytes32(0) : said.schema;
        bytes32 standing = keccak256(abi.encode(said.issuer, schema, shown.sealKey));
        require(standing == list.standing, ListOfAnother(list.standing, standing));
    }

    function _requireStanding(bytes32 issuer, Standing memory standing, uint256 time) private pure {
        Flaw flaw = standing.flaw;
        if (flaw != Flaw.None) {
            require(flaw != Flaw.IssuerUnknown, IssuerUnknown(issuer));
            require(flaw != Flaw.KeyUnknown, KeyUnknown(issuer));
            require(flaw != Flaw.KeyForOtherUse, KeyForOtherUse(issuer));
            require(flaw != Flaw.KeyOutOfWindow, KeyOutOfWindow(issuer));
            require(flaw != Flaw.AccreditationUnknown, AccreditationUnknown(issuer));
            require(flaw != Flaw.AccreditationRevoked, AccreditationRevoked(issuer));
            require(flaw != Flaw.AccreditationOutOfWindow, AccreditationOutOfWindow(issuer));
            require(flaw != Flaw.DepthExceeded, DepthExceeded(issuer));
            require(flaw != Flaw.SchemaNotCovered, SchemaNotCovered(issuer));
            revert AccreditorNotActive(issuer);
        }
        require(time < standing.validUntil, StandingOver(standing.validUntil, time));
    }

    function _requireSigned(Acceptance calldata shown, bytes32 seal, IssuerFacts memory known) private view {
        Standing memory standing = known.standing;
        require(_takes(standing.algorithm), AlgorithmNotTaken(standing.algorithm));
        bool signed;
        if (standing.algorithm == ES256K) {
            (address account, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(seal, shown.signature);
            signed = failure == ECDSA.RecoverError.NoError && account == standing.account;
        } else {
            signed = _isSignedByP256(seal, shown.signature, standing);
        }
        require(signed, SealNotSigned(seal));
        if (standing.ended) _requireLogged(shown, seal, known);
    }

    /// @dev What was in the log when the key ended outlives it, and nothing else does.
    function _requireLogged(Acceptance calldata shown, bytes32 seal, IssuerFacts memory known) private pure {
        Standing memory standing = known.standing;
        require(standing.endLogSize != 0, NothingLogged(shown.seal.issuer));
        bytes32 root = Seals.logRoot(shown, seal, standing.endLogSize);
        require(root == standing.endLogRoot, NotLogged(seal));
    }

    function _requireValid(Acceptance calldata shown, StatusList memory list) private view {
        uint256 index = shown.seal.index;
        uint256 size = ChunkTree.size(list.bits, list.depth);
        require(index < size, IndexOutOfRange(shown.seal.index, size));
        uint256 length = shown.statusPath.length;
        require(length == list.depth, OtherPathLength(length, list.depth));
        bytes32 root = ChunkTree.rootOf(shown.chunk, list.bits, index, shown.statusPath);
        require(root == list.root, StatusNotProven(root, list.root));
        uint256 status = ChunkTree.statusIn(shown.chunk, list.bits, index);
        require(status == 0, CredentialRevoked(status));
    }

    function _requireHolder(Acceptance calldata shown, bytes32 seal, bytes memory arguments, uint256 time) private {
        address holder = shown.seal.holder;
        uint256 nonce = shown.nonce;
        require(time <= shown.deadline, PresentationOver(shown.deadline, time));
        uint256 bits = _nonces[holder][nonce >> 8];
        uint256 bit = 1 << (nonce & 0xff);
        require(bits & bit == 0, NonceUsed(holder, nonce));
        _nonces[holder][nonce >> 8] = bits | bit;
        bytes32 call = keccak256(abi.encodePacked(msg.sig, arguments));
        bytes32 presented = Seals.presentationDigest(shown, seal, call);
        (address account, ECDSA.RecoverError failure,) =
            ECDSA.tryRecoverCalldata(presented, shown.holderSignature);
        require(failure == ECDSA.RecoverError.NoError && account == holder, HolderNotSigned(holder));
    }

    function _claim(Acceptance calldata shown, uint256 place, bytes32 name, uint256 kind)
        private
        pure
        returns (bytes calldata)
    {
        require(place < shown.disclosures.length, OtherClaim(place));
        Disclosure calldata claim = shown.disclosures[place];
        require(claim.name == name && claim.kind == kind, OtherClaim(place));
        // a kind of one word has one word, whoever sealed it
        require(kind == TEXT || claim.value.length == 32, OtherClaim(place));
        return claim.value;
    }
}
