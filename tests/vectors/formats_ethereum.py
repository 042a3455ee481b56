"""Area ethereum: light client objects of the Beacon API and of other projects, spec tests, beacon headers and blocks."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import rlp

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ethereum import (
    PRESETS,
    BeaconBlockHeader,
    Bootstrap,
    Fork,
    ForkActivation,
    LightClientHeader,
    LightClientStore,
    Network,
    SyncCommittee,
    Update,
    beacon_block_root,
    predicates,
    ssz,
)
from hutong.light_clients.ethereum import beacon_json as api
from hutong.light_clients.ethereum.forks import signing_root
from hutong.light_clients.ethereum.snappy import decompress
from hutong.light_clients.ethereum.verification import (
    MIN_SYNC_COMMITTEE_PARTICIPANTS,
    judge_bootstrap,
    judge_branches,
    judge_content,
    judge_signature,
)
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from tests.vectors.beacon_bodies import body_root
from tests.vectors.vector_registry import Entry, Group, Verification, runs


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def require(held: bool, predicate: str, reason: str) -> None:
    """A claim of the file that does not hold is a refusal, not a crash."""
    if not held:
        raise PredicateFailed(predicate, reason)


def network_of(params: dict) -> Network:
    names = {"genesis": Fork.PHASE0} | {fork.name.lower(): fork for fork in Fork if fork is not Fork.PHASE0}
    versions, epochs = params["fork_versions"], params["fork_epochs"]
    forks = [
        ForkActivation(fork, from_hex(versions[name]), epochs[name]) for name, fork in names.items() if name in versions
    ]
    return Network(
        PRESETS[params["preset"]],
        from_hex(params["genesis_validators_root"]),
        params.get("genesis_time", 0),
        params.get("seconds_per_slot", 12),
        tuple(forks),
    )


def enveloped(entry: Entry) -> list[tuple[Fork, dict]]:
    """`{version, data}`, a list of these, or a bare object."""
    document = entry.json()
    items = document if isinstance(document, list) else [document]
    named = entry.params["fork"]
    return [(api.fork_named(item.get("version", named)), item.get("data", item)) for item in items]


DECODERS = {
    "LightClientBootstrap": (ssz.decode_bootstrap, ssz.encode_bootstrap),
    "LightClientUpdate": (ssz.decode_update, None),
    "LightClientFinalityUpdate": (ssz.decode_finality_update, ssz.encode_finality_update),
    "LightClientOptimisticUpdate": (ssz.decode_optimistic_update, ssz.encode_optimistic_update),
}


def decoded_ssz(data: bytes, kind: str, fork: Fork, network: Network) -> Bootstrap | Update:
    decode, encode = DECODERS[kind]
    value = decode(data, fork, network.preset)
    again = ssz.encode_update(value, fork, network.preset) if encode is None else encode(value, fork)
    assert again == data
    return value


def stream(entry: Entry) -> Iterator[tuple[Fork, bytes]]:
    """[u64 length][4-byte fork digest][SSZ], repeated."""
    network, data = network_of(entry.params), entry.bytes()
    while data:
        size = int.from_bytes(data[:8], "little")
        if not 4 <= size <= len(data) - 8:
            raise MalformedInput("stream", "length of an update", got=size)
        yield network.fork_of_digest(data[8:12]), data[12 : 8 + size]
        data = data[8 + size :]


def bare(header: BeaconBlockHeader) -> LightClientHeader:
    return LightClientHeader(header)


def datachainlab_update(data: dict, network: Network) -> Update:
    committee, committee_branch = data["next_sync_committee"] or (None, None)
    finalized, finality_branch = data["finalized_header"]
    return Update(
        bare(api.beacon_header(data["attested_header"])),
        api.sync_aggregate(data["sync_aggregate"], network.preset),
        api.integer(data["signature_slot"], "signature_slot"),
        bare(api.beacon_header(finalized)),
        api.branch(finality_branch, "finality_branch"),
        None if committee is None else api.sync_committee(committee, network.preset),
        () if committee is None else api.branch(committee_branch, "next_sync_committee_branch"),
    )


def snowbridge_update(data: dict, network: Network) -> Update:
    brought = data.get("next_sync_committee_update") or data
    committee = brought.get("next_sync_committee")
    return Update(
        bare(api.beacon_header(data["attested_header"])),
        api.sync_aggregate(data["sync_aggregate"], network.preset),
        api.integer(data["signature_slot"], "signature_slot"),
        bare(api.beacon_header(data["finalized_header"])),
        api.branch(data["finality_branch"], "finality_branch"),
        None if committee is None else api.sync_committee(committee, network.preset),
        () if committee is None else api.branch(brought["next_sync_committee_branch"], "next_sync_committee_branch"),
    )


def brought_by(entry: Entry) -> Iterator[tuple[int, SyncCommittee]]:
    """Periods and committees that a file of a group makes known."""
    network = network_of(entry.params)
    period = network.period_at
    updates: list[Update] = []
    if entry.format == "beacon-sync-committee-json" and "period" in entry.params:
        yield entry.params["period"], api.sync_committee(entry.json(), network.preset)
    elif entry.format == "beacon-light-client-json":
        for fork, data in enveloped(entry):
            if entry.params["type"] == "LightClientBootstrap":
                value = api.bootstrap(data, fork, network.preset)
                yield period(value.header.beacon.slot), value.current_sync_committee
            else:
                updates.append(api.update(data, fork, network.preset))
    elif entry.format == "beacon-light-client-ssz":
        value = decoded_ssz(entry.bytes(), entry.params["type"], Fork[entry.params["fork"].upper()], network)
        if isinstance(value, Bootstrap):
            yield period(value.header.beacon.slot), value.current_sync_committee
        else:
            updates.append(value)
    elif entry.format == "beacon-updates-ssz-stream":
        updates += [ssz.decode_update(data, fork, network.preset) for fork, data in stream(entry)]
    elif entry.format == "datachainlab-initial-state-json":
        state = entry.json()[0]
        slot = api.beacon_header(state["beacon_header"]).slot
        yield period(slot), api.sync_committee(state["current_sync_committee"], network.preset)
    elif entry.format == "datachainlab-consensus-update-json":
        updates.append(datachainlab_update(entry.json()[0]["light_client_update"], network))
    elif entry.format == "snowbridge-checkpoint-json":
        state = entry.json()
        slot = api.beacon_header(state["header"]).slot
        yield period(slot), api.sync_committee(state["current_sync_committee"], network.preset)
    elif entry.format == "snowbridge-update-json":
        updates.append(snowbridge_update(entry.json(), network))
    for update in updates:
        if update.next_sync_committee is not None:
            yield period(update.attested_slot) + 1, update.next_sync_committee


def committees_for(entry: Entry, group: Group) -> dict[int, SyncCommittee]:
    """By period, as far as any file of the group says, in whatever order they are applied; `signed_by` names the only one."""
    signer = entry.params.get("signed_by")
    if signer is not None:
        return {period: found for named in group.all_with_role(signer) for period, found in committees_in(named)}
    # Each of them is judged on its own; the bootstrap and what comes earlier have the last word.
    earlier = (*(e for e in group.entries if e.role == "bootstrap"), *group.before(entry))
    return {
        period: committee for source in (entry, *group.entries, *earlier) for period, committee in committees_in(source)
    }


_FOUND: dict[Path, tuple[tuple[int, SyncCommittee], ...]] = {}


def committees_in(entry: Entry) -> tuple[tuple[int, SyncCommittee], ...]:
    """`brought_by`, of each file once."""
    if entry.path not in _FOUND:
        _FOUND[entry.path] = tuple(brought_by(entry))
    return _FOUND[entry.path]


def judge_update(update: Update, committee: SyncCommittee | None, network: Network, *, whole_headers: bool) -> None:
    """The light client update check of FORMATS.md. Other projects leave the execution payload headers out."""
    size_like = committee or SyncCommittee(bytes(48 * network.preset.sync_committee_size), bytes(48))
    if whole_headers:
        judge_content(VERIFY, update, size_like, network, MIN_SYNC_COMMITTEE_PARTICIPANTS)
        judge_branches(VERIFY, update, network)
    else:
        predicates.sizes_match_the_preset(update, size_like, network)
        predicates.enough_participants(update, MIN_SYNC_COMMITTEE_PARTICIPANTS)
        predicates.slots_in_order(update)
        predicates.finality_proven(update, network)
        predicates.next_committee_proven(update, network)
    if committee is not None:
        judge_signature(VERIFY, update, committee, network)


def update_verification(
    update: Update, entry: Entry, committees: dict[int, SyncCommittee], *, whole_headers: bool
) -> Verification:
    """The check of an update; without the committee that signed, all but its signature, which is then named as unchecked."""
    network = network_of(entry.params)
    period = network.period_at(update.signature_slot)
    committee = committees.get(period)
    return Verification(
        f"update signed at slot {update.signature_slot}",
        partial(judge_update, update, committee, network, whole_headers=whole_headers),
        unchecked=None if committee is not None else no_committee(period),
    )


def no_committee(period: int) -> str:
    return f"signature: no file of the group brings the committee of period {period}"


@runs("beacon-light-client-json")
def light_client_json(entry: Entry, group: Group) -> Iterator[Verification]:
    network = network_of(entry.params)
    committees = committees_for(entry, group)
    for fork, data in enveloped(entry):
        if entry.params["type"] == "LightClientBootstrap":
            root = from_hex(entry.params["trusted_block_root"])
            value = api.bootstrap(data, fork, network.preset)
            assert ssz.decode_bootstrap(ssz.encode_bootstrap(value, fork), fork, network.preset) == value
            yield Verification("bootstrap", lambda v=value, r=root: judge_bootstrap(VERIFY, v, r, network))
        else:
            update = api.update(data, fork, network.preset)
            assert ssz.decode_update(ssz.encode_update(update, fork, network.preset), fork, network.preset) == update
            yield update_verification(update, entry, committees, whole_headers=True)


@runs("beacon-light-client-ssz")
def light_client_ssz(entry: Entry, group: Group) -> Iterator[Verification]:
    network = network_of(entry.params)
    value = decoded_ssz(entry.bytes(), entry.params["type"], Fork[entry.params["fork"].upper()], network)
    if isinstance(value, Bootstrap):
        root = from_hex(entry.params["trusted_block_root"])
        yield Verification("bootstrap", lambda: judge_bootstrap(VERIFY, value, root, network))
    else:
        yield update_verification(value, entry, committees_for(entry, group), whole_headers=True)


@runs("beacon-updates-ssz-stream")
def updates_stream(entry: Entry, group: Group) -> Iterator[Verification]:
    network = network_of(entry.params)
    committees = committees_for(entry, group)
    for fork, data in stream(entry):
        update = decoded_ssz(data, "LightClientUpdate", fork, network)
        yield update_verification(update, entry, committees, whole_headers=True)


@runs("beacon-block-json")
def beacon_block(entry: Entry, group: Group) -> Iterator[Verification]:
    block, header = entry.json(), group.with_role("header")

    def run() -> None:
        root = body_root(block["body"], entry.params["fork"], entry.params["preset"])
        if header is not None:
            require(root == api.beacon_header(header.json()).body_root, "body_root", "is not the header's")

    unchecked = None if header is not None else "root: the group has no header"
    yield Verification("body root", run, library="remerkleable", unchecked=unchecked)


@runs("beacon-header-json")
def beacon_header_json(entry: Entry, group: Group) -> Iterator[Verification]:
    header, block = api.beacon_header(entry.json()), group.with_role("block")
    if entry.expected == "facts" or block is None:
        return

    def run() -> None:
        whole = block.json()
        root = body_root(whole["body"], block.params["fork"], block.params["preset"])
        require(header == api.beacon_header(whole | {"body_root": root.hex()}), "header", "is not the block's")

    yield Verification("header of the block", run, library="remerkleable")


@runs("beacon-signing-root-json")
def beacon_signing_root(entry: Entry, group: Group) -> Iterator[Verification]:
    network, file = network_of(entry.params), group.with_role("update")
    if file is None:
        yield Verification("signing root", lambda: None, unchecked="the group has no update")
        return

    def run() -> None:
        update = datachainlab_update(file.json(), network)
        domain = network.sync_committee_domain(update.signature_slot)
        got = signing_root(beacon_block_root(update.attested_header.beacon), domain)
        require(got == from_hex(entry.json()), "signing_root", "another signing root")

    yield Verification("signing root", run)


@runs("beacon-sync-committee-json")
def beacon_committee(entry: Entry, group: Group) -> Iterator[Verification]:
    """Facts; their keys are read all the same."""
    keys = entry.json()["pubkeys"]
    predicates.committee_keys_valid(
        SyncCommittee(b"".join(map(from_hex, keys)), from_hex(entry.json()["aggregate_pubkey"]))
    )
    yield from ()


@runs("beacon-context-json")
def beacon_context(entry: Entry, group: Group) -> Iterator[Verification]:
    assert len(from_hex(entry.json()["genesis_validators_root"])) == 32
    yield from ()


@runs("eth-transactions-json")
def transactions(entry: Entry, group: Group) -> Iterator[Verification]:
    """Encoded by the library rlp: the product reads no transactions."""
    for item in entry.json():

        def run(item=item) -> None:
            require(keccak256(encoded_transaction(item)) == from_hex(item["hash"]), "transaction_hash", "differs")

        yield Verification(f"transaction {item['hash']}", run, library="rlp")


def encoded_transaction(item: dict) -> bytes:
    def number(name: str) -> int:
        return int(item[name], 16)

    recipient = from_hex(item["to"]) if item.get("to") else b""
    access = [
        [from_hex(entry["address"]), list(map(from_hex, entry["storageKeys"]))]
        for entry in item.get("accessList") or []
    ]
    signature = [number("v"), number("r"), number("s")]
    common = [number("gas"), recipient, number("value"), from_hex(item["input"])]
    kind = int(item.get("type", "0x0"), 16)
    if kind == 0:
        return rlp.encode([number("nonce"), number("gasPrice"), *common, *signature])
    price = ["gasPrice"] if kind == 1 else ["maxPriorityFeePerGas", "maxFeePerGas"]
    fields = [number("chainId"), number("nonce"), *map(number, price), *common, access, *signature]
    return bytes([kind]) + rlp.encode(fields)


# --- consensus-specs tests


class SpecTest:
    """One directory of the consensus-specs sync tests, its files known by their roles."""

    def __init__(self, group: Group) -> None:
        import yaml

        def loaded(role: str):
            file = group.with_role(role)
            assert file is not None, f"the group has no {role}"
            # BaseLoader leaves everything text, so that 0x00000001 stays what it is.
            return yaml.load(file.text(), Loader=yaml.BaseLoader)  # noqa: S506

        config, meta = loaded("config"), loaded("meta")
        self.preset = PRESETS[config["PRESET_BASE"]]
        sizes = {
            "SLOTS_PER_EPOCH": self.preset.slots_per_epoch,
            "EPOCHS_PER_SYNC_COMMITTEE_PERIOD": self.preset.epochs_per_sync_committee_period,
            "SYNC_COMMITTEE_SIZE": self.preset.sync_committee_size,
        }
        genesis = {
            "genesis_validators_root": meta["genesis_validators_root"],
            "genesis_time": config["MIN_GENESIS_TIME"],
        }
        self.network = api.network_from_beacon_api(config | sizes, genesis)
        self.steps = loaded("steps")
        self._named: dict[Fork, dict[str, Update]] = {}
        self._updates = [decompress(file.bytes()) for file in group.all_with_role("update")]
        bootstrap = group.with_role("bootstrap")
        assert bootstrap is not None, "the group has no bootstrap"
        fork = self.network.fork_of_digest(from_hex(meta["bootstrap_fork_digest"]))
        value = ssz.decode_bootstrap(decompress(bootstrap.bytes()), fork, self.preset)
        self.stores = [LightClientStore.initialize(self.network, from_hex(meta["trusted_block_root"]), value)]

    def update(self, name: str, digest: str) -> Update:
        """The update that a step names: `update_`, root of the attested header, whether a committee and finality are shown."""
        fork = self.network.fork_of_digest(from_hex(digest))
        if fork not in self._named:
            self._named[fork] = dict(self._decoded(fork))
        assert name in self._named[fork], f"no file of the group is {name}"
        return self._named[fork][name]

    def _decoded(self, fork: Fork) -> Iterator[tuple[str, Update]]:
        for data in self._updates:
            try:
                update = ssz.decode_update(data, fork, self.preset)
            except MalformedInput:  # of another fork
                continue
            yield spec_test_name(update), update

    def run(self, kind: str, step: dict) -> None:
        store = self.stores[-1]
        if kind == "process_update":
            store = store.process_update(
                self.update(step["update"], step["update_fork_digest"]), int(step["current_slot"])
            )
        elif kind == "force_update":
            store = store.force_update(int(step["current_slot"]))
        else:
            assert kind == "upgrade_store", kind  # one form for all forks: nothing to do
        self.stores.append(store)
        for name in ("finalized_header", "optimistic_header"):
            header, wanted = getattr(store, name), step["checks"][name]
            assert header.beacon.slot == int(wanted["slot"])
            assert beacon_block_root(header.beacon) == from_hex(wanted["beacon_root"])
            if "execution_root" in wanted:
                assert predicates.lc_execution_root(header, self.network) == from_hex(wanted["execution_root"])


def spec_test_name(update: Update) -> str:
    committee = "s" if update.next_sync_committee is not None else "x"
    finality = "f" if any(map(any, update.finality_branch)) else "x"
    return f"update_0x{beacon_block_root(update.attested_header.beacon).hex()}_{committee}{finality}"


@runs("spec-test-step-dir")
def spec_test(entry: Entry, group: Group) -> Iterator[Verification]:
    if entry.role != "steps":
        return
    test = SpecTest(group)
    for index, step in enumerate(test.steps):
        ((kind, body),) = step.items()
        yield Verification(f"step {index} {kind}", partial(test.run, kind, body))
