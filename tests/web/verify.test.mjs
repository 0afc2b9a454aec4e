// What the npm package says of real files, of changed ones, and of garbage. Started by tests/web/main.rs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

const { checkCertificate, fetchTestRootKey, rerunCertificate, verify, verifyPrediction, version } =
  await import(pathToFileURL(join(process.env.ASSAY_WEB, "index.js")));

const fixture = (...path) => new Uint8Array(readFileSync(join(process.env.ASSAY_WEB_FIXTURES, ...path)));
const prediction = (name) => new Uint8Array(readFileSync(join(process.env.ASSAY_PREDICTION, name)));
const rootKey = new TextDecoder().decode(fixture("root.key"));
const der = Uint8Array.from(Buffer.from(rootKey, "hex"));
const options = { rootKey };

const published = Object.fromEntries(
  ["replayed", "proved", "spot-checked"].map((level) => [
    level,
    {
      certificate: fixture(level, "certificate.json"),
      records: fixture(level, "records.json"),
      dataset: fixture(level, "dataset"),
      model: fixture(level, "model"),
      proofs: level === "proved" ? [fixture(level, "proof-0")] : [],
      ...(level === "spot-checked" && { log: fixture(level, "log"), openings: fixture(level, "openings") }),
    },
  ]),
);

const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (text) => new TextEncoder().encode(text);
const failed = ({ steps }) => steps.find((step) => !step.ok);
const again = (files, chosen = options, progress) => {
  const { certificate, records, dataset, model, proofs, log, openings } = files;
  const handedIn = [...proofs, log, openings].filter(Boolean);
  return rerunCertificate(certificate, records, dataset, model, handedIn, chosen, progress);
};

function flipped(original, at) {
  const copy = original.slice();
  copy.set([original.at(at) ^ 1], at < 0 ? original.length + at : at);
  return copy;
}

/** The same JSON file with one byte of a base64 member changed. */
function changed(file, member, at) {
  const json = JSON.parse(text(file));
  json[member] = Buffer.from(flipped(new Uint8Array(Buffer.from(json[member], "base64")), at)).toString(
    "base64",
  );
  return bytes(`${JSON.stringify(json, null, 2)}\n`);
}

function timed(name, run) {
  const start = performance.now();
  return run().finally(() => console.log(`node: ${name} took ${(performance.now() - start).toFixed(0)} ms`));
}

test("the module has a version and imports nothing but progress", async () => {
  assert.match((await version()).version, /^\d+\.\d+\.\d+$/);
  const module = await WebAssembly.compile(readFileSync(join(process.env.ASSAY_WEB, "verify.wasm")));
  assert.deepEqual(WebAssembly.Module.imports(module), [
    { module: "assay", name: "progress", kind: "function" },
  ]);
});

test("the types are those of TypeScript, and fit the exports", async () => {
  const compiler = join(process.env.ASSAY_CLIENTS, "node/node_modules/typescript/bin/tsc");
  const strict = ["--noEmit", "--strict", "--target", "es2023", "--module", "nodenext", "--lib", "es2023,dom"];
  const types = join(process.env.ASSAY_WEB, "index.d.ts");
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...strict, types], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
  const declared = readFileSync(types, "utf8").matchAll(/^export function (\w+)/gm);
  const exported = Object.keys(await import(join(process.env.ASSAY_WEB, "index.js")));
  assert.deepEqual([...declared].map(([, name]) => name).sort(), exported.sort());
});

for (const [level, files] of Object.entries(published)) {
  describe(`a ${level} certificate`, () => {
    test("is authentic and stands", async () => {
      const answer = await timed(`check (${level})`, () => checkCertificate(files.certificate, options));
      assert.deepEqual(
        answer.steps.map((step) => step.name),
        ["file", "signature", "canister", "age", "certified data", "body", "status", "form", "numbers"],
      );
      assert.equal(failed(answer), undefined);
      assert.deepEqual([answer.authentic, answer.standing, answer.summary.level], [true, "stands", level]);
    });

    test("is made again, with progress", async () => {
      const calls = [];
      const answer = await timed(`rerun (${level})`, () =>
        again(files, options, (done, of) => calls.push([done, of])),
      );
      assert.equal(failed(answer), undefined);
      assert.deepEqual([answer.equal, answer.differences.length], [true, 0]);
      assert.equal(answer.rerunDigest, answer.certificateDigest);
      assert.ok(calls.length > 0);
    });

    test("is refused under another root key, of another canister, too old, or early", async () => {
      const refused = async (chosen, name) => {
        const answer = await checkCertificate(files.certificate, { ...options, ...chosen });
        assert.deepEqual([answer.authentic, failed(answer).name], [false, name]);
        assert.ok(failed(answer).hint);
      };
      await refused({ rootKey: undefined }, "signature");
      await refused({ rootKey: flipped(der, -1) }, "signature");
      await refused({ canister: "aaaaa-aa" }, "canister");
      await refused({ nowMs: Date.now() + 7_200_000, maxAgeSeconds: 3600 }, "age");
      await refused({ nowMs: Date.now() - 7_200_000 }, "age");
      const other = await checkCertificate(files.certificate, { ...options, certificate: 99 });
      assert.deepEqual([other.authentic, failed(other).name], [false, "file"]);
    });

    test("is refused with any part changed", async () => {
      for (const member of ["ic_certificate", "witness", "body", "status"]) {
        const damaged = await checkCertificate(changed(files.certificate, member, 5), options);
        assert.deepEqual([damaged.authentic, failed(damaged).name], [false, "file"], member);
      }
      for (const member of ["audit", "dataset", "model", "policy", "ic_certificate", "witness"]) {
        for (const at of [20, -1]) {
          const answer = await again({ ...files, records: changed(files.records, member, at) });
          assert.deepEqual([answer.equal, failed(answer).part], [false, "records"], member);
        }
      }
      for (const part of ["dataset", "model", "log", "openings"].filter((part) => files[part])) {
        const answer = await again({ ...files, [part]: flipped(files[part], -1) });
        assert.deepEqual([answer.equal, failed(answer).part], [false, "rerun"], part);
      }
    });
  });
}

