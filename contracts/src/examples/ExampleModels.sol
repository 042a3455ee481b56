// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { CredentialGate } from "../services/CredentialGate.sol";
import { Acceptance } from "../types/Identity.sol";

/// @title A register of models whose weights an accredited office has approved, each under its approval
contract ExampleModels is CredentialGate {
    bytes32 private constant WEIGHTS = keccak256("weights");
    bytes32 private immutable SCHEMA;
    /// @notice Slot 1: Keccak-256 of the weights' SHA-256 as text, by the digest of the approval's seal.
    mapping(bytes32 approval => bytes32 weights) public models;

    /// @notice A model may be used.
    event Registered(bytes32 indexed approval, string weights);

    /// @param cache of the hub's identity records on this chain
    /// @param maxAge seconds by which a withdrawal may be learnt late
    /// @param schema of an approval
    constructor(IIdentityCache cache, uint64 maxAge, bytes32 schema) CredentialGate(cache, maxAge) {
        SCHEMA = schema;
    }

    /// @notice Registers a model.
    /// @param approval shows `weights`, and may show more
    function register(Acceptance calldata approval) external {
        bytes32 seal = _accept(approval, SCHEMA, "");
        string memory weights = _text(approval, 0, WEIGHTS);
        models[seal] = keccak256(bytes(weights));
        emit Registered(seal, weights);
    }
}
