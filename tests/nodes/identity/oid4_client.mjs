// @digitalbazaar/oid4-client as a wallet, as far as it speaks OpenID4VCI 1.0: it reads the offer, fetches the nonce, signs, and
// requests the credential. What it does as drafts had it is done here: it looks for `issuer` in the credential issuer's
// metadata, and its key proofs have neither `typ` nor `iat`.

import { createInterface } from 'node:readline';
import { getCredentialOffer, OID4Client, signJWT } from '@digitalbazaar/oid4-client';
import * as jose from 'jose';

const PRE_AUTHORISED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code';

async function proofOf({ issuer, nonce }) {
  const { privateKey, publicKey } = await jose.generateKeyPair('ES256', { extractable: true });
  const usable = await crypto.subtle.importKey(
    'jwk', await jose.exportJWK(privateKey), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const jwk = await jose.exportJWK(publicKey);
  const signer = {
    sign: async ({ data }) => new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, usable, data)),
  };
  const payload = { aud: issuer, iat: Math.floor(Date.now() / 1000), nonce };
  const jwt = await signJWT({ payload, protectedHeader: { alg: 'ES256', typ: 'openid4vci-proof+jwt', jwk }, signer });
  return { jwt, thumbprint: await jose.calculateJwkThumbprint(jwk) };
}

async function clientOf(offer) {
  const { credential_issuer: issuer, grants } = offer;
  const [server, own] = await Promise.all(['oauth-authorization-server', 'openid-credential-issuer'].map(
    async (name) => (await fetch(`${issuer}/.well-known/${name}`)).json()));
  const body = new URLSearchParams({ grant_type: PRE_AUTHORISED, 'pre-authorized_code': grants[PRE_AUTHORISED]['pre-authorized_code'] });
  const answer = await fetch(server.token_endpoint, { method: 'POST', body });
  if (!answer.ok) throw new Error(`token: ${answer.status} ${await answer.text()}`);
  const { access_token: accessToken } = await answer.json();
  return new OID4Client({ accessToken, issuerConfig: { ...server, ...own }, offer });
}

async function accept({ link }) {
  const offer = await getCredentialOffer({ url: link });
  const client = await clientOf(offer);
  const { nonce } = await client.getNonce();
  const proof = await proofOf({ issuer: offer.credential_issuer, nonce });
  const [credential_configuration_id] = offer.credential_configuration_ids;
  const result = await client.requestCredentials({ requests: [{ credential_configuration_id, proofs: { jwt: [proof.jwt] } }] });
  const [{ credential }] = result.credentials;
  const { cnf } = jose.decodeJwt(credential.split('~')[0]);
  if (await jose.calculateJwkThumbprint(cnf.jwk) !== proof.thumbprint) throw new Error('bound to another key');
  return { count: result.credentials.length };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  try {
    const began = performance.now();
    console.log(JSON.stringify({ ...await accept(question), ms: performance.now() - began }));
  } catch (error) {
    const causes = [error, error.cause, error.cause?.cause].filter(Boolean);
    const said = causes.map((each) => `${each.name}: ${each.message} ${JSON.stringify(each.data ?? '')}`);
    console.log(JSON.stringify({ error: said.join(' < ').slice(0, 800) }));
  }
}
