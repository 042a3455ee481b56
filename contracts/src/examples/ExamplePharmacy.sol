// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { CredentialGateP256 } from "../services/CredentialGateP256.sol";
import { Acceptance } from "../types/Identity.sol";

/// @title Dispensing on prescription by licensed pharmacists: so many refills, however many pharmacies ask at once
contract ExamplePharmacy is CredentialGateP256 {
    bytes32 private constant REFILLS = keccak256("refills");
    bytes32 private constant MEDICINE = keccak256("medicine");
    bytes32 private immutable LICENCE;
    bytes32 private immutable PRESCRIPTION;

    /// @notice How often medicine was dispensed on a prescription, by the digest of its seal.
    mapping(bytes32 prescription => uint256 count) public dispensed;

    /// @notice Medicine was handed out.
    event Dispensed(bytes32 indexed prescription, bytes32 indexed licence, string medicine, uint256 count);

    /// @notice The prescription has no refill left.
    error NoRefillLeft(bytes32 prescription, uint256 count);

    /// @param cache of the hub's identity records on this chain
    /// @param maxAge seconds by which a revocation may be learnt late
    /// @param licence schema of a pharmacist's licence
    /// @param prescription schema of a prescription
    constructor(
        IIdentityCache cache,
        uint64 maxAge,
        bytes32 licence,
        bytes32 prescription
    )
        CredentialGateP256(cache, maxAge)
    {
        (LICENCE, PRESCRIPTION) = (licence, prescription);
    }

    /// @notice Hands out medicine once. Both holders sign this call: the patient to this pharmacist, by the other's seal.
    /// @param licence of the pharmacist, who calls
    /// @param prescription shows `refills` and `medicine`, in this order
    function dispense(Acceptance calldata licence, Acceptance calldata prescription) external {
        bytes32 pharmacist = _accept(licence, LICENCE, abi.encode(prescription.seal));
        bytes32 patient = _accept(prescription, PRESCRIPTION, abi.encode(licence.seal));
        uint256 count = ++dispensed[patient];
        require(int256(count) <= _integer(prescription, 0, REFILLS), NoRefillLeft(patient, count - 1));
        emit Dispensed(patient, pharmacist, _text(prescription, 1, MEDICINE), count);
    }
}