test("with its digest computed anew, a changed certificate fails where it was changed", async () => {
  const steps = { ic_certificate: "signature", witness: "certified data", body: "body", status: "status" };
  for (const [member, step] of Object.entries(steps)) {
    const json = JSON.parse(text(changed(published.replayed.certificate, member, -1)));
    const length = (part) => {
      const out = Buffer.alloc(8);
      out.writeBigUInt64LE(BigInt(part.length));
      return out;
    };
    const number = Buffer.alloc(8);
    number.writeBigUInt64LE(BigInt(json.certificate));
    const parts = [
      principal(json.canister),
      number,
      ...["body", "status", "ic_certificate", "witness"].map((name) => Buffer.from(json[name], "base64")),
    ];
    json.digest = createHash("sha256")
      .update(Buffer.concat(parts.flatMap((part) => [length(part), part])))
      .digest("hex");
    const answer = await checkCertificate(bytes(`${JSON.stringify(json, null, 2)}\n`), options);
    assert.deepEqual([answer.authentic, failed(answer).name], [false, step], failed(answer).detail);
  }
});

/** The bytes of a principal's text: base32 without dashes, less the checksum. */
function principal(text) {
  let bits = "";
  for (const letter of text.replaceAll("-", ""))
    bits += "abcdefghijklmnopqrstuvwxyz234567".indexOf(letter).toString(2).padStart(5, "0");
  const all = bits.match(/.{8}/g).map((byte) => parseInt(byte, 2));
  return Buffer.from(all.slice(4));
}

test("a proof with a byte changed, left out, or too many is refused", async () => {
  const { proved } = published;
  for (const proofs of [
    [flipped(proved.proofs[0], 200)],
    [flipped(proved.proofs[0], -40)],
    [],
    [...proved.proofs, ...proved.proofs],
  ]) {
    const answer = await again({ ...proved, proofs });
    assert.deepEqual([answer.authentic, answer.equal, failed(answer).name], [true, false, "proofs"]);
  }
});

test("files of one certificate do not stand in for those of another", async () => {
  for (const part of ["certificate", "records", "model"]) {
    const answer = await again({ ...published.replayed, [part]: published.proved[part] });
    assert.equal(answer.equal, false, part);
    assert.ok(failed(answer), part);
  }
});

test("a prediction is verified, and no other class, feature or package", async () => {
  const [file, modelPackage] = [prediction("prediction.json"), prediction("tiny.assay-package")];
  const answer = await timed("prediction", () => verifyPrediction(file, modelPackage));
  assert.deepEqual([answer.verified, answer.prediction.classes], [true, [0, 1]]);
  const other = (change) => {
    const json = JSON.parse(text(file));
    change(json);
    return bytes(JSON.stringify(json));
  };
  for (const [changedFile, changedPackage] of [
    [other((json) => json.classes.reverse()), modelPackage],
    [other((json) => (json.features[0][0] += 1)), modelPackage],
    [other((json) => (json.outputs[0][0] += 1)), modelPackage],
    [other((json) => (json.context = json.model)), modelPackage],
    [other((json) => json.outputs.pop()), modelPackage],
    [file, flipped(modelPackage, -1)],
    [file, new Uint8Array()],
  ]) {
    const refused = await verifyPrediction(changedFile, changedPackage);
    assert.deepEqual(
      [refused.verified, refused.prediction, failed(refused) !== undefined],
      [false, null, true],
    );
  }
});

