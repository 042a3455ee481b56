// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../interfaces/IIdentityCache.sol";

/// @title Keys and values of identity records (docs/spec/identity-records.md)
/// @notice What is read here stands under a root of the hub, which writes one canonical encoding of each: a version byte, then
/// static words. Version and length are checked, and that numbers fit.
library IdentityRecords {
    uint256 internal constant DID_WORDS = 14;
    uint256 internal constant KEY_WORDS = 16;
    uint256 internal constant ACCREDITATION_WORDS = 9;
    uint256 internal constant LIST_WORDS = 7;
    uint256 internal constant EPOCH_WORDS = 3;

    uint256 internal constant DID_STATE = 3;
    uint256 internal constant KEY_ALGORITHM = 0;
    uint256 internal constant KEY_X = 1;
    uint256 internal constant KEY_Y = 2;
    uint256 internal constant KEY_ACCOUNT = 3;
    uint256 internal constant KEY_PURPOSES = 5;
    uint256 internal constant KEY_VALID_FROM = 6;
    uint256 internal constant KEY_VALID_UNTIL = 7;
    uint256 internal constant KEY_STATE = 9;
    uint256 internal constant KEY_END_LOG_SIZE = 11;
    uint256 internal constant KEY_END_LOG_ROOT = 12;
    uint256 internal constant ACCREDITOR = 0;
    uint256 internal constant PARENT_SCHEMA = 1;
    uint256 internal constant DEPTH = 2;
    uint256 internal constant VALID_FROM = 3;
    uint256 internal constant VALID_UNTIL = 4;
    uint256 internal constant ACCREDITATION_STATE = 5;
    uint256 internal constant LIST_ROOT = 0;
    uint256 internal constant LIST_KEY = 1;
    uint256 internal constant LIST_SEAL_KEY = 2;
    uint256 internal constant LIST_SCHEMA = 3;
    uint256 internal constant LIST_FORM = 5;
    uint256 internal constant EPOCH = 0;

    uint256 internal constant ACTIVE = 1;
    uint256 private constant WORD_BYTES = 32;
    /// @dev Of four numbers in a word, the place of the first; that of the second is 64 bits lower.
    uint256 private constant FIRST_OF_FOUR = 192;
    uint256 private constant SECOND_OF_FOUR = 128;
    bytes1 private constant VERSION = 0x01;

    /// @notice Keccak-256 of the key of a DID's record.
    function didKey(bytes32 did) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("identity/did/", did));
    }

    /// @notice Keccak-256 of the key of a key's record.
    function keyKey(bytes32 did, bytes32 thumbprint) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("identity/key/", did, thumbprint));
    }

    /// @notice Keccak-256 of the key of an accreditation.
    function accreditationKey(bytes32 subject, bytes32 schema) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("identity/accreditation/", subject, schema));
    }

    /// @notice Keccak-256 of the key of a status list's record.
    function listKey(bytes32 issuer, uint64 list) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("identity/list/", issuer, list));
    }

    /// @notice Keccak-256 of the key of an issuer's epoch.
    function epochKey(bytes32 issuer) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("identity/epoch/", issuer));
    }

    /// @notice Refuses unless the value is of this version and has so many words.
    function requireWords(bytes calldata value, uint256 count) internal pure {
        require(
            value.length == 1 + count * WORD_BYTES && value[0] == VERSION, IIdentityCache.MalformedIdentityRecord()
        );
    }

    /// @notice A word of a value whose length was checked.
    function word(bytes calldata value, uint256 index) internal pure returns (bytes32 found) {
        assembly ("memory-safe") {
            found := calldataload(add(add(value.offset, 1), shl(5, index)))
        }
    }

    /// @notice As `word`, a number of at most 64 bits.
    function number(bytes calldata value, uint256 index) internal pure returns (uint64) {
        uint256 found = uint256(word(value, index));
        require(found <= type(uint64).max, IIdentityCache.MalformedIdentityRecord());
        return uint64(found);
    }

    /// @notice Width and size of a list, of a value whose length was checked.
    function listForm(bytes calldata value) internal pure returns (uint8 bits, uint64 size) {
        uint256 form = uint256(word(value, LIST_FORM));
        uint256 width = form >> FIRST_OF_FOUR;
        require(width <= type(uint8).max, IIdentityCache.MalformedIdentityRecord());
        return (uint8(width), uint64(form >> SECOND_OF_FOUR));
    }
}
