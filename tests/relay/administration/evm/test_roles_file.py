"""The roles file: one text for one value, and a sentence with its place for anything else."""

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.evm.administration.rights import Member, Rights, Role, Target, differences
from hutong.relay.administration.evm.roles_file import (
    MAX_FILE_BYTES,
    UnusableRolesFile,
    decode_rights,
    encode_rights,
    load_rights,
)

addresses = st.binary(min_size=20, max_size=20).filter(any).map(lambda raw: str(to_checksum_address(raw)))
delays = st.integers(0, 2**32 - 1)
roles = st.sampled_from([0, 1, 2, 3, 4, 5, 2**64 - 1]) | st.integers(6, 2**64 - 1)
signatures = st.sampled_from(["pause()", "migrateClient(string,(string,bytes[]),address)", "0xdeadbeef"])
targets = st.builds(
    Target,
    addresses,
    st.dictionaries(signatures, roles.filter(bool), max_size=3),
    delays,
    st.booleans(),
    st.just("") | addresses,
)
rights = st.builds(
    Rights,
    st.integers(1, 2**63 - 1),
    st.integers(0, 2**63 - 1),
    st.dictionaries(st.sampled_from(["router", "mailbox", "transfer"]), targets).flatmap(
        lambda named: targets.map(lambda manager: {"access_manager": manager, **named})
    ),
    st.dictionaries(
        roles,
        st.builds(Role, st.dictionaries(addresses, st.builds(Member, delays), max_size=3), roles, roles, delays),
        max_size=4,
    ),
)


@pytest.mark.long
@given(rights)
def test_what_is_written_is_read_again(value):
    again = decode_rights(encode_rights(value).encode())
    assert not differences(value, again) and not differences(again, value)
    assert encode_rights(again) == encode_rights(value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_value_or_a_typed_refusal(data):
    try:
        decode_rights(data)
    except UnusableRolesFile:
        pass


@pytest.mark.long
@given(rights, st.data())
def test_a_changed_file_is_a_value_or_a_typed_refusal(value, data):
    text = encode_rights(value)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from(['"', "=", "9", "x", "\n", "]", "-1", ""])) + text[at + 1 :]
    try:
        decode_rights(changed.encode())
    except UnusableRolesFile:
        pass


GOOD = encode_rights(
    Rights(7, 1, {"access_manager": Target("0x" + "11" * 20)}, {2: Role({"0x" + "22" * 20: Member(5)})})
)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("chain_id = 7", "chain_id = true", "chain_id"),
        ("chain_id = 7", "chain_id = -7", "chain_id"),
        ("height = 1", "", "height"),
        ("[contracts]", "[contract]", "contract"),
        ("access_manager =", "router =", "contracts.access_manager"),
        ("0x" + "11" * 20, "0x1", "contracts.access_manager"),
        ("roles.pauser", "roles.boss", "roles"),
        ("roles.pauser", "roles.role-2", "roles"),
        ('guardian = "admin"', 'guard = "admin"', "roles.pauser.guard"),
        (" = 5", " = 4294967296", "roles.pauser.members"),
        ("[functions.access_manager]", '[functions.access_manager]\n"pause(" = "pauser"', "functions.access_manager"),
    ],
)
def test_a_mistake_is_named_by_its_place(old, new, place):
    decode_rights(GOOD.encode())
    assert old in GOOD
    with pytest.raises(UnusableRolesFile) as caught:
        decode_rights(GOOD.replace(old, new).encode())
    assert caught.value.place.startswith(place)


@pytest.mark.parametrize("part", ["11", "22"])
def test_audit_H4_a_roles_file_with_the_zero_address_is_refused(part):
    """A role of nobody, or no contract, is never what shall stand."""
    with pytest.raises(UnusableRolesFile, match="is the zero address: nobody has its key"):
        decode_rights(GOOD.replace(part * 20, "00" * 20).encode())


def test_a_file_that_is_too_long_or_away(tmp_path):
    long = tmp_path / "long.toml"
    long.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    for file, said in ((long, "is longer than"), (tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(UnusableRolesFile, match=said):
            load_rights(file)
