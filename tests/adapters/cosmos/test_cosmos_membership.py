"""What a stock client says of a record: its answer in any shape is a verdict or one of the adapter's errors."""

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cosmos.reading.membership import VERIFY_MEMBERSHIP, verify_membership
from hutong.adapters.interface import AdapterError, Proof
from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.protobuf import cosmos_queries_pb2 as pb
from tests.adapters.cosmos.test_cosmos_queries import Service

CLIENT = "07-tendermint-0"
PROOF = Proof((b"hub", b"storage/verdict/x"), Height(1, 9), b"value", b"proof")


async def asked(service: Service):
    return await verify_membership(service, CLIENT, PROOF)


async def test_what_the_client_takes_is_asked_as_ibc_go_reads_it():
    service = Service(pb.QueryVerifyMembershipResponse(success=True))
    assert (await asked(service)).refusal is None
    ((method, raw),) = service.asked
    said = pb.QueryVerifyMembershipRequest.FromString(raw)
    assert (method, said.client_id, said.value, said.proof) == (VERIFY_MEMBERSHIP, CLIENT, b"value", b"proof")
    assert (said.proof_height.revision_number, said.proof_height.revision_height) == (1, 9)
    assert list(said.merkle_path.key_path) == [b"hub", b"storage/verdict/x"]


async def test_what_it_does_not_take_is_said():
    assert "does not take" in (await asked(Service(b""))).refusal
    assert (await asked(Service(b"", code=22))).refusal == "nothing here"


async def test_an_absence_is_not_asked_as_a_membership():
    service = Service(b"")
    with pytest.raises(MalformedInput):
        await verify_membership(service, CLIENT, Proof(PROOF.path, PROOF.height, None, b"proof"))
    assert not service.asked


@given(junk=st.binary(max_size=60))
def test_an_answer_of_any_bytes_is_a_verdict_or_an_error(junk):
    async def run():
        try:
            await asked(Service(junk))
        except AdapterError:
            pass

    trio.run(run)
