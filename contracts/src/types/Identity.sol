// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a credential says to contracts (docs/spec/identity-seal.md), signed by its issuer.
/// @param schema SHA-256 of the schema's file
/// @param issuer of `did:hutong:<hub name>:<issuer>`
/// @param list number of the issuer's status list
/// @param index place in that list
/// @param notAfter the last second in which it is accepted
/// @param holder address of a key that the wallet made for this credential alone
/// @param claimsRoot root of the salted claims
struct Seal {
    bytes32 schema;
    bytes32 issuer;
    uint64 list;
    uint64 index;
    uint64 notAfter;
    address holder;
    bytes32 claimsRoot;
}

/// @notice A claim that its holder shows.
/// @param salt 32 random bytes
/// @param name Keccak-256 of its UTF-8
/// @param kind 1 boolean, 2 integer, 3 text, 4 bytes
/// @param value of the first two one word, big-endian
/// @param path siblings on the way up to the seal's root, the lowest first
struct Disclosure {
    bytes32 salt;
    bytes32 name;
    uint8 kind;
    bytes value;
    bytes32[] path;
}

/// @notice The seal's entry in the issuance log. Needed once the key that signed has ended; all zero and empty otherwise.
/// @param credentialKey thumbprint of the key that signed the credential beside it; zero where there is none
/// @param credentialHash SHA-256 of the issuer-signed JWT; zero where there is none
/// @param place of the entry in the log
/// @param path RFC 6962 inclusion proof
struct LogProof {
    bytes32 credentialKey;
    bytes32 credentialHash;
    uint64 place;
    bytes32[] path;
}

/// @notice A seal with all that a gate asks for.
/// @param seal the seal
/// @param sealKey RFC 7638 thumbprint of the issuer's key that signed
/// @param signature of that key: 65 bytes r ‖ s ‖ v, or 64 bytes r ‖ s of a P-256 key
/// @param disclosures the claims that are shown
/// @param chunk 32 bytes of the status list, in which the seal's index is
/// @param statusPath siblings of the chunk, the lowest first
/// @param log see `LogProof`
/// @param nonce unused by the holder at this gate
/// @param deadline the last second in which the presentation is accepted
/// @param holderSignature of the holder over the presentation, 65 bytes r ‖ s ‖ v
struct Acceptance {
    Seal seal;
    bytes32 sealKey;
    bytes signature;
    Disclosure[] disclosures;
    bytes32 chunk;
    bytes32[] statusPath;
    LogProof log;
    uint256 nonce;
    uint64 deadline;
    bytes holderSignature;
}

/// @notice Why an issuer's seals of a schema by a key are not accepted, whatever they say.
enum Flaw {
    None,
    IssuerUnknown,
    KeyUnknown,
    KeyForOtherUse,
    KeyOutOfWindow,
    AccreditationUnknown,
    AccreditationRevoked,
    AccreditationOutOfWindow,
    DepthExceeded,
    SchemaNotCovered,
    AccreditorNotActive
}

/// @notice What the hub says, under one header, of an issuer that uses one key under its accreditation for one schema.
/// @param account of a secp256k1 key; zero of another
/// @param validUntil Unix seconds: the first second in which the key, or an accreditation of the chain, counts no more
/// @param flaw the first rule that did not hold
/// @param algorithm 1 ES256, 2 ES256K
/// @param ended the key is retired or compromised: only what is in its last log is accepted
/// @param height of the hub
/// @param headerTime Unix seconds
/// @param epoch of the issuer
/// @param endLogSize of a key that has ended: entries of the log that count
/// @param endLogRoot of a key that has ended: root of that log
/// @param x of a P-256 key
/// @param y of a P-256 key
struct Standing {
    address account;
    uint64 validUntil;
    Flaw flaw;
    uint8 algorithm;
    bool ended;
    uint64 height;
    uint64 headerTime;
    uint64 epoch;
    uint64 endLogSize;
    bytes32 endLogRoot;
    bytes32 x;
    bytes32 y;
}

/// @notice What the hub says, under one header, of a status list.
/// @param root over its chunks
/// @param standing key of the `Standing` of whoever seals over it
/// @param height of the hub
/// @param headerTime Unix seconds
/// @param epoch of the issuer
/// @param bits of a status: 1, 2, 4 or 8; 0 where the issuer has opened no such list
/// @param depth of the tree over its chunks
/// @param anySchema the list was opened under an accreditation for all schemas
struct StatusList {
    bytes32 root;
    bytes32 standing;
    uint64 height;
    uint64 headerTime;
    uint64 epoch;
    uint8 bits;
    uint8 depth;
    bool anySchema;
}

/// @notice All that a gate asks of the cache for one seal.
/// @param newestHeaderTime Unix seconds of the newest header of the hub that the chain's client has
/// @param newestEpoch the highest of the issuer that was ever shown
/// @param list the seal's list
/// @param standing of its issuer
struct IssuerFacts {
    uint64 newestHeaderTime;
    uint64 newestEpoch;
    StatusList list;
    Standing standing;
}

/// @notice Which records of an issuer are shown.
/// @param issuer of `did:hutong:<hub name>:<issuer>`
/// @param schema of its accreditation; zero: the one for all schemas
/// @param thumbprint RFC 7638 thumbprint of its key
/// @param lists numbers of its status lists
struct IssuerQuery {
    bytes32 issuer;
    bytes32 schema;
    bytes32 thumbprint;
    uint64[] lists;
}
