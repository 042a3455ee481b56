// A wallet by @openid4vc/openid4vci, Credo's protocol part. Its HTTP goes through the test: a line out asks, a line in answers.
// A question is {link, code, count}; the answer {credentials} or {refused}.
import { createHash, randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { clientAuthenticationAnonymous } from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const secrets = new Map();
const newSigner = async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  secrets.set(publicJwk.x, privateKey);
  return { method: "jwk", alg: "ES256", publicJwk };
};

const unused = () => {
  throw new Error("not asked for");
};

const callbacks = {
  fetch: async (url, init = {}) => {
    const headers = Object.fromEntries(new Headers(init.headers ?? {}));
    const body = init.body ? String(init.body) : null;
    if (init.body instanceof URLSearchParams) headers["content-type"] ??= "application/x-www-form-urlencoded";
    say({ fetch: { url: String(url), method: init.method ?? "GET", headers, body } });
    const answer = await told();
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  },
  hash: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  generateRandom: (count) => randomBytes(count),
  signJwt: async (signer, { header, payload }) => ({
    jwt: await new SignJWT(payload).setProtectedHeader(header).sign(secrets.get(signer.publicJwk.x)),
    signerJwk: signer.publicJwk,
  }),
  clientAuthentication: clientAuthenticationAnonymous(),
  decryptJwe: unused,
  encryptJwe: unused,
  verifyJwt: unused,
};

const client = new Openid4vciClient({ callbacks });
while (true) {
  const next = await lines.next();
  if (next.done) break;
  const { link, code, count } = JSON.parse(next.value);
  try {
    const credentialOffer = await client.resolveCredentialOffer(link);
    const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
    const dpop = { signer: await newSigner() };
    const granted = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
      credentialOffer, issuerMetadata, txCode: code, dpop,
    });
    const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
    const credentialConfigurationId = credentialOffer.credential_configuration_ids[0];
    const jwt = [];
    for (let number = 0; number < count; number += 1) {
      const proof = await client.createCredentialRequestJwtProof({
        issuerMetadata, credentialConfigurationId, nonce, signer: await newSigner(),
      });
      jwt.push(proof.jwt);
    }
    const got = await client.retrieveCredentials({
      issuerMetadata, credentialConfigurationId, proofs: { jwt }, dpop,
      accessToken: granted.accessTokenResponse.access_token,
    });
    say({ credentials: got.credentialResponse.credentials.map((one) => one.credential) });
  } catch (error) {
    say({ refused: `${error.name}: ${error.message} ${error.errorResponse?.error ?? ""}` });
  }
}
