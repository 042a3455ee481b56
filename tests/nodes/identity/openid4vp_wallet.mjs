// A wallet by @openid4vc/openid4vp, Credo's protocol part. Its HTTP goes through the test: a line out asks, a line in answers.
// A question is {link}; the holder's presentation is asked for by {present: {client_id, nonce}}.
import { createHash, X509Certificate } from "node:crypto";
import { createInterface } from "node:readline";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { CompactEncrypt, compactVerify, exportJWK, importJWK } from "jose";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const certificate = (base64) => new X509Certificate(Buffer.from(base64, "base64"));

const callbacks = {
  fetch: async (url, init = {}) => {
    say({ fetch: { url: String(url), method: init.method ?? "GET", body: init.body ? String(init.body) : null } });
    const answer = await told();
    return new Response(answer.body, { status: answer.status, headers: { "content-type": answer.type } });
  },
  hash: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  getX509CertificateMetadata: (base64) => {
    const names = (certificate(base64).subjectAltName ?? "").split(", ");
    return { sanDnsNames: names.filter((one) => one.startsWith("DNS:")).map((one) => one.slice(4)), sanUriNames: [] };
  },
  verifyJwt: async (signer, { compact }) => {
    const key = certificate(signer.x5c[0]).publicKey;
    try {
      await compactVerify(compact, key, { algorithms: ["ES256"] });
    } catch {
      return { verified: false };
    }
    return { verified: true, signerJwk: await exportJWK(key) };
  },
  encryptJwe: async (encryptor, data) => {
    const { publicJwk } = encryptor;
    const jwe = await new CompactEncrypt(new TextEncoder().encode(data))
      .setProtectedHeader({ alg: encryptor.alg, enc: encryptor.enc, kid: publicJwk.kid })
      .encrypt(await importJWK(publicJwk, encryptor.alg));
    return { jwe, encryptionJwk: publicJwk };
  },
};
const client = new Openid4vpClient({ callbacks });
const serverMetadata = {
  authorization_signing_alg_values_supported: [],
  authorization_encryption_alg_values_supported: ["ECDH-ES"],
  authorization_encryption_enc_values_supported: ["A256GCM", "A128GCM"],
};

async function answered(link) {
  const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link });
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params });
  const request = resolved.authorizationRequestPayload;
  say({ present: { client_id: resolved.client.effective, nonce: request.nonce, prefix: resolved.client.prefix } });
  const { vp_token } = await told();
  const response = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: { vp_token },
    ...(request.response_mode.endsWith(".jwt") ? { jarm: { encryption: { nonce: "" }, serverMetadata } } : {}),
  });
  const submitted = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: response.authorizationResponsePayload,
    jarm: response.jarm,
  });
  return { status: submitted.response.status, body: await submitted.response.text(), mode: submitted.responseMode };
}

for (;;) {
  const { value, done } = await lines.next();
  if (done) break;
  try {
    say({ done: await answered(JSON.parse(value).link) });
  } catch (error) {
    say({ error: `${error.name}: ${error.message} ${error.cause?.message ?? ""}`.slice(0, 2000) });
  }
}
