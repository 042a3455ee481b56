// A wallet made of the protocol libraries of Credo (@openid4vc, dcql) and jose: takes batches and presents one credential each time.
// One question a line of input, one answer a line of output. Nothing of hutong's runs here.

import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { createInterface } from 'node:readline';
import { clientAuthenticationNone } from '@openid4vc/oauth2';
import { Openid4vciClient } from '@openid4vc/openid4vci';
import { Openid4vpClient } from '@openid4vc/openid4vp';
import { DcqlQuery } from 'dcql';
import * as jose from 'jose';

const keys = new Map(); // private keys by thumbprint
const MOST = 20; // of those held, how many are looked at for one request
const held = []; // { text, payload, disclosures, key }

async function newKey() {
  const { privateKey, publicKey } = await jose.generateKeyPair('ES256', { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  keys.set(await jose.calculateJwkThumbprint(jwk), privateKey);
  return { method: 'jwk', alg: 'ES256', publicJwk: jwk };
}

async function keyOf(signer) {
  if (signer.method === 'jwk') return jose.importJWK(signer.publicJwk, signer.alg);
  if (signer.method === 'x5c') return jose.importX509(pem(signer.x5c[0]), signer.alg);
  throw new Error(`no key by ${signer.method}`);
}

const pem = (der) => `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----`;

const callbacks = {
  fetch: (...request) => fetch(...request),
  hash: (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest(),
  generateRandom: (count) => randomBytes(count),
  clientAuthentication: clientAuthenticationNone({ clientId: 'openid4vc-wallet' }),
  async signJwt(signer, { header, payload }) {
    const key = keys.get(await jose.calculateJwkThumbprint(signer.publicJwk));
    return { jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(key), signerJwk: signer.publicJwk };
  },
  async verifyJwt(signer, { compact }) {
    try {
      const key = await keyOf(signer);
      await jose.compactVerify(compact, key);
      return { verified: true, signerJwk: await jose.exportJWK(key) };
    } catch {
      return { verified: false };
    }
  },
  async encryptJwe(encryptor, data) {
    const key = await jose.importJWK(encryptor.publicJwk, encryptor.alg);
    const header = { alg: encryptor.alg, enc: encryptor.enc, kid: encryptor.publicJwk.kid };
    if (encryptor.apu) header.apu = encryptor.apu;
    if (encryptor.apv) header.apv = encryptor.apv;
    const jwe = await new jose.CompactEncrypt(new TextEncoder().encode(data)).setProtectedHeader(header).encrypt(key);
    return { jwe, encryptionJwk: encryptor.publicJwk };
  },
  decryptJwe: () => ({ decrypted: false }),
  getX509CertificateMetadata(der) {
    const names = (new X509Certificate(pem(der)).subjectAltName ?? '').split(', ');
    const of = (prefix) => names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    return { sanDnsNames: of('DNS:'), sanUriNames: of('URI:') };
  },
};

const issuing = new Openid4vciClient({ callbacks });
const presenting = new Openid4vpClient({ callbacks });
const digest = (text) => createHash('sha256').update(text).digest('base64url');

async function accept({ link, count, txCode }) {
  const credentialOffer = await issuing.resolveCredentialOffer(link);
  const issuerMetadata = await issuing.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const { accessTokenResponse, dpop } = await issuing.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode, dpop: { signer: await newKey() },
  });
  const [credentialConfigurationId] = credentialOffer.credential_configuration_ids;
  const { c_nonce: nonce } = await issuing.requestNonce({ issuerMetadata });
  const signers = await Promise.all(Array.from({ length: count }, newKey));
  const proofs = await Promise.all(signers.map((signer) =>
    issuing.createCredentialRequestJwtProof({ issuerMetadata, credentialConfigurationId, nonce, signer, issuedAt: new Date() })));
  const { credentialResponse } = await issuing.retrieveCredentials({
    issuerMetadata, credentialConfigurationId, dpop, accessToken: accessTokenResponse.access_token,
    proofs: { jwt: proofs.map(({ jwt }) => jwt) },
  });
  for (const { credential } of credentialResponse.credentials) held.push(await read(credential));
  return { count: credentialResponse.credentials.length };
}

async function read(text) {
  const [jwt, ...disclosures] = text.split('~').slice(0, -1);
  const payload = jose.decodeJwt(jwt);
  const key = keys.get(await jose.calculateJwkThumbprint(payload.cnf.jwk));
  if (!key) throw new Error('a credential for a key that is not ours');
  const claims = { ...payload };
  const byName = new Map();
  for (const disclosure of disclosures) {
    const [, name, value] = JSON.parse(Buffer.from(disclosure, 'base64url'));
    if (payload._sd?.includes(digest(disclosure))) { claims[name] = value; byName.set(name, disclosure); }
  }
  return { jwt, payload, claims, byName, key };
}

async function present({ link }) {
  const { params } = presenting.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link });
  const resolved = await presenting.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params });
  const request = resolved.authorizationRequestPayload;
  const query = DcqlQuery.parse(request.dcql_query);
  DcqlQuery.validate(query);
  const found = DcqlQuery.query(query, held.slice(0, MOST).map(({ payload, claims }) => (
    { credential_format: 'dc+sd-jwt', vct: payload.vct, claims, cryptographic_holder_binding: true })));
  if (!found.can_be_satisfied) throw new Error('nothing held answers the query');
  const vpToken = {};
  const used = [];
  for (const { id } of query.credentials) {
    const match = found.credential_matches[id].valid_credentials[0];
    const credential = held[match.input_credential_index];
    used.push(credential);
    const names = Object.keys(match.claims.valid_claim_sets[0].output);
    const shown = [credential.jwt, ...names.flatMap((name) => credential.byName.get(name) ?? []), ''].join('~');
    const binding = new jose.SignJWT({ nonce: request.nonce, aud: request.client_id, sd_hash: digest(shown) });
    const signed = await binding.setProtectedHeader({ alg: 'ES256', typ: 'kb+jwt' }).setIssuedAt().sign(credential.key);
    vpToken[id] = [shown + signed];
  }
  for (const credential of used) held.splice(held.indexOf(credential), 1);
  const made = await presenting.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request, authorizationResponsePayload: { vp_token: vpToken },
    jarm: {
      encryption: { nonce: randomBytes(16).toString('base64url') },
      serverMetadata: {
        authorization_signing_alg_values_supported: ['ES256'],
        authorization_encryption_alg_values_supported: ['ECDH-ES'],
        authorization_encryption_enc_values_supported: ['A128GCM', 'A256GCM'],
      },
    },
  });
  const { response } = await presenting.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request, authorizationResponsePayload: made.authorizationResponsePayload, jarm: made.jarm,
  });
  return { status: response.status, body: await response.text(), left: held.length };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  try {
    const began = performance.now();
    const value = await { accept, present }[question.do](question);
    console.log(JSON.stringify({ ...value, ms: performance.now() - began }));
  } catch (error) {
    console.log(JSON.stringify({ error: `${error.name}: ${error.message} ${JSON.stringify(error.cause ?? error.errorResponse ?? '')}`.slice(0, 800) }));
  }
}
