// An issuer and its authorisation server by @openid4vc/openid4vci and @openid4vc/oauth2, Credo's protocol part; JWE by jose.
// A line in is a request {method, url, headers, body}, or {variant: {…}} for the next flow; the line out its answer.
import { createHash, randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { Oauth2AuthorizationServer, Oauth2ServerErrorResponseError } from "@openid4vc/oauth2";
import { Openid4vciIssuer } from "@openid4vc/openid4vci";
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK, importX509, jwtVerify, SignJWT } from "jose";

const BASE = "https://credo.example";
const VCT = "https://credentials.example/licence";
const ISSUER = JSON.parse(process.env.ISSUER_JWK);
const now = () => new Date(Number(process.env.NOW_S) * 1000);

const requestKeys = await generateKeyPair("ECDH-ES", { crv: "P-256", extractable: true });
const requestJwk = { ...(await exportJWK(requestKeys.publicKey)), kid: "r1", use: "enc", alg: "ECDH-ES" };
const signing = await importJWK(ISSUER, "ES256");

const callbacks = {
  hash: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  generateRandom: (count) => randomBytes(count),
  verifyJwt: async (signer, { compact }) => {
    const pem = (one) => `-----BEGIN CERTIFICATE-----\n${one}\n-----END CERTIFICATE-----`;
    const key = signer.method === "x5c" ? await importX509(pem(signer.x5c[0]), "ES256") : await importJWK(signer.publicJwk, "ES256");
    try {
      await jwtVerify(compact, key, { algorithms: ["ES256"], currentDate: now() });
      return { verified: true, signerJwk: await exportJWK(key) };
    } catch {
      return { verified: false };
    }
  },
  signJwt: async (_, { header, payload }) => ({ jwt: await new SignJWT(payload).setProtectedHeader(header).sign(signing), signerJwk: ISSUER }),
};
const issuer = new Openid4vciIssuer({ callbacks });
const server = new Oauth2AuthorizationServer({ callbacks });

let variant = {};
let flow = {};

const issuerMetadata = () => {
  const proof = { proof_signing_alg_values_supported: ["ES256"], ...(variant.attested ? { key_attestations_required: {} } : {}) };
  return issuer.createCredentialIssuerMetadata({
    credential_issuer: BASE, credential_endpoint: `${BASE}/credential`, nonce_endpoint: `${BASE}/nonce`,
    deferred_credential_endpoint: `${BASE}/deferred`, batch_credential_issuance: { batch_size: 10 },
    credential_configurations_supported: { licence: {
      format: "dc+sd-jwt", vct: VCT, scope: "licence", cryptographic_binding_methods_supported: ["jwk"],
      credential_signing_alg_values_supported: ["ES256"], proof_types_supported: { [variant.proof ?? "jwt"]: proof },
    } },
    ...(variant.encrypted ? {
      credential_request_encryption: { jwks: { keys: [requestJwk] }, enc_values_supported: ["A256GCM"], encryption_required: true },
      credential_response_encryption: { alg_values_supported: ["ECDH-ES"], enc_values_supported: ["A128GCM"], encryption_required: true },
    } : {}),
  });
};
const serverMetadata = () => server.createAuthorizationServerMetadata({
  issuer: BASE, token_endpoint: `${BASE}/token`, authorization_endpoint: `${BASE}/authorize`,
  pushed_authorization_request_endpoint: `${BASE}/par`, require_pushed_authorization_requests: true,
  dpop_signing_alg_values_supported: ["ES256"], code_challenge_methods_supported: ["S256"],
  token_endpoint_auth_methods_supported: ["attest_jwt_client_auth"], authorization_response_iss_parameter_supported: true,
});

const asked = (request) => ({ method: request.method, url: request.url, headers: new Headers(request.headers) });
const form = (request) => Object.fromEntries(new URLSearchParams(request.body));
const json = (value, status = 200) => ({ status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) });

const pushed = async (request) => {
  const parsed = await server.parsePushedAuthorizationRequest({ authorizationRequest: form(request), request: asked(request) });
  const verified = await server.verifyPushedAuthorizationRequest({
    ...parsed, request: asked(request), authorizationServerMetadata: serverMetadata(), now: now(),
    clientAttestation: { ...parsed.clientAttestation, required: true }, dpop: { ...parsed.dpop, required: true },
  });
  flow = { fields: parsed.authorizationRequest, dpop: verified.dpop.jwkThumbprint, client: verified.clientAttestation.clientAttestation.payload };
  return json(server.createPushedAuthorizationResponse({ requestUri: "urn:credo:1", expiresInSeconds: 60 }).pushedAuthorizationResponse, 201);
};

const token = async (request) => {
  const parsed = server.parseAccessTokenRequest({ accessTokenRequest: form(request), request: asked(request) });
  await server.verifyAuthorizationCodeAccessTokenRequest({
    grant: parsed.grant, accessTokenRequest: parsed.accessTokenRequest, expectedCode: "code-1", request: asked(request), now: now(),
    authorizationServerMetadata: serverMetadata(),
    clientAttestation: { ...parsed.clientAttestation, required: true, expectedClientId: flow.client.sub },
    dpop: { ...parsed.dpop, required: true, expectedJwkThumbprint: flow.dpop },
    pkce: { codeVerifier: parsed.pkceCodeVerifier, codeChallenge: flow.fields.code_challenge, codeChallengeMethod: "S256" },
  });
  return json({ access_token: "token-1", token_type: "DPoP", expires_in: 60 });
};

