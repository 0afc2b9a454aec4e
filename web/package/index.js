// Checks certificates of an Assay verifier canister. What decides is the wasm module; here files are fetched and steps shown.

import { call } from "./module.js";

const PART_BYTES = 1 << 20;
// What the canister seals at most; a server cannot make us read on.
const MAX_BYTES = { file: 16 << 20, dataset: 64 << 20, model: 10 << 20, proof: 1 << 20, log: 40 << 20 };

/** Version and file formats of the module. */
export const version = () => call("version", []);

/** Checks an exported certificate, step by step. */
export const checkCertificate = (certificate, options = {}) =>
  call("check_certificate", [request(options), certificate]);

/**
 * Makes a certificate again from everything that it was made of: runs a public model, verifies a private one's proofs,
 * counts a log. `handedIn` are the proofs, or the log and its openings if there are any.
 */
export const rerunCertificate = (certificate, records, dataset, model, handedIn, options = {}, onProgress) =>
  call("rerun_certificate", [request(options), certificate, records, dataset, model, ...handedIn], onProgress);

/** Verifies a proved prediction (`assay infer --prove`) against the private model's package. */
export const verifyPrediction = (prediction, modelPackage) =>
  call("verify_prediction", [prediction, modelPackage]);

/**
 * Checks a certificate and, unless `rerun` is false, makes it again. `source` is the canister's HTTP origin, or an object
 * with the files. Resolves in any case that concerns the certificate: `ok` says whether every step holds.
 */
export async function verify(source, certificate, options = {}) {
  const { onStep = () => {}, onProgress, rerun = true, fetch = globalThis.fetch, ...trust } = options;
  const files =
    typeof source === "string" || source instanceof URL ? remote(source, certificate, fetch) : local(source);
  const asked = { ...trust, certificate };
  const steps = [];
  const take = (step) => {
    steps.push(step);
    onStep(step);
    return step.ok;
  };
  const obtain = async (name, get) => {
    try {
      const bytes = await get();
      take({ part: "files", name, ok: true, detail: describe(bytes) });
      return bytes;
    } catch (cause) {
      take({ part: "files", name, ok: false, detail: String(cause?.message ?? cause) });
      return undefined;
    }
  };
  const ended = (answer) => ({
    authentic: false,
    standing: null,
    summary: null,
    ...answer,
    ok: steps.every((step) => step.ok),
    steps,
  });

  const file = await obtain("certificate", files.certificate);
  if (file === undefined) return ended({});
  const checked = await checkCertificate(file, asked);
  checked.steps.forEach(take);
  if (!checked.authentic || !rerun) return ended(checked);

  const { dataset, model, proofs, log } = checked.summary;
  const parts = [];
  for (const [name, get] of [
    ["records", files.records],
    ["dataset", () => files.dataset(dataset.digest)],
    ["model", () => files.model(model.digest)],
    ...proofs.map((digest, index) => [`proof ${index + 1}`, () => files.proof(digest, index)]),
    ...(log ? [["log", () => files.log(log.content)]] : []),
    ...(log?.openings ? [["openings", () => files.openings(log.openings)]] : []),
  ]) {
    const bytes = await obtain(name, get);
    if (bytes === undefined) return ended({ ...checked, equal: false });
    parts.push(bytes);
  }
  const [records, datasetBytes, modelBytes, ...handedIn] = parts;
  const again = await rerunCertificate(
    file,
    records,
    datasetBytes,
    modelBytes,
    handedIn,
    asked,
    onProgress,
  );
  again.steps.filter((step) => step.part !== "certificate").forEach(take);
  return ended(again);
}

/**
 * The root key that a test network's server names. Whoever answers there can forge everything, so it is worth nothing for
 * a certificate of the main network, whose root key is the default and comes with this package.
 */
export async function fetchTestRootKey(origin, fetch = globalThis.fetch) {
  const status = await download(new URL("/api/v2/status", origin), MAX_BYTES.file, fetch);
  // DER of a BLS12-381 key, a byte string of 133 bytes in the answer's CBOR.
  const start = find(status, [0x58, 133, 0x30, 0x81, 0x82, 0x30, 0x1d]);
  if (start < 0) throw new Error(`${origin} names no root key`);
  return status.slice(start + 2, start + 2 + 133);
}

function request({ rootKey, canister, nowMs = Date.now(), maxAgeSeconds, certificate }) {
  const hex =
    rootKey instanceof Uint8Array
      ? [...rootKey].map((byte) => byte.toString(16).padStart(2, "0")).join("")
      : rootKey;
  return JSON.stringify({ rootKey: hex, canister, nowMs, maxAgeSeconds, certificate });
}

function local({ certificate, records, dataset, model, proofs = [], log, openings }) {
  const given = (name, bytes) => () => bytes ?? Promise.reject(new Error(`${name} was not given`));
  return {
    certificate: given("certificate", certificate),
    records: given("records", records),
    dataset: given("dataset", dataset),
    model: given("model", model),
    proof: (_, index) => given("the proof", proofs[index])(),
    log: given("the log", log),
    openings: given("the openings", openings),
  };
}

/**
 * Where the canister behind an origin serves files: gateways verify what they pass on at `<canister>.<domain>`, and pass
 * files, which prove themselves, on only at `<canister>.raw.<domain>`. Other origins are taken as they are.
 */
export function filesOrigin(origin) {
  const address = new URL(origin);
  address.host = address.host.replace(/^([a-z2-7-]{27})\.(?!raw\.)/, "$1.raw.");
  return address.origin;
}

function remote(source, certificate, fetch) {
  const origin = filesOrigin(source);
  const file = (path) => () => download(new URL(path, origin), MAX_BYTES.file, fetch);
  const bytes = (kind) => async (digest) => {
    const parts = [];
    for (let part = 0, total = 0; ; part++) {
      const left = MAX_BYTES[kind] - total;
      const found = await download(
        new URL(`/bytes/${kind}/${digest}/${part}`, origin),
        Math.min(PART_BYTES, left),
        fetch,
        part > 0,
      );
      parts.push(found);
      total += found.length;
      if (found.length < PART_BYTES) return joined(parts, total);
    }
  };
  return {
    certificate: file(`/export/${certificate}.json`),
    records: file(`/records/${certificate}.json`),
    dataset: bytes("dataset"),
    model: bytes("model"),
    proof: bytes("proof"),
    log: bytes("log"),
    openings: bytes("log"),
  };
}

/** Reads at most `max` bytes; where nothing need be there, 404 is the end. */
async function download(address, max, fetch, mayBeAbsent = false) {
  const response = await fetch(address);
  if (response.status === 404 && mayBeAbsent) return new Uint8Array();
  if (!response.ok) throw new Error(`${address}: HTTP status ${response.status}`);
  const parts = [];
  let total = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return joined(parts, total);
    parts.push(value);
    total += value.length;
    if (total > max) {
      await reader.cancel();
      throw new Error(`${address}: more than ${max} bytes`);
    }
  }
}

function joined(parts, total) {
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function find(bytes, pattern) {
  return bytes.findIndex((_, at) => pattern.every((byte, index) => bytes[at + index] === byte));
}

function describe(bytes) {
  return `${bytes.length ?? bytes.byteLength} bytes`;
}
