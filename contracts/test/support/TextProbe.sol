// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CanonicalAbi } from "../../src/libraries/CanonicalAbi.sol";
import { Identifiers } from "../../src/libraries/Identifiers.sol";

/// @title Calls the readers of texts and fields with whatever a test says
contract TextProbe {
    function parseAddress(bytes calldata text) external pure returns (bool ok, address account) {
        return Identifiers.parseAddress(string(text));
    }

    /// @notice The one field of `abi.encode(bytes)`, which must be canonical.
    function onlyField(bytes calldata data) external pure returns (bytes memory) {
        (bytes calldata field, uint256 next) = CanonicalAbi.tail(data, 0, 0, 32);
        CanonicalAbi.expectEnd(data, next);
        return field;
    }
}
