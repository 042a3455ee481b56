// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { ITitle } from "../interfaces/ITitle.sol";
import { CredentialGate } from "../services/CredentialGate.sol";
import { Acceptance } from "../types/Identity.sol";

/// @title Recorder of vehicles' titles: the mileage goes on by entries of licensed inspectors alone
contract ExampleInspections is CredentialGate {
    bytes32 private constant MILEAGE = "mileage";
    ITitle private immutable TITLE;
    bytes32 private immutable LICENCE;
    /// @notice Slot 1: `keccak256(head ‖ keccak256(entry))` over all entries of a title, from zero on. An entry is
    /// `abi.encode(content of the title, mileage, time, digest of the licence's seal)`.
    mapping(bytes32 title => bytes32 head) public heads;

    /// @notice A vehicle was inspected.
    event Inspected(bytes32 indexed title, bytes32 indexed licence, uint128 mileage, uint64 time);

    /// @param cache of the hub's identity records on this chain
    /// @param maxAge seconds by which a suspension may be learnt late
    /// @param licence schema of an inspector's licence
    constructor(IIdentityCache cache, uint64 maxAge, ITitle title, bytes32 licence) CredentialGate(cache, maxAge) {
        (TITLE, LICENCE) = (title, licence);
    }

    /// @notice Writes an entry, and brings the mileage of the title on. Its holder has made this contract the recorder.
    /// @param time of the inspection, Unix seconds, as the inspector says
    function inspect(Acceptance calldata licence, bytes32 title, uint128 mileage, uint64 time) external {
        bytes32 seal = _accept(licence, LICENCE, abi.encode(title, mileage, time));
        bytes32 entry = keccak256(abi.encode(TITLE.titleOf(title).content, mileage, time, seal));
        heads[title] = keccak256(abi.encode(heads[title], entry));
        TITLE.advance(title, MILEAGE, mileage);
        emit Inspected(title, seal, mileage, time);
    }
}
