// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { CredentialGate } from "../services/CredentialGate.sol";
import { Acceptance } from "../types/Identity.sol";

/// @title Tickets for adults: one for a credential, whoever pays for the transaction
contract ExampleAgeGate is CredentialGate, ERC20 {
    bytes32 private constant AGE_OVER_18 = keccak256("age_over_18");
    bytes32 private immutable SCHEMA;
    mapping(bytes32 seal => bool minted) private _minted;

    /// @notice The credential does not say that its holder is an adult.
    error NotAnAdult();
    /// @notice There is a ticket for this credential already.
    error AlreadyMinted(bytes32 seal);

    /// @param cache of the hub's identity records on this chain
    /// @param maxAge seconds by which a revocation may be learnt late
    /// @param schema of the credential
    constructor(
        IIdentityCache cache,
        uint64 maxAge,
        bytes32 schema
    )
        CredentialGate(cache, maxAge)
        ERC20("Tickets for adults", "ADULT")
    {
        SCHEMA = schema;
    }

    /// @notice Tickets are whole.
    function decimals() public pure override returns (uint8) {
        return 0;
    }

    /// @notice Makes the ticket.
    /// @param credential shows `age_over_18`, and nothing else of its holder
    /// @param to who gets the ticket
    function mint(Acceptance calldata credential, address to) external {
        bytes32 seal = _accept(credential, SCHEMA, abi.encode(to));
        require(_boolean(credential, 0, AGE_OVER_18), NotAnAdult());
        require(!_minted[seal], AlreadyMinted(seal));
        _minted[seal] = true;
        _mint(to, 1);
    }
}
