// @sd-jwt/sd-jwt-vc, with the cryptography of its own project, says what it thinks of presentations. Nothing of hutong's runs here.
// One question a line of input, one answer a line of output: null where it accepts, else its words. Its `verify` reads nonce and
// times; audience, type and the age of the holder's signature are its caller's, so a second answer is of such a caller.

import { createInterface } from 'node:readline';
import { digest, ES256 } from '@sd-jwt/crypto-nodejs';
import { createHeaderAndPayload, StatusList } from '@sd-jwt/jwt-status-list';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const list = new StatusList(new Array(1 << 20).fill(0), 1);
const { header, payload: ofList } = createHeaderAndPayload(list, { sub: 'https://lists.example', iat: 1 }, { alg: 'ES256' });
const everythingValid = [encoded(header), encoded(ofList), 'AAAA'].join('.');

async function judged({ presentation, jwk, nonce, now, skew }) {
  const instance = new SDJwtVcInstance({
    hasher: digest,
    verifier: await ES256.getVerifier(jwk),
    kbVerifier: async (data, signature, payload) => (await ES256.getVerifier(payload.cnf.jwk))(data, signature),
    // Status is not what is asked, and nothing is fetched: every list says valid.
    statusListFetcher: async () => everythingValid,
    statusVerifier: async () => true,
  });
  return instance.verify(presentation, { currentDate: now, skewSeconds: skew, keyBindingNonce: nonce });
}

function unlike({ payload, kb }, { audience, vct, now, skew }) {
  if (payload.vct !== vct) return 'another type';
  if (kb.payload.aud !== audience) return 'another audience';
  if (Math.abs(now - kb.payload.iat) > skew) return 'not presented just now';
  return null;
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let bare = null;
  let called = null;
  try {
    called = unlike(await judged(question), question);
  } catch (error) {
    bare = called = `${error.name}: ${error.message}`.slice(0, 300);
  }
  console.log(JSON.stringify({ '@sd-jwt': bare, '@sd-jwt, called with care': called }));
}
