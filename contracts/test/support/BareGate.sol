// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../../src/interfaces/IIdentityCache.sol";
import { CredentialGateP256 } from "../../src/services/CredentialGateP256.sol";
import { CredentialGate } from "../../src/services/CredentialGate.sol";
import { Acceptance } from "../../src/types/Identity.sol";

/// @notice Accepts and does nothing else: what acceptance costs.
contract BareGate is CredentialGate {
    constructor(IIdentityCache cache, uint64 maxAge) CredentialGate(cache, maxAge) { }

    function accept(Acceptance calldata shown, bytes32 schema) external returns (bytes32) {
        return _accept(shown, schema, abi.encode(schema));
    }
}

/// @notice As `BareGate`, for P-256 too.
contract BareGateP256 is CredentialGateP256 {
    constructor(IIdentityCache cache, uint64 maxAge) CredentialGateP256(cache, maxAge) { }

    function accept(Acceptance calldata shown, bytes32 schema) external returns (bytes32) {
        return _accept(shown, schema, abi.encode(schema));
    }
}
