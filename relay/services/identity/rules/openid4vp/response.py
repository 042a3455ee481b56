"""The answer of a wallet as it is posted (OpenID4VP 1.0 §8): a form with an encrypted response, a plain one, or an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.dcql.matching import MAX_PRESENTED
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, read_json_object, write_json
from hutong.relay.services.identity.rules.jose.jwe import MAX_PLAINTEXT_BYTES, DecryptionKey, judge_jwe
from hutong.relay.services.identity.rules.openid4vp.request import MAX_STATE_CHARS, ResponseMode
from hutong.relay.services.identity.rules.sd_jwt import MAX_PRESENTATION_CHARS

MAX_FORM_FIELDS: Final = 16
MAX_ERROR_CHARS: Final = 64
MAX_DESCRIPTION_CHARS: Final = 1_024
_NAME: Final = "response"


@dataclass(frozen=True, slots=True)
class WalletError:
    """The holder or the wallet declines. Its words come from outside: they are shown as text, and believed in nothing."""

    code: str
    description: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class VpToken:
    """Presentations as texts, by id of the credential query. Nothing of them is judged yet."""

    presentations: Mapping[str, tuple[str, ...]]
    state: str | None


@rule(f"{drafts.OPENID4VP} §8.2, §8.3.1")
def form_well_formed(fields: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """No parameter stands twice; exactly one of `response`, `vp_token` and `error` is there.

    Raises:
        MalformedInput: another form.
    """
    found = dict(fields)
    if len(found) != len(fields) or len(fields) > MAX_FORM_FIELDS:
        raise MalformedInput(_NAME, "has a parameter twice, or too many", got=sorted(name[:64] for name, _ in fields))
    kinds = sorted(found.keys() & {"response", "vp_token", "error"})
    if len(kinds) != 1:
        raise MalformedInput(_NAME, "has exactly one of response, vp_token and error", got=kinds)
    return found


@rule(f"{drafts.OPENID4VP} §8.2, §8.3")
def answered_as_asked(form: Mapping[str, str], mode: ResponseMode) -> None:
    """An encrypted answer was asked for, or a plain one. An error may always come as it is.

    Raises:
        PredicateFailed: the other one came.
    """
    expected = "response" if mode is ResponseMode.DIRECT_POST_JWT else "vp_token"
    if "error" not in form and expected not in form:
        found = "vp_token" if expected == "response" else "response"
        raise PredicateFailed("answered_as_asked", f"parameter of {mode.value}", found, expected)


@rule(f"{drafts.OPENID4VP} §8.5, {drafts.OAUTH} §4.1.2.1")
def error_well_formed(members: Mapping[str, JsonValue]) -> WalletError:
    """A code, and words that may come with it, in printable characters.

    Raises:
        MalformedInput: another structure.
    """
    code, description = members.get("error"), members.get("error_description")
    if (
        not isinstance(code, str)
        or not 0 < len(code) <= MAX_ERROR_CHARS
        or not code.isascii()
        or not code.isprintable()
    ):
        raise MalformedInput("error", f"is not a text of 1 to {MAX_ERROR_CHARS} ASCII characters", got=code)
    if description is not None and not (isinstance(description, str) and len(description) <= MAX_DESCRIPTION_CHARS):
        raise MalformedInput("error_description", f"is not a text of at most {MAX_DESCRIPTION_CHARS} characters")
    return WalletError(code, description, _state(members))


@rule(f"{drafts.OPENID4VP} §8.1")
def vp_token_well_formed(members: Mapping[str, JsonValue]) -> VpToken:
    """`vp_token` is an object: by id of a credential query, a list of at least one presentation as a text.

    Raises:
        MalformedInput: another structure, such as a text or an object in place of a list; too many; or too long.
    """
    value = members.get("vp_token")
    if not isinstance(value, dict) or not value:
        raise MalformedInput("vp_token", "is not an object with an answer for each query", got=value)
    found: dict[str, tuple[str, ...]] = {}
    for name, listed in value.items():
        path = f"vp_token.{name[:64]}"
        if not isinstance(listed, list) or not 0 < len(listed) <= MAX_PRESENTED:
            raise MalformedInput(path, f"is not a list of 1 to {MAX_PRESENTED} presentations", got=listed)
        texts = [one for one in listed if isinstance(one, str) and len(one) <= MAX_PRESENTATION_CHARS]
        if len(texts) != len(listed):
            raise MalformedInput(path, f"has one that is not a text of at most {MAX_PRESENTATION_CHARS} characters")
        found[name] = tuple(texts)
    if sum(map(len, found.values())) > MAX_PRESENTED:
        raise MalformedInput("vp_token", f"has more than {MAX_PRESENTED} presentations")
    return VpToken(found, _state(members))


def _state(members: Mapping[str, JsonValue]) -> str | None:
    state = members.get("state")
    if state is not None and not (isinstance(state, str) and len(state) <= MAX_STATE_CHARS):
        raise MalformedInput("state", f"is not a text of at most {MAX_STATE_CHARS} characters", got=state)
    return state


@rule(f"{drafts.OPENID4VP} §8.1, {drafts.OAUTH} §4.1.2")
def state_is_the_requests(state: str | None, expected: str | None) -> None:
    """`state` is the one of the request, and absent where that has none.

    Raises:
        PredicateFailed: another, or none.
    """
    if state != expected:
        raise PredicateFailed("state_is_the_requests", "state of the response", state, expected)


def judge_form(
    judge: Judge, fields: Sequence[tuple[str, str]], mode: ResponseMode, key: DecryptionKey | None, state: str | None
) -> VpToken | WalletError:
    """Every rule of the posted form; what is in it. Nobody has signed it: presentations are judged one by one, next.

    Args:
        key: that the request asked to encrypt to; None where it asked for a plain answer.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    form = judge(form_well_formed, fields)
    judge(answered_as_asked, form, mode)
    if "response" in form:
        if key is None:
            raise TypeError("a request for an encrypted answer has a key")
        members: Mapping[str, JsonValue] = read_json_object(
            judge_jwe(judge, form["response"], _NAME, key), _NAME, MAX_PLAINTEXT_BYTES
        )
    elif "vp_token" in form:
        read = read_json_object(form["vp_token"].encode("utf-8", "surrogatepass"), "vp_token", MAX_PLAINTEXT_BYTES)
        members = {"vp_token": read, **({"state": form["state"]} if "state" in form else {})}
    else:
        members = dict(form)
    answer = judge(error_well_formed, members) if "error" in members else judge(vp_token_well_formed, members)
    judge(state_is_the_requests, answer.state, state)
    return answer


def write_response(presentations: Mapping[str, Sequence[str]], state: str | None) -> bytes:
    """What a wallet encrypts: inverse of `vp_token_well_formed`."""
    token: JsonObject = {name: list[JsonValue](texts) for name, texts in presentations.items()}
    return write_json({"vp_token": token, **({} if state is None else {"state": state})})
