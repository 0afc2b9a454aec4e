// The canister's own pages in a real browser, through the node's gateway. Started by tests/web/main.rs.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

const PATIENCE_MS = 60_000;
const origin = new URL(process.env.ASSAY_ORIGIN);
const names = [process.env.ASSAY_BROWSER, "chromium", "google-chrome"];
const browser = names.find((name) => name && spawnSync(name, ["--version"]).status === 0);
const skip = browser ? false : "no Chromium here";

/** What a person does on a certificate's page, and what is there to see afterwards. */
const verifyTwice = `(async () => {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  const find = (selector) => document.querySelector("#verify " + selector);
  while (!find("button") || document.querySelector("#verify").hidden) await pause();
  const outcomes = [];
  for (let click = 0; click < 2 && !find("button").hidden; click++) {
    const label = find("button").textContent;
    find("button").click();
    while (document.querySelector("#verify").getAttribute("aria-busy") === "true") await pause();
    outcomes.push({ label, text: find(".outcome").textContent, kind: find(".outcome").className });
  }
  const steps = [...document.querySelectorAll("#verify li")].map((item) => item.textContent.trim());
  return { outcomes, steps };
})()`;

/** Sorts the list of certificates by its columns, and returns the first cells after each click. */
const sortTwice = `(async () => {
  while (!document.querySelector("th button")) await new Promise((resolve) => setTimeout(resolve, 20));
  const header = document.querySelector("th");
  const seen = [];
  for (let click = 0; click < 2; click++) {
    header.querySelector("button").click();
    const cells = [...document.querySelectorAll("tbody tr")].map((row) => row.cells[0].textContent.trim());
    seen.push([header.getAttribute("aria-sort"), cells.join(" ")]);
  }
  return seen;
})()`;

/** Opens a page and evaluates a script in it, over the browser's debugging pipe. Also returns what the console got. */
async function visit(address, script) {
  // Beside the fixtures, where the next run clears up: a browser's processes write on for a moment when it has ended.
  const profile = mkdtempSync(join(process.env.ASSAY_WEB_FIXTURES, "browser-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`];
  const child = spawn(browser, [...flags, "--remote-debugging-pipe"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const [, , , input, output] = child.stdio;
  const waiting = new Map();
  const complaints = [];
  let text = "";
  output.on("data", (data) => {
    const messages = (text + data).split("\0");
    text = messages.pop();
    for (const message of messages.map((message) => JSON.parse(message))) {
      if (message.method === "Log.entryAdded") complaints.push(message.params.entry.text);
      waiting.get(message.id)?.(message);
    }
  });
  let last = 0;
  const send = (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      setTimeout(() => reject(new Error(`${method}: no answer`)), PATIENCE_MS).unref();
      waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  try {
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    await send("Log.enable", {}, sessionId);
    await send("Page.navigate", { url: String(address) }, sessionId);
    const evaluation = { expression: script, awaitPromise: true, returnByValue: true };
    // The first answer may come from the page before; then it is asked again.
    const evaluated = () => send("Runtime.evaluate", evaluation, sessionId);
    const { result, exceptionDetails } = await evaluated().catch(evaluated);
    assert.equal(exceptionDetails, undefined, exceptionDetails?.exception?.description);
    return { ...result, complaints };
  } finally {
    child.kill();
  }
}

for (const [number, level] of [
  [1, "replayed"],
  [2, "proved"],
]) {
  test(`the page of a ${level} certificate checks it and makes it again`, { skip }, async () => {
    const { value, complaints } = await visit(new URL(`/certificate/${number}`, origin), verifyTwice);
    const { outcomes, steps } = value;
    const told = JSON.stringify({ value, complaints }, null, 1);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["outcome ok", "outcome ok"],
      told,
    );
    assert.match(outcomes[0].text, /^Authentic\. Its verdict is pass; as signed .* UTC, it stands\.$/);
    assert.match(outcomes[1].text, /byte for byte/);
    assert.match(outcomes[1].label, level === "proved" ? /zero-knowledge/ : /again/);
    assert.match(steps[0], /^! network: root key This is a test network/);
    assert.ok(
      steps.slice(1).every((step) => step.startsWith("✓")),
      told,
    );
    // Each step once, although the second click repeats the first one's.
    assert.equal(new Set(steps).size, steps.length, told);
    assert.deepEqual(complaints, [], "the content security policy lets everything through");
  });
}

test("tables are sorted by a click on their headers", { skip }, async () => {
  const { value } = await visit(new URL("/certificates/0", origin), sortTwice);
  assert.deepEqual(value, [
    ["ascending", "1 2"],
    ["descending", "2 1"],
  ]);
});

test(
  "behind a server that changes what the canister says, the page says what does not hold",
  { skip },
  async () => {
    const changes = {
      "/export/1.json": ["failed", /^✗ certificate: file the file is damaged/],
      "/records/1.json": ["ok", /^✗ records: /],
      "/bytes/dataset/": ["ok", /^✗ rerun: replay the dataset has digest/],
    };
    for (const [path, [first, last]] of Object.entries(changes)) {
      const server = createServer((incoming, outgoing) => {
        const headers = { ...incoming.headers, host: origin.host };
        const options = { host: "127.0.0.1", port: origin.port, path: incoming.url, headers };
        const passed = httpRequest(options, async (answer) => {
          const body = Buffer.concat(await answer.toArray());
          // In a file, a letter of base64 within the first byte string; in a dataset, the last row.
          const at = path.startsWith("/bytes") ? body.length - 1 : body.indexOf('": "ey') + 100;
          if (incoming.url.startsWith(path)) body[at] ^= path.startsWith("/bytes") ? 1 : 2;
          outgoing.writeHead(answer.statusCode, answer.headers).end(body);
        });
        passed.end();
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      const address = `http://localhost:${server.address().port}/certificate/1`;
      try {
        const { outcomes, steps } = (await visit(address, verifyTwice)).value;
        assert.equal(outcomes[0].kind, `outcome ${first}`, path);
        assert.deepEqual(
          [outcomes.at(-1).kind, /does not hold/.test(outcomes.at(-1).text)],
          ["outcome failed", true],
          path,
        );
        assert.match(steps.at(-1), last);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    }
  },
);
