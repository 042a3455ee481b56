"""Places that break a rule of the house for a reason. A reason that no place needs any more fails the check: delete its line.

A function is `module.Class.name`, without folder and line, so that code may move and keep its line here.
"""

from collections.abc import Mapping

FOLDERS: Mapping[str, str] = {
    "tests/defences": "one file a group of rules, by the name that `python -m tests.defences` prints",
    "tests/vectors": "one file a format of the shared vectors",
}

FUNCTIONS: Mapping[str, str] = {
    "ledger.queries": "a list of queries, one after the other",
    "document.replay_document": "the document's JSON in the order of its specification",
    "instructions.run_instructions": "the EVM's loop: a call for each instruction would cost a third of its speed",
    "metrics.Metrics.__init__": "a list of metrics, each with its help text",
}

CONSTRUCTORS: Mapping[str, str] = {
    "claim.ExistenceClaim": "a claim is its eight parts",
    "proxy.HostileProxy": "the kinds of fault, by keyword and with defaults",
    "execution._Executable": "py-evm's own signature of a message and its parts",
}

CIRCLES: Mapping[str, str] = {}

BEHIND_IN: Mapping[str, str] = {
    "relay/hub/application/revision/recorded_sentences.py": "the words that versions 1 and 2 recorded",
    "tests/relay/hub/application/test_recorded_sentences.py": "the words that versions 1 and 2 recorded",
    "docs/contributing.md": "quotes the wrong use",
    "tests/relay/hub/application/self_test_corpus.py": "the name of a case, which the hash of the corpus covers",
}

_IN_FRONT = (
    "ABCI address addresses app attestor certificate chain client clients CometBFT's compression door endpoint endpoints everyone "
    "front functions gate harness host hop hub hutong identifier interface line port proxies proxy router script server "
    "services signer sockets suite's way"
)

BEHIND: Mapping[str, str] = {
    r"\b(leave|leaves|left|leaving|laid)\b[^.;:]*\bbehind\b": "what stays when something goes",
    r"\b(is|are|be|was|far|further|fell|falls?|lags?|less|maybe|branch, or|unreadable,) behind\b(?! (it|them|those)\b)": (
        "a node, a clock or a record that is late"
    ),
    r"\b(blocks?|headers?|height|second|day|transactions|record|refunded\*\. ?) behind\b": "how late something is",
    r"\bbehind\b(?=( [=!+]| if known| or endpoint|, url\)|[()]))": "the name of a variable for what is late",
    r"[`\"'.]behind\b": "the word of a metric, a label, a member or a log line",
    r"\bbehind a( (nonce )?gap\b|$)": "Ethereum's word for transactions that wait for an earlier nonce",
    rf"\bbehind ([\w'`-]+ ){{0,5}}?`?({_IN_FRONT.replace(' ', '|')})\b": "what is reached through the thing in front of it",
    r"\b(stands?|put|value|API|attestor|chain) behind\b(?! them| those)": "what or who answers for something",
}
"""Pattern of a right use → what it is."""

FAULT = "a fault, or a clock that lies, is put where nobody outside could put it, to see what the other parts do then"
INSIDE = "the bound of something that shows no size outside, or a step that is tried alone"
LIBRARY = "a library has no public name for it"

