// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { StorageProbes } from "../../src/libraries/StorageProbes.sol";
import { StorageRecords } from "../../src/libraries/StorageRecords.sol";
import { Record } from "../../src/types/Record.sol";
import { StorageSeed, StorageSet, StorageVerdict } from "../../src/types/Storage.sol";

/// @title Calls the libraries with whatever a test says
contract ProbesProbe {
    function judge(
        StorageProbes.Challenge calldata challenge,
        uint256 first,
        uint256 count,
        bytes calldata answers,
        Record[] calldata records
    )
        external
        view
        returns (uint256)
    {
        return StorageProbes.judge(challenge, first, count, answers, records);
    }

    function readVerdict(bytes calldata value) external pure returns (StorageVerdict memory) {
        return StorageRecords.readVerdict(value);
    }

    function readSet(bytes calldata value) external pure returns (StorageSet memory) {
        return StorageRecords.readSet(value);
    }

    function readSeed(bytes calldata value) external pure returns (StorageSeed memory) {
        return StorageRecords.readSeed(value);
    }

    function readRemoval(bytes calldata value) external pure returns (uint64, uint64) {
        return StorageRecords.readRemoval(value);
    }
}
