// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MerkleProof } from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import { Acceptance, Disclosure, LogProof, Seal } from "../types/Identity.sol";
import { Rfc6962 } from "./Rfc6962.sol";

/// @title Digests, claims and log entries of seals (docs/spec/identity-seal.md)
library Seals {
    bytes32 private constant SEAL_TYPEHASH = keccak256(
        "CredentialSeal(bytes32 schema,bytes32 issuer,uint64 list,uint64 index,uint64 notAfter,address holder,bytes32 claimsRoot)"
    );
    bytes32 private constant PRESENTATION_TYPEHASH =
        keccak256("SealPresentation(address caller,uint256 nonce,uint64 deadline,bytes32 seal,bytes32 call)");
    bytes32 private constant PRESENTATION_DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant PRESENTATION_NAME_HASH = keccak256("hutong seal presentation");
    bytes32 private constant VERSION_HASH = keccak256("1");
    /// @dev Without a chain or a contract: one seal is good on every chain.
    bytes32 private constant DOMAIN_SEPARATOR = keccak256(
        abi.encode(
            keccak256("EIP712Domain(string name,string version)"),
            keccak256("hutong credential seal"),
            VERSION_HASH
        )
    );
    uint256 internal constant MAX_CLAIM_PATH = 8;

    /// @notice What the issuer signs, and what its issuance log names the seal by.
    function digest(Seal calldata seal) internal pure returns (bytes32) {
        bytes32 struct_;
        bytes32 typehash = SEAL_TYPEHASH;
        // the words as they came: one that does not fit its type has another digest, which nobody signed
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            calldatacopy(add(free, 0x20), seal, 0xe0)
            struct_ := keccak256(free, 0x100)
        }
        return typed(DOMAIN_SEPARATOR, struct_);
    }

    /// @notice What the holder signs to present a seal to this contract, on this chain, for a call of the caller.
    /// @param call Keccak-256 of the selector and of the arguments after the acceptance
    function presentationDigest(Acceptance calldata shown, bytes32 seal, bytes32 call) internal view returns (bytes32) {
        bytes32 said =
            keccak256(abi.encode(PRESENTATION_TYPEHASH, msg.sender, shown.nonce, shown.deadline, seal, call));
        return typed(presentationDomain(), said);
    }

    /// @notice EIP-712 domain of presentations to this contract on this chain.
    function presentationDomain() internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                PRESENTATION_DOMAIN_TYPEHASH, PRESENTATION_NAME_HASH, VERSION_HASH, block.chainid, address(this)
            )
        );
    }

    /// @notice What EIP-712 has signed.
    function typed(bytes32 domain, bytes32 struct_) internal pure returns (bytes32 digest_) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, hex"1901")
            mstore(add(free, 0x02), domain)
            mstore(add(free, 0x22), struct_)
            digest_ := keccak256(free, 0x42)
        }
    }

    /// @notice Whether a claim stands under a root.
    function holds(bytes32 root, Disclosure calldata claim) internal pure returns (bool) {
        bytes32 leaf = keccak256(abi.encodePacked(bytes1(0), claim.salt, claim.name, claim.kind, claim.value));
        return claim.path.length <= MAX_CLAIM_PATH && MerkleProof.verifyCalldata(claim.path, root, leaf);
    }

    /// @notice The root of an issuance log of so many entries in which the seal's entry stands; zero where the path has another
    /// length.
    function logRoot(Acceptance calldata shown, bytes32 digest_, uint64 entries)
        internal
        pure
        returns (bytes32)
    {
        LogProof calldata log = shown.log;
        // the tag of an RFC 6962 leaf, then the entry, which begins with its version
        bytes memory leaf = abi.encodePacked(
            hex"0001",
            abi.encode(
                shown.seal.list, shown.seal.index, log.credentialKey, log.credentialHash, shown.sealKey, digest_
            )
        );
        return Rfc6962.rootOf(sha256(leaf), log.place, entries, log.path);
    }
}
