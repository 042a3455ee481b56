// @hpke of npm behind one line of JSON a question and one an answer; see hpke_peer.py.
import { createInterface } from 'node:readline';
import { Aes128Gcm, Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { XWing } from '@hpke/hybridkem-x-wing';

const hex = (text) => new Uint8Array(Buffer.from(text, 'hex')).buffer;
const text = (bytes) => Buffer.from(bytes).toString('hex');
const kems = { 0x10: () => new DhkemP256HkdfSha256(), 0x20: () => new DhkemX25519HkdfSha256(), 0x647a: () => new XWing() };
const aeads = { 1: () => new Aes128Gcm(), 2: () => new Aes256Gcm(), 3: () => new Chacha20Poly1305() };

async function answer({ act, kem, aead, key, info, aad, enc, data }) {
  const suite = new CipherSuite({ kem: kems[kem](), kdf: new HkdfSha256(), aead: aeads[aead]() });
  if (act === 'seal') {
    const recipientPublicKey = await suite.kem.deserializePublicKey(hex(key));
    const sender = await suite.createSenderContext({ recipientPublicKey, info: hex(info) });
    return { enc: text(sender.enc), data: text(await sender.seal(hex(data), hex(aad))) };
  }
  const recipientKey = await suite.kem.deserializePrivateKey(hex(key));
  const recipient = await suite.createRecipientContext({ recipientKey, enc: hex(enc), info: hex(info) });
  return { data: text(await recipient.open(hex(data), hex(aad))) };
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(await answer(JSON.parse(line))));
  } catch (error) {
    console.log(JSON.stringify({ error: `${error.name}: ${error.message}` }));
  }
}
