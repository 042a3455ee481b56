// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Height } from "../types/Client.sol";
import { Record, RecordProof } from "../types/Record.sol";
import { AuditOutcome, AuditTerms, ProbeAnswers, ProbeCount, StorageVerdict } from "../types/Storage.sol";

/// @title What a chain accepts of the hub's storage audits (docs/spec/storage-audits.md)
/// @notice A verdict of the hub, by one record proof; or answers to the probes themselves, under the set and the seed that
/// records show. Nobody has rights here, and nothing is kept. What a verdict shows: that the operator could show these leaves
/// after the seed was known. Not where they lie, nor that reads are served.
interface IStorageAudit {
    /// @notice A value is no storage record of version 1.
    error MalformedStorageRecord();
    /// @notice The hub has nothing under this key: there is no verdict, seed or set of this operator and epoch.
    error NotRecorded(bytes key);
    /// @notice Terms that take seeds which a proposer of the hub could have chosen.
    error WeakTerms();
    /// @notice The verdict is too old, however new the header is under which it is shown.
    error StaleVerdict(uint256 time, uint256 maxAge, uint256 nowTime);
    /// @notice Too few auditors revealed; with none a proposer of the hub could have chosen the seed.
    error WeakSeed(uint8 reveals, uint8 minReveals);
    /// @notice Fewer probes are asked than the terms say.
    error TooFewProbes(uint32 asked, uint32 minProbes);
    /// @notice A probe was answered wrongly, or not in time.
    error AuditNotPassed(AuditOutcome outcome, uint32 asked, uint32 held, uint32 removed);
    /// @notice The set did not stand before the epoch's header.
    error SetNotOlder(uint64 setHeight, uint64 headerHeight);
    /// @notice Answers count until then.
    error AnswersLate(uint64 due, uint256 nowTime);
    /// @notice The answer to this probe is no encoding of one, or bytes follow the last.
    error MalformedAnswer(uint256 probe);
    /// @notice The answer to this probe breaks the named rule of docs/spec/storage-audits.md.
    error AnswerRefused(uint256 probe, string rule);

    /// @notice What the hub says of an audit, whatever it is: for whoever acts on a failure too.
    /// @param operator its id on the hub
    /// @param epoch of the audit
    /// @param value what the record is claimed to hold
    /// @param proof of the record; it is no observation, so there are no epochs of clients
    /// @param height of the hub, which the chain's client of it has a consensus state of
    /// @param maxAge seconds: a header that is as old is refused, and so is such a verdict
    /// @return the verdict
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
        returns (StorageVerdict memory);

    /// @notice As `readVerdict`; refuses unless the audit was passed on these terms.
    /// @param operator its id on the hub
    /// @param epoch of the audit
    /// @param value what the record is claimed to hold
    /// @param proof of the record
    /// @param height of the hub
    /// @param terms what is asked of the audit
    /// @return the verdict
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
        returns (StorageVerdict memory);

    /// @notice Judges answers to probes here, without a verdict of the hub. They count until the seed's `due`.
    /// @param operator its id on the hub
    /// @param epoch of the audit
    /// @param records the operator's set and the epoch's seed, and the removal of each shard that answers call removed; ascending
    /// by the SHA-256 of their keys
    /// @param proof of all
    /// @param height of the hub
    /// @param shown the answers
    /// @param terms what is asked of the audit
    /// @return what they showed; refused unless each is the answer to its probe
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
        returns (ProbeCount memory);

    /// @notice Who reads the hub's records.
    /// @return address of a HubReader
    function hubReader() external view returns (address);
}
