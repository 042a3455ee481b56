// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { CredentialGate } from "../services/CredentialGate.sol";
import { Acceptance } from "../types/Identity.sol";

/// @title Three places, each of one licensed operator, who reports from a chain of its own
abstract contract ExampleOperators is CredentialGate {
    bytes32 private constant NAME = keccak256("name");
    bytes32 private immutable LICENCE;
    /// @notice Slots 1 to 3: who pays for a place; and 4 to 6: `keccak256(abi.encode(chain, sender))` of who reports for it.
    address[3] public accounts;
    bytes32[3] public sources;
    /// @notice Whether a source, or an operator by the hash of the name in its licence, has a place.
    mapping(bytes32 operatorOrSource => bool) public hasPlace;

    /// @notice Somebody has the place; or this operator, under whichever licence, or this source has one.
    error PlaceTaken(uint256 place, string operator, bytes32 source);

    /// @param licence schema of an operator's licence
    constructor(IIdentityCache cache, uint64 age, bytes32 licence) CredentialGate(cache, age) {
        LICENCE = licence;
    }

    /// @notice A licensed operator, who calls, takes a place and says from where it reports.
    /// @param licence shows `name`: two licences of one operator are one operator
    function join(Acceptance calldata licence, uint256 place, bytes32 source) external {
        _accept(licence, LICENCE, abi.encode(place, source));
        string memory operator = _text(licence, 0, NAME);
        bytes32 named = keccak256(bytes(operator));
        bool free = accounts[place] == address(0) && !hasPlace[named] && !hasPlace[source];
        require(free, PlaceTaken(place, operator, source));
        (accounts[place], sources[place], hasPlace[named], hasPlace[source]) = (msg.sender, source, true, true);
    }
}
