// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { CredentialGate } from "../services/CredentialGate.sol";
import { Acceptance } from "../types/Identity.sol";

/// @title An employer who takes applications with a diploma of any accredited university: degree and year, and nothing else
contract ExampleEmployer is CredentialGate {
    bytes32 private constant DEGREE = keccak256("degree");
    bytes32 private constant YEAR = keccak256("year");
    bytes32 private immutable SCHEMA;
    /// @notice Slot 1: `keccak256(abi.encode(position, degree, year))` of an application, by the digest of its diploma's seal.
    mapping(bytes32 diploma => bytes32 said) public applications;

    /// @notice Somebody applied.
    event Applied(bytes32 indexed position, bytes32 indexed diploma, string degree, int256 year);

    /// @notice More was shown than the employer may know.
    error TooMuchShown(uint256 claims);
    /// @notice This diploma has applied.
    error AppliedAlready(bytes32 diploma);

    /// @param cache of the hub's identity records on this chain
    /// @param maxAge seconds by which a revocation may be learnt late
    /// @param schema of a diploma
    constructor(IIdentityCache cache, uint64 maxAge, bytes32 schema) CredentialGate(cache, maxAge) {
        SCHEMA = schema;
    }

    /// @notice Applies for a position.
    /// @param diploma shows `degree` and `year`, in this order
    function applyFor(Acceptance calldata diploma, bytes32 position) external {
        bytes32 seal = _accept(diploma, SCHEMA, abi.encode(position));
        require(diploma.disclosures.length == 2, TooMuchShown(diploma.disclosures.length));
        require(applications[seal] == 0, AppliedAlready(seal));
        string memory degree = _text(diploma, 0, DEGREE);
        int256 year = _integer(diploma, 1, YEAR);
        applications[seal] = keccak256(abi.encode(position, degree, year));
        emit Applied(position, seal, degree, year);
    }
}
