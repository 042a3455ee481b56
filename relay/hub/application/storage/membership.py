"""What governance says of trusted storage: operators, parties, parameters; and the maps that follow from it."""

from dataclasses import replace

from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.storage.refusals import (
    OperatorStateForbids,
    TooManyStorageRecords,
    UnknownParty,
)
from hutong.relay.hub.application.storage.registry import Registry, numbered, require_account
from hutong.relay.services.identity.rules.records.encoding import check_some_hash
from hutong.relay.services.storage.rules.records import keys, members
from hutong.relay.services.storage.rules.records.members import (
    MAX_OPERATORS,
    MOST_PARTIES,
    Candidate,
    MapRecord,
    OperatorRecord,
    OperatorState,
    PartyRecord,
    PartyRole,
)
from hutong.relay.services.storage.rules.records.parameters import Parameters
from hutong.relay.services.storage.rules.storing import state_may_follow

NOBODY: Address = bytes(20)
Labels = tuple[bytes, bytes, bytes, bytes]
"""Organisation, site, region, engine, each 32 bytes."""


def name_operator(registry: Registry, operator: bytes, account: Address, labels: Labels, weight: int) -> None:
    """Register an operator, or change the account, labels and weight of one that has not left.

    Raises:
        OperatorStateForbids: it has left.
        TooManyStorageRecords: there are as many as there may be.
        MalformedInput: an id or account of zero, or a label or weight out of its bounds.
    """
    check_some_hash("operator", operator)
    standing = registry.find_operator(operator)
    state = OperatorState.REGISTERED if standing is None else standing.state
    if state is OperatorState.LEFT:
        raise OperatorStateForbids(operator, state)
    roster = registry.roster()
    if standing is None:
        if len(roster) >= MAX_OPERATORS:
            raise TooManyStorageRecords("operators", MAX_OPERATORS)
        registry.set_roster((*roster, operator))
    registry.put_operator(operator, OperatorRecord(account, *labels, weight, state, 0, 0))
    write_map(registry)


def set_operator_state(registry: Registry, operator: bytes, state: OperatorState) -> None:
    """Activate or drain an operator, or let it leave.

    Raises:
        UnknownOperator: it is not registered.
        PredicateFailed: `state_may_follow`.
    """
    record = registry.operator(operator)
    state_may_follow(record.state, state)
    registry.put_operator(operator, replace(record, state=state))
    if state is OperatorState.LEFT:
        registry.set_roster(tuple(one for one in registry.roster() if one != operator))
    write_map(registry)


def drain(registry: Registry, operator: bytes, caller: Address) -> None:
    """An active operator takes no more.

    Raises:
        UnknownOperator, NotTheNamedAccount, OperatorStateForbids: as their names say.
    """
    record = registry.operator(operator)
    require_account(caller, record.account)
    if record.state is not OperatorState.ACTIVE:
        raise OperatorStateForbids(operator, record.state)
    set_operator_state(registry, operator, OperatorState.DRAINING)


def name_party(registry: Registry, role: PartyRole, party: bytes, account: Address) -> None:
    """Name somebody for a role, or with no account no longer.

    Raises:
        UnknownParty: nobody is there to be named no longer.
        TooManyStorageRecords: as many are named as there may be.
        MalformedInput: an id of zero.
    """
    check_some_hash("party", party)
    standing, count = registry.find_party(role, party), registry.number(keys.parties_key(role))
    key = keys.party_key(role, party)
    if account == NOBODY:
        if standing is None:
            raise UnknownParty(role, party)
        registry.store.delete(key)
        registry.set_number(keys.parties_key(role), count - 1)
        return
    if standing is None:
        if count >= MOST_PARTIES[role]:
            raise TooManyStorageRecords(role.name.lower(), MOST_PARTIES[role])
        registry.set_number(keys.parties_key(role), count + 1)
    record = PartyRecord(account, registry.now.height, registry.now.time_s)
    registry.store.set(key, members.encode_party_record(record))


def set_parameters(registry: Registry, parameters: Parameters) -> None:
    """Set the module's parameters; another code is another map."""
    registry.set_parameters(parameters)
    write_map(registry)


def write_map(registry: Registry) -> None:
    """Write the next map where who may be given shards, or the code, is not what the newest says."""
    parameters, number = registry.parameters(), registry.number(keys.MAPS_KEY)
    newest = registry.find_map(number) if number else None
    candidates = []
    for operator in registry.roster():
        record = registry.operator(operator)
        if record.state is OperatorState.ACTIVE:
            candidates.append(Candidate(operator, record.organisation, record.site, record.weight))
    made = MapRecord(registry.now.height, registry.now.time_s, parameters.data, parameters.parity, tuple(candidates))
    if newest is None and not candidates:
        return
    if newest is not None and replace(newest, height=made.height, time_s=made.time_s) == made:
        return
    registry.write(numbered(number + 1), keys.map_key(number + 1), members.encode_map_record(made))
    registry.set_number(keys.MAPS_KEY, number + 1)
