"""Notes, checkpoints and verifier keys: the specification's own examples, every form that is refused, and any bytes at all."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import ed25519
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tlog import (
    COSIGNATURE_V1,
    ED25519,
    Note,
    NoteSignature,
    decode_checkpoint,
    decode_note,
    decode_vkey,
    encode_note,
    encode_vkey,
)
from hutong.light_clients.tlog.notes import MAX_NAME_BYTES, MAX_NOTE_BYTES, MAX_SIGNATURES, is_key_name
from tests.light_clients.tlog.simulated_log import LOG, ORIGIN, WITNESSES, SimulatedLog, note_text, signed_note

EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
"""Of C2SP signed-note."""


def test_example_of_the_specification_verifies():
    key, note = decode_vkey(EXAMPLE_VKEY, ED25519), decode_note(EXAMPLE_NOTE)
    (line,) = note.signatures
    assert (line.name, line.key_id) == (key.name, key.key_id(ED25519))
    assert ed25519.verify_strict(key.public_key, note.text, line.signature)
    assert not ed25519.verify_strict(key.public_key, note.text + b"\n", line.signature)
    assert encode_note(note) == EXAMPLE_NOTE
    assert encode_vkey(key, ED25519) == EXAMPLE_VKEY


LINE = "— a " + b64encode(bytes(68)).decode() + "\n"


def test_text_ends_at_the_last_empty_line():
    note = decode_note(f"one\n\n\ntwo\n\n{LINE}".encode())
    assert note.text == b"one\n\n\ntwo\n"
    assert decode_note(f"\n\n{LINE}".encode()).text == b"\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        f"text\n{LINE}",
        "text\n\n",
        f"text\n\n{LINE[:-1]}",
        f"text\n\n{LINE}\n",
        f"text\n\n{LINE}x",
        f"text\n\n{LINE}{LINE[2:]}",
        "text\n\n" + LINE.replace("—", "-"),
        "text\n\n" + LINE.replace("— ", "—"),
        "text\n\n" + LINE.replace("— ", "—  "),
        "text\n\n" + LINE.replace(" a ", "  "),
        "text\n\n" + LINE.replace(" a ", " a+b "),
        "text\n\n" + LINE.replace(" a ", " a\u00a0b "),
        "text\n\n" + LINE.replace(" a ", " a\u2028b "),
        "text\n\n" + LINE.replace(" a ", " a b "),
        "text\n\n" + LINE.replace(" a ", f" {'a' * (MAX_NAME_BYTES + 1)} "),
        "text\n\n" + LINE.replace("AA", "A-", 1),
        "text\n\n" + LINE.replace("\n", " \n"),
        "text\n\n" + LINE.replace("=", ""),
        "text\n\n" + LINE.replace("A=", "B="),
        "text\n\n— a \n",
        "text\n\n— a AAAAAA==\n",
        f"te\rxt\n\n{LINE}",
        f"te\txt\n\n{LINE}",
        f"te\0xt\n\n{LINE}",
        "text\n\n" + LINE * (MAX_SIGNATURES + 1),
        "t" * MAX_NOTE_BYTES + f"\n\n{LINE}",
    ],
)
def test_attack_C62_notes_of_another_form_are_refused(note):
    decode_note(f"text\n\n{LINE}".encode())
    with pytest.raises(MalformedInput):
        decode_note(note.encode())


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_attack_C62_notes_that_are_not_utf8_are_refused(bad):
    with pytest.raises(MalformedInput):
        decode_note(b"te" + bad + b"xt\n\n" + LINE.encode())


def test_most_signatures_of_post_quantum_size_are_read():
    """Verifiers must accept 16, whoever signed."""
    long = "— a " + b64encode(bytes(4_700)).decode() + "\n"
    assert len(decode_note(f"text\n\n{long * 16}".encode()).signatures) == 16
    assert len(decode_note(f"text\n\n{LINE * MAX_SIGNATURES}".encode()).signatures) == MAX_SIGNATURES


ROOT = b64encode(bytes(32)).decode()


def checkpoint(*lines: str) -> bytes:
    return ("".join(f"{line}\n" for line in lines) + f"\n{LINE}").encode()


def test_checkpoint_has_origin_size_root_and_any_further_lines():
    shown = decode_checkpoint(checkpoint("a log", "20852163", ROOT, "extension", "another"))
    assert (shown.origin, shown.size, shown.root) == ("a log", 20_852_163, bytes(32))
    assert decode_checkpoint(checkpoint("a", "0", ROOT)).size == 0
    assert decode_checkpoint(checkpoint("a", str(2**63 - 1), ROOT)).size == 2**63 - 1


@pytest.mark.parametrize(
    "lines",
    [
        ("a", "1"),
        ("", "1", ROOT),
        ("a", "1", ROOT, "", "x"),
        ("a", "01", ROOT),
        ("a", "+1", ROOT),
        ("a", "-1", ROOT),
        ("a", " 1", ROOT),
        ("a", "1_0", ROOT),
        ("a", "١", ROOT),
        ("a", "", ROOT),
        ("a", "0x1", ROOT),
        ("a", str(2**63), ROOT),
        ("a", "9" * 5_000, ROOT),
        ("a", "1", ROOT[:-1]),
        ("a", "1", ROOT + " "),
        ("a", "1", ROOT.replace("A=", "B=")),
        ("a", "1", b64encode(bytes(31)).decode()),
        ("a", "1", b64encode(bytes(33)).decode()),
        ("a", "1", ROOT.replace("A", "_", 1)),
    ],
)
def test_attack_C62_checkpoints_of_another_form_are_refused(lines):
    with pytest.raises(MalformedInput):
        decode_checkpoint(checkpoint(*lines))


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE_VKEY.replace("+530d903a", "+530d903b"),
        EXAMPLE_VKEY.replace("+530d903a", "+530D903A"),
        EXAMPLE_VKEY.replace("example.com/foo", "example.com/fop"),
        EXAMPLE_VKEY.replace("+530d903a", ""),
        EXAMPLE_VKEY + "=",
        EXAMPLE_VKEY.replace("+Aek", "+Bek"),
        "",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "a+b+AA==",
    ],
)
def test_attack_C62_verifier_keys_of_another_form_are_refused(text):
    with pytest.raises(MalformedInput):
        decode_vkey(text, ED25519)
    with pytest.raises(MalformedInput):
        decode_vkey(EXAMPLE_VKEY, COSIGNATURE_V1)


def test_one_key_has_another_id_for_every_type():
    key = WITNESSES[0].key
    assert key.key_id(ED25519) != key.key_id(COSIGNATURE_V1)
    assert decode_vkey(encode_vkey(key, COSIGNATURE_V1), COSIGNATURE_V1) == key


NAMES = st.text(min_size=1, max_size=12).filter(is_key_name)
NOTES = st.builds(
    lambda text, lines: Note(text.encode() + b"\n", tuple(NoteSignature(*line) for line in lines)),
    st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n")),
    st.lists(
        st.tuples(NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=90)), min_size=1, max_size=5
    ),
)


@given(NOTES)
def test_notes_survive_their_encoding(note):
    assert decode_note(encode_note(note)) == note


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_are_a_note_or_malformed(data):
    for read in (decode_note, decode_checkpoint):
        try:
            found = read(data)
        except MalformedInput:
            continue
        assert encode_note(found if isinstance(found, Note) else found.note) == data


VALID = signed_note(note_text(ORIGIN, 5, SimulatedLog().root()), [(witness, 1_700_000_000) for witness in WITNESSES])


@given(st.data())
def test_damaged_notes_are_another_note_or_malformed(data):
    changed = bytearray(VALID)
    at = data.draw(st.integers(0, len(VALID) - 1))
    changed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        found = decode_note(bytes(changed))
    except MalformedInput:
        return
    assert encode_note(found) == bytes(changed)
    line = found.signatures[0]
    known = line.name == LOG.name and line.key_id == LOG.key.key_id(ED25519)
    same = bytes(changed[: VALID.index(b"\n\n") + 2]) == VALID[: VALID.index(b"\n\n") + 2]
    if known and not same:
        assert found.text == decode_note(VALID).text or not ed25519.verify_strict(
            LOG.key.public_key, found.text, line.signature
        )
