// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubReader } from "../interfaces/IHubReader.sol";
import { IStorageAudit } from "../interfaces/IStorageAudit.sol";
import { StorageProbes } from "../libraries/StorageProbes.sol";
import { StorageRecords } from "../libraries/StorageRecords.sol";
import { Height } from "../types/Client.sol";
import { Answer, Presence, Record, RecordProof } from "../types/Record.sol";
import {
    AuditOutcome,
    AuditTerms,
    ProbeAnswers,
    ProbeCount,
    StorageSeed,
    StorageSet,
    StorageVerdict
} from "../types/Storage.sol";

/// @title Verdicts of the hub's storage audits, and probes judged here
/// @notice One is enough for everybody on a chain. It has no state, no owner and no upgrade.
contract StorageAudit is IStorageAudit {
    IHubReader private immutable READER;

    /// @param reader of the hub's records on this chain
    constructor(IHubReader reader) {
        // an address that is no reader does not answer
        require(reader.hubClient() != address(0));
        READER = reader;
    }

    /// @inheritdoc IStorageAudit
    function hubReader() external view returns (address) {
        return address(READER);
    }

    /// @inheritdoc IStorageAudit
    function readVerdict(
        bytes32 operator,
        uint64 epoch,
        bytes calldata value,
        RecordProof calldata proof,
        Height calldata height,
        uint64 maxAge
    )
        external
        view
        returns (StorageVerdict memory)
    {
        return _verdict(operator, epoch, value, proof, height, maxAge);
    }

    /// @inheritdoc IStorageAudit
    function requirePassed(
        bytes32 operator,
        uint64 epoch,
        bytes calldata value,
        RecordProof calldata proof,
        Height calldata height,
        AuditTerms calldata terms
    )
        external
        view
        returns (StorageVerdict memory verdict)
    {
        verdict = _verdict(operator, epoch, value, proof, height, terms.maxAge);
        _requireTerms(verdict.asked, verdict.reveals, terms);
        require(
            verdict.outcome == AuditOutcome.Passed,
            AuditNotPassed(verdict.outcome, verdict.asked, verdict.held, verdict.removed)
        );
    }

    /// @inheritdoc IStorageAudit
    function probe(
        bytes32 operator,
        uint64 epoch,
        Record[] calldata records,
        RecordProof calldata proof,
        Height calldata height,
        ProbeAnswers calldata shown,
        AuditTerms calldata terms
    )
        external
        view
        returns (ProbeCount memory count)
    {
        READER.readMany(records, proof, height, terms.maxAge, 0);
        StorageProbes.Challenge memory challenge = _challenge(operator, epoch, records, terms);
        count.probes = uint32(challenge.probes);
        count.removed =
            uint32(StorageProbes.judge(challenge, shown.first, shown.count, shown.answers, records));
        count.held = shown.count - count.removed;
    }

    function _verdict(
        bytes32 operator,
        uint64 epoch,
        bytes calldata value,
        RecordProof calldata proof,
        Height calldata height,
        uint64 maxAge
    )
        private
        view
        returns (StorageVerdict memory verdict)
    {
        bytes memory key = StorageRecords.verdictKey(operator, epoch);
        Answer memory answer = READER.read(key, value, proof, height, maxAge, 0);
        require(answer.presence == Presence.Present, NotRecorded(key));
        verdict = StorageRecords.readVerdict(value);
        uint256 time = verdict.time;
        require(block.timestamp < time + maxAge, StaleVerdict(time, maxAge, block.timestamp));
    }

    /// @dev What the operator is asked, by records that are proven.
    function _challenge(bytes32 operator, uint64 epoch, Record[] calldata records, AuditTerms calldata terms)
        private
        view
        returns (StorageProbes.Challenge memory challenge)
    {
        StorageSet memory set = StorageRecords.readSet(_value(StorageRecords.setKey(operator, epoch), records));
        StorageSeed memory seed = StorageRecords.readSeed(_value(StorageRecords.seedKey(epoch), records));
        _requireTerms(seed.probes, seed.reveals, terms);
        require(set.height < seed.headerHeight, SetNotOlder(set.height, seed.headerHeight));
        require(block.timestamp <= seed.due, AnswersLate(seed.due, block.timestamp));
        challenge.seed = seed.seed;
        challenge.operator = operator;
        challenge.root = set.root;
        challenge.size = set.size;
        challenge.leaves = set.leaves;
        challenge.probes = seed.probes;
    }

    function _value(bytes memory key, Record[] calldata records) private pure returns (bytes calldata value) {
        bytes32 keyHash = keccak256(key);
        for (uint256 i = 0; i < records.length; ++i) {
            value = records[i].value;
            if (value.length != 0 && keccak256(records[i].key) == keyHash) return value;
        }
        revert NotRecorded(key);
    }

    function _requireTerms(uint32 asked, uint8 reveals, AuditTerms calldata terms) private pure {
        require(terms.minReveals != 0, WeakTerms());
        require(reveals >= terms.minReveals, WeakSeed(reveals, terms.minReveals));
        require(asked >= terms.minProbes, TooFewProbes(asked, terms.minProbes));
    }
}
