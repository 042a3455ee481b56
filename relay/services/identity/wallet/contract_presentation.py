"""Presenting a seal to a contract: chosen claims, and the holder's signature for one gate, caller and call."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue
from hutong.relay.services.identity.rules.seals.claim_tree import Disclosure, disclose
from hutong.relay.services.identity.rules.seals.presentation import (
    Gate,
    Presentation,
    deadline_is_ahead,
    gated_call_hash,
    presentation_digest,
)
from hutong.relay.services.identity.rules.seals.seal import seal_digest
from hutong.relay.services.identity.rules.seals.seal_file import (
    SealedCredential,
    encode_seal_file,
    seal_of_json,
)
from hutong.relay.services.identity.rules.seals.signatures import holder_signed, sign_account
from hutong.relay.services.identity.wallet.errors import WalletUnusable
from hutong.relay.services.identity.wallet.holdings import Holding, Instance, Presented
from hutong.relay.services.identity.wallet.store import WalletStore


@dataclass(frozen=True, slots=True)
class ContractCall:
    """One call of one caller to a gate, for which alone the presentation is good."""

    gate: Gate
    caller: bytes
    selector: bytes
    arguments: bytes
    """ABI encoding of what follows the acceptance in the call."""


@dataclass(frozen=True, slots=True)
class ContractAnswer:
    """What the caller puts into its transaction: seal, issuer's signature, claims, presentation, holder's signature."""

    sealed: SealedCredential
    disclosures: tuple[Disclosure, ...]
    presentation: Presentation
    signature: bytes

    def seal_file(self) -> bytes:
        """The seal with all its claims, for `hutong.sdk.identity_gate.read_seal_file`: the holder's secret, never the sender's."""
        return encode_seal_file(self.sealed)

    def fields(self) -> JsonObject:
        """As JSON: bytes as 0x and hex, whole numbers beyond a double's as decimal text."""
        seal, presentation = self.sealed.seal, self.presentation
        disclosures: list[JsonValue] = [_disclosure(each) for each in self.disclosures]
        return {
            "seal": {
                "schema": _hex(seal.schema),
                "issuer": _hex(seal.issuer),
                "list": seal.list_number,
                "index": seal.index,
                "notAfter": seal.not_after_s,
                "holder": _hex(seal.holder),
                "claimsRoot": _hex(seal.claims_root),
            },
            "sealSignature": _hex(self.sealed.signature),
            "key": _hex(self.sealed.key_thumbprint),
            "disclosures": disclosures,
            "presentation": {
                "chainId": str(presentation.gate.chain_id),
                "gate": _hex(presentation.gate.address),
                "caller": _hex(presentation.caller),
                "nonce": str(presentation.nonce),
                "deadline": presentation.deadline_s,
                "seal": _hex(presentation.seal_digest),
                "call": _hex(presentation.call_hash),
            },
            "holderSignature": _hex(self.signature),
        }


def answer_contract(
    store: WalletStore, holding: Holding, call: ContractCall, claims: Sequence[str], window: tuple[int, int, int]
) -> ContractAnswer:
    """The holder's presentation of the next seal. Nothing is sent: the caller sends the transaction.

    Args:
        claims: names to disclose; all others stay hidden.
        window: nonce, the last second in which it is accepted, and the time now.

    Raises:
        WalletUnusable: the credential came without a seal.
        NothingLeft: the batch is used up.
        MalformedInput, PredicateFailed: no such claim, or a deadline that has passed; nothing was used up then.
    """
    nonce, deadline_s, now_s = window
    first = _sealed(holding, store.instance(holding.name))
    disclose(first.claims, claims)
    VERIFY(deadline_is_ahead, _presentation(first, call, nonce, deadline_s), now_s)
    instance = store.take(holding)
    sealed, secret = _sealed(holding, instance), instance.seal_secret or b""
    presentation = _presentation(sealed, call, nonce, deadline_s)
    signature = sign_account(secret, presentation_digest(presentation))
    VERIFY(holder_signed, sealed.seal, presentation, signature)
    gate = f"contract 0x{call.gate.address.hex()} on chain {call.gate.chain_id}"
    store.note(Presented(now_s, gate, holding.name, tuple(claims)))
    return ContractAnswer(sealed, disclose(sealed.claims, claims), presentation, signature)


def _sealed(holding: Holding, instance: Instance) -> SealedCredential:
    if instance.seal is None or instance.seal_secret is None:
        raise WalletUnusable(f"{holding.name} came without a seal, which is what contracts check")
    return seal_of_json(instance.seal)


def _presentation(sealed: SealedCredential, call: ContractCall, nonce: int, deadline_s: int) -> Presentation:
    call_hash = gated_call_hash(call.selector, call.arguments)
    return Presentation(call.gate, call.caller, nonce, deadline_s, seal_digest(sealed.seal), call_hash)


def _disclosure(disclosure: Disclosure) -> JsonObject:
    salt, name_hash, kind, value, path = disclosure.members()
    steps: list[JsonValue] = [_hex(step) for step in path]
    return {"salt": _hex(salt), "nameHash": _hex(name_hash), "kind": kind, "value": _hex(value), "path": steps}


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
