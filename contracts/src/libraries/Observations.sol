// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubReader } from "../interfaces/IHubReader.sol";
import { Answer, Presence } from "../types/Record.sol";

/// @title Keys and values of observations and epochs (docs/spec/records.md)
/// @notice What is read here stands under a root of the hub, or is shown not to; the hub writes nothing else under these keys.
library Observations {
    uint256 private constant NANOS = 1_000_000_000;
    uint256 private constant HEAD_BYTES = 37;
    uint256 private constant WORD_BYTES = 32;
    uint256 private constant MAX_STORE_VALUE_BYTES = 8192;
    uint256 private constant EPOCH_BYTES = 18;
    uint256 private constant MIN_CLIENT_BYTES = 8;
    uint256 private constant MAX_CLIENT_BYTES = 64;
    /// @dev Version, presence, trust, threshold, attestors of what is proven, and present.
    uint40 private constant PROVEN_PRESENT = 0x0101010000;
    uint40 private constant PROVEN_ABSENT = 0x0100010000;
    uint8 private constant VERSION = 1;
    uint8 private constant ATTESTED = 2;
    uint8 private constant MAX_ATTESTORS = 64;

    /// @notice SHA-256 of calldata, without a copy that stays in memory.
    function hash(bytes calldata data) internal view returns (bytes32 digest) {
        assembly ("memory-safe") {
            let copy := mload(0x40)
            calldatacopy(copy, data.offset, data.length)
            if iszero(staticcall(gas(), 2, copy, data.length, 0, 0x20)) { revert(0, 0) }
            digest := mload(0)
        }
    }

    /// @notice Where a client's epoch is in the hub's tree.
    /// @return path SHA-256 of its key, `observation/client/<id>`
    /// @return clientIdHash Keccak-256 of the identifier
    function epochPath(string calldata clientId) internal view returns (bytes32 path, bytes32 clientIdHash) {
        assembly ("memory-safe") {
            let key := mload(0x40)
            mstore(key, "observation/client/")
            let id := add(key, 19)
            calldatacopy(id, clientId.offset, clientId.length)
            clientIdHash := keccak256(id, clientId.length)
            if iszero(staticcall(gas(), 2, key, add(clientId.length, 19), 0, 0x20)) { revert(0, 0) }
            path := mload(0)
        }
    }

    /// @notice Reads the key of a record.
    /// @return client identifier of the hub's client; empty: a record of another kind, which has no epoch
    /// @return ofEvm whether a present value has 32 bytes
    function parseKey(bytes calldata key) internal pure returns (bytes calldata client, bool ofEvm) {
        unchecked {
            bytes32 head = bytes32(_load(key, 0));
            uint256 start;
            // from the slash after the identifier on
            uint256 tail;
            if (bytes17(head) == "observation/slot/") (start, tail, ofEvm) = (17, 53, true);
            else if (bytes20(head) == "observation/account/") (start, tail, ofEvm) = (20, 22, true);
            else if (bytes18(head) == "observation/store/") (start, tail) = (18, 33);
            else return (_part(key, 0, 0), false);
            uint256 length = key.length - start - tail;
            // a key that is too short has a length below zero, which is a large one here
            require(length - MIN_CLIENT_BYTES <= MAX_CLIENT_BYTES - MIN_CLIENT_BYTES, IHubReader.MalformedRecord("key"));
            require(_load(key, start + length) >> 248 == 0x2f, IHubReader.MalformedRecord("key"));
            client = _part(key, start, length);
        }
    }

    /// @notice Reads an observation into an answer.
    /// @param answer what is filled
    /// @return epoch of the observation
    function read(bytes calldata value, bool ofEvm, Answer memory answer) internal pure returns (uint64 epoch) {
        unchecked {
            uint256 length = value.length;
            require(length >= HEAD_BYTES, IHubReader.MalformedRecord("length"));
            uint256 head = _load(value, 0);
            uint40 kind = uint40(head >> 216);
            if (kind != PROVEN_PRESENT && kind != PROVEN_ABSENT) _readTrust(kind, answer);
            epoch = uint64(head >> 152);
            answer.sourceHeight.revisionNumber = uint64(head >> 88);
            answer.sourceHeight.revisionHeight = uint64(head >> 24);
            uint64 timestamp = uint64(_load(value, 5));
            require(epoch != 0 && timestamp != 0, IHubReader.MalformedRecord("epoch or source time"));
            answer.sourceTime = uint64(timestamp / NANOS);
            length -= HEAD_BYTES;
            if (uint8(kind >> 24) == 0) {
                require(length == 0, IHubReader.MalformedRecord("value"));
                answer.presence = Presence.Absent;
                return epoch;
            }
            require(
                ofEvm ? length == WORD_BYTES : length != 0 && length <= MAX_STORE_VALUE_BYTES,
                IHubReader.MalformedRecord("value")
            );
            answer.presence = Presence.Present;
            answer.value = _part(value, HEAD_BYTES, length);
        }
    }

    /// @notice Reads an epoch.
    /// @return number rises by one at each change
    /// @return readable false: the client is not active
    function readEpoch(bytes calldata value) internal pure returns (uint64 number, bool readable) {
        uint256 word = _load(value, 0);
        uint256 head = word >> 240;
        number = uint64(word >> 176);
        require(
            value.length == EPOCH_BYTES && head >> 1 == uint256(VERSION) << 7 && number != 0,
            IHubReader.MalformedRecord("client")
        );
        readable = head & 1 == 1;
    }

    function _readTrust(uint40 kind, Answer memory answer) private pure {
        require(uint8(kind >> 32) == VERSION, IHubReader.MalformedRecord("version"));
        require(uint8(kind >> 24) <= 1, IHubReader.MalformedRecord("presence"));
        uint8 threshold = uint8(kind >> 8);
        uint8 attestors = uint8(kind);
        require(
            uint8(kind >> 16) == ATTESTED && threshold != 0 && threshold <= attestors && attestors <= MAX_ATTESTORS,
            IHubReader.MalformedRecord("trust")
        );
        (answer.threshold, answer.attestors) = (threshold, attestors);
    }

    function _load(bytes calldata data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, index))
        }
    }

    /// @dev The caller has compared the lengths.
    function _part(bytes calldata data, uint256 start, uint256 length) private pure returns (bytes calldata part) {
        assembly ("memory-safe") {
            part.offset := add(data.offset, start)
            part.length := length
        }
    }
}
