// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SmtMultiproof } from "../../src/libraries/SmtMultiproof.sol";
import { Multiproof, Record } from "../../src/types/Record.sol";

/// @title Calls the library with whatever a test says
contract MultiproofProbe {
    function verify(bytes32 root, Record[] calldata records, Multiproof calldata proof) external view {
        bytes32[] memory claims = new bytes32[](2 * records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            claims[2 * i] = sha256(records[i].key);
            if (records[i].value.length != 0) claims[2 * i + 1] = sha256(records[i].value);
        }
        SmtMultiproof.verify(root, claims, proof);
    }
}
