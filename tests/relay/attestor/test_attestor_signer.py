"""An attestor whose key is elsewhere: what it says while its signer is away, and that it signs when it is back."""

import pytest

from hutong.adapters.evm.attested.attestor_api import AttestorRefused
from hutong.adapters.interface import SignerUnavailable, SigningRefused
from hutong.relay.attestor.attestor import Attestor
from hutong.relay.keys import Signer
from hutong.relay.keys.sources.in_memory import KeyInMemory
from tests.relay.attestor.test_attestor import SCOPE, SECRET, ask, attestor_over


class Elsewhere(KeyInMemory):
    failure = None

    async def sign(self, document):
        if self.failure is not None:
            raise self.failure
        return await super().sign(document)


@pytest.mark.parametrize("error", [SignerUnavailable, SigningRefused])
async def test_parity_row_71_an_attestor_waits_for_its_signer(tmp_path, error):
    source = Elsewhere(SECRET)
    async with attestor_over(tmp_path) as (whole, _):
        attestor = Attestor(whole.source, whole.record, Signer(source), [SCOPE], 0.01)
        source.failure = error("a token", "is away")
        with pytest.raises(AttestorRefused) as caught:
            await attestor.attest(ask(18))
        assert caught.value.code == "unavailable" and "key" in caught.value.reason
        source.failure = None
        answer = await attestor.attest(ask(18))
        assert answer == await whole.attest(ask(18)), "the height on record is signed as it was"