PRIVATE: Mapping[str, str] = {
    "bench/hub/join.py: 2": INSIDE,
    "bench/hub/machine.py: 2": LIBRARY,
    "bench/hub/pruning.py: 1": INSIDE,
    "bench/sampling.py: 3": FAULT,
    "bench/verify/headers.py: 4": FAULT,
    "tests/adapters/conformance/evidence_files.py: 1": INSIDE,
    "tests/adapters/conformance/test_archive_on_real_chains.py: 3": INSIDE,
    "tests/adapters/cosmos/test_cosmos_submission.py: 1": INSIDE,
    "tests/adapters/evm/test_beacon_source.py: 6": FAULT,
    "tests/adapters/ics26/test_ics26_log_decoding.py: 1": INSIDE,
    "tests/adapters/rpc/test_rpc_heights.py: 1": INSIDE,
    "tests/browser/line.py: 2": FAULT,
    "tests/docs/metric_names.py: 1": LIBRARY,
    "tests/light_clients/crypto/test_ed25519.py: 1": LIBRARY,
    "tests/light_clients/proofs/test_ics23_chain.py: 4": INSIDE,
    "tests/nodes/cosmos/test_simd_transactions.py: 2": FAULT,
    "tests/relay/api/test_api_parts.py: 8": INSIDE,
    "tests/relay/api/test_events.py: 5": FAULT,
    "tests/relay/api/test_front.py: 2": INSIDE,
    "tests/relay/api/test_token_registry.py: 2": INSIDE,
    "tests/relay/archive/backend_conformance.py: 3": FAULT,
    "tests/relay/archive/test_bundle_archive.py: 1": INSIDE,
    "tests/relay/attestor/test_attestor.py: 1": INSIDE,
    "tests/relay/cli/demo/test_demo_ports.py: 1": FAULT,
    "tests/relay/cli/demo/test_hostile_lane.py: 1": INSIDE,
    "tests/relay/cli/hub/test_hub_key_command.py: 1": LIBRARY,
    "tests/relay/core/account/test_accounts.py: 5": FAULT,
    "tests/relay/core/archiving/test_archiver.py: 1": INSIDE,
    "tests/relay/core/clients/test_fork_warning.py: 1": INSIDE,
    "tests/relay/core/clients/test_keeper.py: 1": FAULT,
    "tests/relay/core/route/test_doubts.py: 1": INSIDE,
    "tests/relay/core/route/test_turns.py: 1": FAULT,
    "tests/relay/core/test_faults.py: 6": FAULT,
    "tests/relay/core/test_many_chains.py: 1": FAULT,
    "tests/relay/core/watching/test_timeouts.py: 7": FAULT,
    "tests/relay/core/watching/test_waiting_for_apps.py: 1": INSIDE,
    "tests/relay/devnet/test_beacon.py: 1": INSIDE,
    "tests/relay/dispatch/test_embedded.py: 10": FAULT,
    "tests/relay/evm/vm/test_evm_bounded_work.py: 4": FAULT,
    "tests/relay/evm/vm/test_evm_instructions.py: 5": LIBRARY,
    "tests/relay/evm/vm/test_evm_stack_threads.py: 3": INSIDE,
    "tests/relay/hub/application/machine/test_hub_unpayable.py: 1": INSIDE,
    "tests/relay/hub/network/simulated_network.py: 2": FAULT,
    "tests/relay/hub/network/test_network_blame.py: 2": INSIDE,
    "tests/relay/hub/network/test_network_liars.py: 3": FAULT,
    "tests/relay/hub/network/test_network_lost_log.py: 2": FAULT,
    "tests/relay/hub/network/test_network_of_four.py: 5": FAULT,
    "tests/relay/hub/remote_signer/test_remote_signer.py: 3": FAULT,
    "tests/relay/hub/remote_signer/test_signer_killed.py: 1": FAULT,
    "tests/relay/hub/simulation/rules.py: 7": FAULT,
    "tests/relay/hub/upkeep/test_hub_backup.py: 4": FAULT,
    "tests/relay/ledger/test_ledger_sqlite.py: 2": FAULT,
    "tests/relay/sdk/test_sdk_clients.py: 1": INSIDE,
    "tests/vectors/formats_hpke.py: 1": LIBRARY,
}
"""File and number of uses of others' private names: a number here only falls."""

EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    "folders": FOLDERS,
    "functions": FUNCTIONS,
    "constructors": CONSTRUCTORS,
    "circles": CIRCLES,
    "behind": BEHIND_IN,
    "private": PRIVATE,
}
