"""Each refusal is the custom error that blocks of every rules version hold; what is no refusal halts the node."""

import importlib
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hutong.relay.hub.application
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.interface import ClientStatus, MalformedInput, PredicateFailed
from hutong.relay.evm.vm.native import NativeRevert
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import ActionRefused, NotAnAdmin
from hutong.relay.hub.application.clients import ClientNotActive, NoCounterparty, UnknownClient
from hutong.relay.hub.application.governance import interface as governance
from hutong.relay.hub.application.governance.members import NotAnOperator
from hutong.relay.hub.application.governance.proposals import ProposalRefused
from hutong.relay.hub.application.module import refusals_revert
from hutong.relay.hub.application.packets.packets import (
    ApplicationRefused,
    CommitmentMismatch,
    CounterpartyMismatch,
    HubPaused,
    InvalidTimeout,
    MultiPayloadUnsupported,
    PassedOnNextChain,
    SequencesExhausted,
)
from hutong.relay.hub.application.packets.quotas import Load, QuotaExceeded
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.transfer import interface as transfer
from hutong.relay.hub.application.transfer.bank import InsufficientTokens

HASH, ACCOUNT = b"\x11" * 32, b"\x22" * 20
QUOTA = QuotaExceeded("client-0", Load(1, 2), Load(3, 4), 5)
DENOM = Denom.parse("transfer/client-0/atom")


def reverted(error: BaseException, rules_version: int = rules_versions.NEWEST) -> bytes:
    with pytest.raises(NativeRevert) as caught, refusals_revert(rules_version):
        raise error
    assert caught.value.__cause__ is error
    return caught.value.data


@pytest.mark.parametrize("rules_version", [rules_versions.FIRST, rules_versions.NEWEST])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UnknownClient("client-0"), abi.CLIENT_NOT_FOUND.revert("client-0")),
        (NoCounterparty("client-0"), abi.COUNTERPARTY_NOT_FOUND.revert("client-0")),
        (ClientNotActive("client-0", ClientStatus.FROZEN), abi.CLIENT_NOT_ACTIVE.revert("client-0")),
        (HubPaused(), abi.ENFORCED_PAUSE.revert()),
        (InvalidTimeout(5, 9), abi.INVALID_TIMEOUT_TIMESTAMP.revert(5, 9)),
        (PassedOnNextChain(5, 9), abi.INVALID_TIMEOUT_TIMESTAMP.revert(5, 9)),
        (CounterpartyMismatch("a", "b"), abi.INVALID_COUNTERPARTY.revert("a", "b")),
        (MultiPayloadUnsupported(), abi.MULTI_PAYLOAD.revert()),
        (CommitmentMismatch(HASH, bytes(32)), abi.COMMITMENT_MISMATCH.revert(HASH, bytes(32))),
        (ApplicationRefused("no such port"), abi.APP_NOT_FOUND.revert("no such port")),
        (QUOTA, abi.QUOTA_EXCEEDED.revert("client-0", str(QUOTA))),
        (SequencesExhausted("client-0"), abi.QUOTA_EXCEEDED.revert("client-0", "the client has used all sequences")),
        (InsufficientTokens(DENOM, 1, 2), transfer.INSUFFICIENT_TOKENS.revert(DENOM.path, 1, 2)),
        (ActionRefused(HASH, "executed"), abi.ACTION_REFUSED.revert(HASH, "executed")),
        (NotAnAdmin(ACCOUNT), abi.NOT_AN_ADMIN.revert("0x" + ACCOUNT.hex())),
        (NotAnOperator(ACCOUNT), governance.NOT_AN_OPERATOR.revert("0x" + ACCOUNT.hex())),
        (ProposalRefused(7, "it expired"), governance.PROPOSAL_REFUSED.revert(7, "it expired")),
        (MalformedInput("packet", "is short"), abi.VERIFICATION_FAILED.revert("packet", "malformed packet: is short")),
        (PredicateFailed("known", "is not"), abi.VERIFICATION_FAILED.revert("known", "known: is not")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_refusal_is_its_error_of_the_abi(error, expected, rules_version):
    assert reverted(error, rules_version) == expected.data


@given(st.text(max_size=40), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_what_a_refusal_says_is_in_its_revert(text, first, second):
    client_id = text.encode(errors="replace").decode()
    assert reverted(UnknownClient(client_id)) == abi.CLIENT_NOT_FOUND.revert(client_id).data
    assert reverted(InvalidTimeout(first, second)) == abi.INVALID_TIMEOUT_TIMESTAMP.revert(first, second).data
    assert reverted(ApplicationRefused(text)) == abi.APP_NOT_FOUND.revert(client_id).data


@pytest.mark.parametrize("error", [KeyError("x"), AssertionError(), ValueError("x"), MemoryError(), Refusal()])
def test_what_is_no_refusal_of_the_rules_halts_the_node(error):
    with pytest.raises((type(error), NotImplementedError)) as caught, refusals_revert(rules_versions.NEWEST):
        raise error
    assert not isinstance(caught.value, NativeRevert)


def test_every_refusal_of_the_hub_has_a_revert():
    for found in pkgutil.walk_packages(hutong.relay.hub.application.__path__, "hutong.relay.hub.application."):
        importlib.import_module(found.name)
    kinds, left = set(), [Refusal]
    while left:
        for kind in left.pop().__subclasses__():
            if kind.__module__.startswith("hutong.") and kind not in kinds:
                kinds.add(kind)
                left.append(kind)
    assert len(kinds) >= 18
    assert [kind for kind in kinds if kind.revert is Refusal.revert] == []