const inside = async (request) => {
  const dpop = await server.verifyDpopJwt({
    dpopJwt: new Headers(request.headers).get("dpop"), request: asked(request), accessToken: "token-1",
    expectedJwkThumbprint: flow.dpop, now: now(),
  });
  if (!dpop || new Headers(request.headers).get("authorization") !== "DPoP token-1") throw new Error("no such token");
  if (!variant.encrypted) return JSON.parse(request.body);
  if (new Headers(request.headers).get("content-type") !== "application/jwt") throw new Error("not encrypted");
  const { plaintext, protectedHeader } = await compactDecrypt(request.body, requestKeys.privateKey);
  if (protectedHeader.kid !== "r1" || protectedHeader.enc !== "A256GCM") throw new Error("to no key of this issuer");
  return JSON.parse(new TextDecoder().decode(plaintext));
};

const sealed = async (body, response, status) => {
  if (!variant.encrypted) return json(response, status);
  const { jwk, enc } = body.credential_response_encryption;
  const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(response)))
    .setProtectedHeader({ alg: jwk.alg, enc, kid: jwk.kid }).encrypt(await importJWK(jwk));
  return { status, headers: { "content-type": "application/jwt" }, body: jwe };
};

// The library knows `alg` of earlier drafts beside `jwk` and `enc`, and demands it: how answers are encrypted is seen to here.
const provenKeys = async ({ credential_response_encryption: _, ...credentialRequest }) => {
  const parsed = issuer.parseCredentialRequest({ issuerMetadata: known(), credentialRequest });
  const metadata = known();
  const { jwt, attestation } = parsed.proofs;
  if (attestation) {
    const verified = await issuer.verifyCredentialRequestAttestationProof({
      keyAttestationJwt: attestation[0], expectedNonce: flow.nonce, issuerMetadata: metadata, now: now(),
    });
    return verified.payload.attested_keys;
  }
  const keys = [];
  for (const one of jwt) {
    const verified = await issuer.verifyCredentialRequestJwtProof({
      jwt: one, expectedNonce: flow.nonce, issuerMetadata: metadata, clientId: flow.client.sub, now: now(),
    });
    if (variant.attested && !verified.keyAttestation) throw new Error("its key is not attested");
    keys.push(verified.header.jwk);
  }
  return keys;
};
const known = () => ({
  originalDraftVersion: "Draft16", credentialIssuer: issuerMetadata(), authorizationServers: [serverMetadata()],
  knownCredentialConfigurations: issuer.getKnownCredentialConfigurationsSupported(issuerMetadata()),
});

const credential = async (jwk) => {
  const at = Number(process.env.NOW_S);
  const claims = { iss: BASE, vct: VCT, iat: at - 60, exp: at + 3600, cnf: { jwk }, level: 2 };
  return `${await new SignJWT(claims).setProtectedHeader({ alg: "ES256", typ: "dc+sd-jwt" }).sign(signing)}~`;
};

const credentials = async (request) => {
  const body = await inside(request);
  const keys = await provenKeys(body);
  flow.nonce = undefined;
  flow.ready = [];
  for (const key of keys) flow.ready.push({ credential: await credential(key) });
  if (variant.deferred) {
    const made = issuer.createCredentialResponse({ transactionId: "t-1", interval: 5, credentialRequest: body });
    return await sealed(body, made.credentialResponse ?? made, 202);
  }
  const made = issuer.createCredentialResponse({ credentials: flow.ready, credentialRequest: body });
  return await sealed(body, made.credentialResponse ?? made, 200);
};

const deferred = async (request) => {
  const body = await inside(request);
  const { credential_response_encryption: _, ...deferredCredentialRequest } = body;
  const parsed = issuer.parseDeferredCredentialRequest({ deferredCredentialRequest });
  if (parsed.deferredCredentialRequest.transaction_id !== "t-1") return json({ error: "invalid_transaction_id" }, 400);
  variant.deferred -= 1;
  const made = variant.deferred > 0
    ? issuer.createDeferredCredentialResponse({ transactionId: "t-1", interval: 5 })
    : issuer.createDeferredCredentialResponse({ credentials: flow.ready });
  return await sealed(body, made.deferredCredentialResponse ?? made, variant.deferred > 0 ? 202 : 200);
};

const routes = {
  "GET /.well-known/openid-credential-issuer": async () => json(issuerMetadata()),
  "GET /.well-known/oauth-authorization-server": async () => json(serverMetadata()),
  "POST /par": pushed, "POST /token": token, "POST /credential": credentials, "POST /deferred": deferred,
  "POST /nonce": async () => {
    flow.nonce = `nonce-${randomBytes(8).toString("hex")}`;
    const made = issuer.createNonceResponse({ cNonce: flow.nonce });
    return json(made);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  if (request.variant) {
    variant = request.variant;
    answer = {};
  } else {
    try {
      answer = await routes[`${request.method} ${new URL(request.url).pathname}`](request);
    } catch (error) {
      const said = error instanceof Oauth2ServerErrorResponseError ? error.errorResponse : { error: "server_error", error_description: `${error.name}: ${error.message}` };
      answer = json(said, 400);
    }
  }
  process.stdout.write(`${JSON.stringify({ ...answer, state: flow.fields?.state })}\n`);
}
