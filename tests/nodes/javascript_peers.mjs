// Other projects' verifiers behind one line of JSON a question and one a verdict; see javascript_peers.py.
import { createInterface } from 'node:readline';
import blsModule from '@chainsafe/bls';
import confio from '@confio/ics23';
import { batchVerifyMembership, batchVerifyNonMembership } from '@confio/ics23/build/ics23.js';
import { verifyMerkleProof } from '@ethereumjs/mpt';
import { createBeaconConfig, defaultChainConfig } from '@lodestar/config';
import { assertValidLightClientUpdate } from '@lodestar/light-client/validation';
import { ssz } from '@lodestar/types';

const bls = blsModule.default ?? blsModule;
const hex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
const text = (bytes) => Buffer.from(bytes).toString('hex');

// The version from npm has no spec of the sparse tree; its fields are those of cosmos/ics23.
const smtSpec = {
  leafSpec: { hash: 1, prehashKey: 1, prehashValue: 1, length: 0, prefix: Uint8Array.of(0) },
  innerSpec: { childOrder: [0, 1], childSize: 32, minPrefixLength: 1, maxPrefixLength: 1, emptyChild: new Uint8Array(32), hash: 1 },
  maxDepth: 256,
};
const specs = { iavl: confio.iavlSpec, tendermint: confio.tendermintSpec, smt: smtSpec };

function ics23({ spec, root, key, value, proof }) {
  const [at, of, raw] = [hex(root), hex(key), hex(proof)];
  const held = value === null ? null : hex(value);
  return () => {
    const read = confio.ics23.CommitmentProof.decode(raw);
    return held === null
      ? confio.verifyNonMembership(read, specs[spec], at, of)
      : confio.verifyMembership(read, specs[spec], at, of, held);
  };
}

// Keys with their values, or null for absence, by one batch; the package tells members and absent keys apart.
function ics23Batch({ spec, root, items, proof }) {
  const [at, raw] = [hex(root), hex(proof)];
  const present = new Map(items.filter(([, value]) => value !== null).map((item) => item.map(hex)));
  const absent = items.filter(([, value]) => value === null).map(([key]) => hex(key));
  return () => {
    const read = confio.ics23.CommitmentProof.decode(raw);
    return batchVerifyMembership(read, specs[spec], at, present) && batchVerifyNonMembership(read, specs[spec], at, absent);
  };
}

// The values of one proof after the other, each under the root that the value before names; null for absence.
function mpt({ root, proofs }) {
  const read = proofs.map(({ key, nodes }) => [hex(key), nodes.map(hex)]);
  const state = hex(root);
  return async () => {
    let at = state;
    let value = null;
    for (const [key, nodes] of read) {
      value = await verifyMerkleProof(key, nodes, { useKeyHashing: true, root: at });
      // An account's storage root: the 32 bytes before the code hash, which ends it.
      if (value !== null) at = value.subarray(value.length - 65, value.length - 33);
    }
    return value === null ? null : text(value);
  };
}

let beacon;
const committees = new Map();

function network({ genesisValidatorsRoot, versions, epochs }) {
  const chain = { ...defaultChainConfig };
  for (const [name, version] of Object.entries(versions)) chain[`${name}_FORK_VERSION`] = hex(version);
  for (const [name, epoch] of Object.entries(epochs)) chain[`${name}_FORK_EPOCH`] = epoch ?? Infinity;
  beacon = createBeaconConfig(chain, hex(genesisValidatorsRoot));
  committees.clear();
  return bls.implementation;
}

// `validate`: each key is shown to be in its subgroup, which the package leaves out.
function decodedCommittee(data, validate) {
  const committee = ssz.altair.SyncCommittee.deserialize(hex(data));
  return {
    pubkeys: committee.pubkeys.map((key) => bls.PublicKey.fromBytes(key, undefined, validate)),
    aggregatePubkey: bls.PublicKey.fromBytes(committee.aggregatePubkey, undefined, validate),
  };
}

// The specification's whole validation; the package exports it only within its store.
const specValidation = new URL('./node_modules/@lodestar/light-client/lib/spec/validateLightClientUpdate.js', import.meta.url);
const { validateLightClientUpdate } = await import(specValidation);

function committeeOf(data, cached, validate) {
  if (!cached || !committees.has(data)) committees.set(data, decodedCommittee(data, validate));
  return committees.get(data);
}

function update({ fork, update: data, committee, cached = true }) {
  const raw = hex(data);
  const type = ssz[fork].LightClientUpdate;
  return () => {
    validateLightClientUpdate(beacon, { config: beacon }, type.deserialize(raw), committeeOf(committee, cached, true));
    return true;
  };
}

// What the package's own client calls; `decoded`: the update is read from its bytes beforehand.
function quickUpdate({ fork, update: data, committee, cached = true, decoded = false, validate = false }) {
  const raw = hex(data);
  const type = ssz[fork].LightClientUpdate;
  const read = type.deserialize(raw);
  return () => {
    assertValidLightClientUpdate(beacon, committeeOf(committee, cached, validate), decoded ? read : type.deserialize(raw));
    return true;
  };
}

// A client's start: the committee of a bootstrap, then an update a period, each under the committee that the one before brought.
function start({ fork, bootstrap, updates, validate = false }) {
  const [first, rest] = [hex(bootstrap), updates.map(hex)];
  const keys = (committee) => ({
    pubkeys: committee.pubkeys.map((key) => bls.PublicKey.fromBytes(key, undefined, validate)),
    aggregatePubkey: bls.PublicKey.fromBytes(committee.aggregatePubkey, undefined, validate),
  });
  return () => {
    let committee = ssz[fork].LightClientBootstrap.deserialize(first).currentSyncCommittee;
    for (const raw of rest) {
      const read = ssz[fork].LightClientUpdate.deserialize(raw);
      assertValidLightClientUpdate(beacon, keys(committee), read);
      committee = read.nextSyncCommittee;
    }
    return true;
  };
}

// Calls a second of processor time, the best round of several: other processes on the machine do not show in it.
async function rate({ of, rounds, roundS }) {
  const call = questions[of.kind](of);
  await call();
  let best = 0;
  for (let round = 0; round < rounds; round += 1) {
    const started = process.cpuUsage();
    let calls = 0;
    let spent = 0;
    while (spent < roundS) {
      await call();
      calls += 1;
      if (calls % 8 === 0 || roundS / calls > 0.0005) {
        const { user, system } = process.cpuUsage(started);
        spent = (user + system) / 1e6;
      }
    }
    best = Math.max(best, calls / spent);
  }
  return best;
}

const questions = {
  ics23,
  ics23Batch,
  start,
  mpt,
  update,
  quickUpdate,
  network: (asked) => () => network(asked),
  rate: (asked) => () => rate(asked),
};

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const asked = JSON.parse(line);
  let verdict;
  try {
    verdict = { value: await questions[asked.kind](asked)() };
  } catch (error) {
    verdict = { error: String(error?.message ?? error).slice(0, 300) };
  }
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
}
