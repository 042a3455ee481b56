// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { CredentialGate } from "../services/CredentialGate.sol";
import { Acceptance } from "../types/Identity.sol";

/// @title A customs office that is shown what has to be declared of a manifest, and nothing else
contract ExampleCustoms is CredentialGate {
    bytes32 private constant GOODS = keccak256("goods_code");
    bytes32 private constant WEIGHT = keccak256("weight_kg");
    bytes32 private immutable SCHEMA;
    /// @notice Slot 1: `keccak256(abi.encode(manifest, goods code, weight))`, by the cargo.
    mapping(bytes32 cargo => bytes32 declaration) public declared;

    /// @notice More was shown than is declared.
    error TooMuchShown(uint256 claims);

    /// @param schema of a manifest
    constructor(IIdentityCache cache, uint64 maxAge, bytes32 schema) CredentialGate(cache, maxAge) {
        SCHEMA = schema;
    }

    /// @notice Declares a cargo.
    /// @param manifest shows `goods_code` and `weight_kg`, in this order
    function declare(Acceptance calldata manifest, bytes32 cargo) external {
        bytes32 seal = _accept(manifest, SCHEMA, abi.encode(cargo));
        require(manifest.disclosures.length == 2, TooMuchShown(manifest.disclosures.length));
        declared[cargo] = keccak256(abi.encode(seal, _text(manifest, 0, GOODS), _integer(manifest, 1, WEIGHT)));
    }
}
