// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { Standing } from "../types/Identity.sol";
import { CredentialGate } from "./CredentialGate.sol";

/// @title As `CredentialGate`, and seals by ES256 keys are taken too
/// @notice Cheap where the chain has the precompile of EIP-7951; elsewhere a signature costs about 350 000 gas.
abstract contract CredentialGateP256 is CredentialGate {
    uint8 private constant ES256 = 1;
    uint256 private constant SIGNATURE_BYTES = 64;

    /// @param cache of the hub's identity records on this chain
    /// @param maxAge seconds by which a revocation may be learnt late
    constructor(IIdentityCache cache, uint64 maxAge) CredentialGate(cache, maxAge) { }

    /// @inheritdoc CredentialGate
    function _isSignedByP256(bytes32 digest, bytes calldata signature, Standing memory key)
        internal
        view
        override
        returns (bool)
    {
        return signature.length == SIGNATURE_BYTES
            && P256.verify(digest, bytes32(signature[:32]), bytes32(signature[32:]), key.x, key.y);
    }

    /// @inheritdoc CredentialGate
    function _takes(uint8 algorithm) internal pure override returns (bool) {
        return algorithm == ES256K || algorithm == ES256;
    }
}