test("garbage of every kind is a failed step, and the module never stops", async () => {
  let seed = 88_172_645;
  const random = (below) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % below;
  };
  const noise = (length) => Uint8Array.from({ length }, () => random(256));
  const mutated = (original) => {
    const copy = original.slice(0, random(4) === 0 ? random(original.length) : original.length);
    for (let change = 0; change < 1 + random(4) && copy.length > 0; change++)
      copy[random(copy.length)] = random(256);
    return copy;
  };
  const { proved } = published;
  const unchanged = (one, other) => Buffer.compare(one, other) === 0;
  for (let round = 0; round < 100; round++) {
    for (const certificate of [noise(random(300)), mutated(proved.certificate)]) {
      const answer = await checkCertificate(certificate, options);
      assert.ok(!answer.authentic || unchanged(certificate, proved.certificate));
    }
    const records = mutated(proved.records);
    const answer = await again({ ...proved, records, proofs: [noise(50)] });
    assert.ok(!answer.equal && failed(answer));
  }
  for (let round = 0; round < 40; round++) {
    const file = mutated(prediction("prediction.json"));
    const answer = await verifyPrediction(file, mutated(prediction("tiny.assay-package")));
    assert.ok(!answer.verified && failed(answer));
  }
  for (const nested of ["[".repeat(1 << 20), `${'{"a":'.repeat(1 << 18)}`, '"', "null", "{}"]) {
    assert.ok(failed(await checkCertificate(bytes(nested), options)));
    assert.ok(failed(await verifyPrediction(bytes(nested), bytes(nested))));
  }
});

test("calls that make no sense throw", async () => {
  const { certificate } = published.replayed;
  await assert.rejects(checkCertificate(42, options), TypeError);
  await assert.rejects(checkCertificate(certificate, { rootKey: "xyz" }), /rootKey/);
  await assert.rejects(checkCertificate(certificate, { ...options, canister: "nobody" }), /canister/);
  await assert.rejects(checkCertificate(certificate, { ...options, nowMs: Number.NaN }), /options/);
});

describe("from the canister's HTTP origin", () => {
  const routes = new Map([
    ["/export/1.json", published.replayed.certificate],
    ["/records/1.json", published.replayed.records],
    ["/export/2.json", published.proved.certificate],
    ["/records/2.json", published.proved.records],
    // An answer of the status endpoint: a map with the key among other members.
    [
      "/api/v2/status",
      Buffer.concat([
        Buffer.from("d9d9f7a2", "hex"),
        Buffer.from("\x68root_key\x58\x85", "latin1"),
        der,
        Buffer.from("\x61a\x01", "latin1"),
      ]),
    ],
    ["/export/3.json", published.replayed.certificate],
  ]);
  let server;
  let origin;

  before(async () => {
    for (const level of Object.keys(published)) {
      const { summary } = await checkCertificate(published[level].certificate, options);
      const serve = (kind, digest, content) => {
        for (let part = 0; part * (1 << 20) < content.length; part++) {
          routes.set(`/bytes/${kind}/${digest}/${part}`, content.subarray(part << 20, (part + 1) << 20));
        }
      };
      serve("dataset", summary.dataset.digest, published[level].dataset);
      serve("model", summary.model.digest, published[level].model);
      summary.proofs.forEach((digest, index) => serve("proof", digest, published[level].proofs[index]));
    }
    server = createServer((request, response) => {
      const content = routes.get(request.url);
      response.writeHead(content ? 200 : 404).end(content ?? "not found");
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => server.close());

  test("both levels are fetched, checked and made again", async () => {
    for (const number of [1, 2]) {
      const seen = [];
      const result = await verify(origin, number, {
        rootKey: await fetchTestRootKey(origin),
        onStep: (step) => seen.push(step),
      });
      assert.deepEqual(
        [result.ok, result.authentic, result.equal],
        [true, true, true],
        JSON.stringify(failed(result)),
      );
      assert.deepEqual(seen, result.steps);
      assert.deepEqual(
        [...new Set(seen.map((step) => step.part))],
        ["files", "certificate", "records", "rerun"],
      );
    }
  });

  test("another certificate under the number, a missing file, and endless bytes are refused", async () => {
    const other = await verify(origin, 3, options);
    assert.deepEqual([other.ok, failed(other).name], [false, "file"]);
    const missing = await verify(origin, 4, options);
    assert.deepEqual([missing.ok, missing.authentic, failed(missing).part], [false, false, "files"]);
    let sent = 0;
    const endless = async (address) => {
      if (!address.pathname.startsWith("/bytes/dataset/")) return fetch(address);
      sent += 1;
      return new Response(new Uint8Array(1 << 20));
    };
    const flooded = await verify(origin, 1, { ...options, fetch: endless });
    assert.deepEqual([flooded.ok, failed(flooded).name, sent], [false, "dataset", 65]);
    const unreachable = await verify("http://127.0.0.1:1", 1, options);
    assert.deepEqual([unreachable.ok, failed(unreachable).part], [false, "files"]);
  });

  test("files at hand take the same way", async () => {
    const result = await verify(published.proved, undefined, options);
    assert.deepEqual([result.ok, result.equal], [true, true]);
    const partial = await verify({ certificate: published.proved.certificate }, undefined, options);
    assert.deepEqual([partial.ok, partial.authentic, failed(partial).name], [false, true, "records"]);
    const only = await verify({ certificate: published.proved.certificate }, undefined, {
      ...options,
      rerun: false,
    });
    assert.deepEqual([only.ok, only.authentic], [true, true]);
  });
});
