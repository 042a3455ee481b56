"""Every presentation that is shown to other verifiers in `tests/nodes/identity`: what ours says of it."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VerificationError
from tests.relay.services.identity.rules import presentation_corpus as corpus
from tests.relay.services.identity.rules.actors import judged
from tests.relay.services.identity.rules.refusals import refused

HONEST = [case.text for case in corpus.honest()]
ALPHABET = 'ABCXYZabcxyz0189-_.~={}" \n\u00e9'


def test_honest_ones_are_accepted_and_broken_ones_refused_for_their_reason():
    honest, broken = list(corpus.honest()), list(corpus.attacks())
    assert len({case.text for case in (*honest, *broken)}) == len(honest) + len(broken) >= 130
    wrong = []
    for case in honest:
        try:
            judged(case.text)
        except VerificationError as error:
            wrong.append(f"{case.name}: refused: {error}")
    for case in broken:
        said = refused(case.text)
        if case.refused is None or case.refused not in said:
            wrong.append(f"{case.name}: {said}")
    assert not wrong, "\n".join(wrong)


def changed(text: str, random: Random) -> str:
    """One of the changes that a wire, a wallet or an attacker makes."""
    at, kind = random.randrange(len(text)), random.randrange(6)
    if kind == 0:
        return text[:at] + random.choice(ALPHABET) + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + random.choice(ALPHABET) + text[at:]
    parts = text.split("~")
    one, other = random.randrange(len(parts)), random.choice(random.choice(HONEST).split("~"))
    if kind == 3:
        parts[one] = other
    elif kind == 4:
        parts.insert(one, other)
    else:
        del parts[one]
    return "~".join(parts)


@settings(max_examples=60)
@given(at=st.integers(0, len(HONEST) - 1), seed=st.integers(0, 2**32), changes=st.integers(1, 3))
def test_attack_N17_a_changed_presentation_is_never_accepted(at, seed, changes):
    """Whatever was changed: a refusal with fields, or the very text that its holder signed."""
    random, text = Random(seed), HONEST[at]
    for _ in range(changes):
        text = changed(text, random) or "~"
    try:
        judged(text)
    except VerificationError:
        return
    assert text in HONEST


@settings(max_examples=60)
@given(text=st.text(max_size=60) | st.text(alphabet='eyJ.~{}[]"AQ', max_size=60))
def test_attack_N17_any_text_is_refused_with_fields(text):
    assert refused(text)
