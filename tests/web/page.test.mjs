// The pages' script in a real browser, under the pages' content security policy. Started by tests/web/main.rs.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";
const TYPES = { js: "text/javascript", wasm: "application/wasm", html: "text/html" };
const PATIENCE_MS = 60_000;

const browser = [process.env.ASSAY_BROWSER, "chromium", "google-chrome"].find(
  (name) => name && spawnSync(name, ["--version"]).status === 0,
);
const fixture = (...path) => readFileSync(join(process.env.ASSAY_WEB_FIXTURES, ...path));
const asset = (name) => readFileSync(join(process.env.ASSAY_WEB, "../assets", name));

/** As the canister's pages are: nothing but the section and a table, hidden where scripts do not run. */
const page = (level, { canister, certificate }) => `<!doctype html><title>page</title>
<section id="verify" data-canister="${canister}" data-certificate="${certificate}" data-level="${level}" hidden>
<button type="button"></button><ol class="steps" aria-live="polite"></ol><p class="outcome" role="status"></p></section>
<table class="sortable"><thead><tr><th><button>size</button></th><th><button>name</button></th></tr></thead><tbody>
${[
  ["10", "b"],
  ["", "c"],
  ["9", "a"],
]
  .map(
    ([size, name]) => `<tr><td data-value="${size}">${size}</td><td data-value="${name}">${name}</td></tr>`,
  )
  .join("")}
</tbody></table><script type="module" src="/assets/page.js"></script><script type="module" src="/assets/visitor.js"></script>`;

/** Does what a person does: sorts, clicks twice, and tells the server what it sees. */
const visitor = `
const text = (selector) => [...document.querySelectorAll(selector)].map((element) => element.textContent);
const seen = { sorted: [], outcomes: [] };
for (const column of [0, 0, 1]) {
  document.querySelectorAll("th button")[column].click();
  seen.sorted.push(text("td:last-child").join(""));
}
seen.order = [...document.querySelectorAll("th")].map((header) => header.getAttribute("aria-sort"));
const [section, button, outcome] = ["section", "section button", ".outcome"].map((selector) => document.querySelector(selector));
seen.hidden = section.hidden;
for (let click = 0; click < 2 && !button.hidden; click++) {
  seen.label = button.textContent;
  button.click();
  while (section.getAttribute("aria-busy") === "true") await new Promise((resolve) => setTimeout(resolve, 20));
  seen.outcomes.push([outcome.textContent, outcome.dataset.kind]);
}
seen.steps = text("ol li");
await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
`;

async function visit(level, change = (content) => content) {
  const file = JSON.parse(fixture(level, "certificate.json"));
  const body = JSON.parse(Buffer.from(file.body, "base64")).predicate;
  const key = Buffer.from(fixture("root.key").toString(), "hex");
  const routes = new Map([
    ["/", page(level, file)],
    ["/assets/visitor.js", visitor],
    ...["page.js", "worker.js", "verify.js", "module.js", "verify.wasm"].map((name) => [
      `/assets/${name}`,
      asset(name),
    ]),
    [`/export/${file.certificate}.json`, fixture(level, "certificate.json")],
    [`/records/${file.certificate}.json`, fixture(level, "records.json")],
    [`/bytes/dataset/${body.dataset.digest}/0`, change(fixture(level, "dataset"))],
    [`/bytes/model/${body.model.digest}/0`, fixture(level, "model")],
    ...(body.proofs ?? []).map((digest, part) => [
      `/bytes/proof/${digest}/0`,
      fixture(level, `proof-${part}`),
    ]),
    [
      "/api/v2/status",
      Buffer.concat([Buffer.from("a1", "hex"), Buffer.from("\x68root_key\x58\x85", "latin1"), key]),
    ],
  ]);

  // Beside the fixtures, where the next run clears up: a browser's processes write on for a moment when it has ended.
  const profile = mkdtempSync(join(process.env.ASSAY_WEB_FIXTURES, "browser-"));
  let server;
  let child;
  try {
    return await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error("the page never finished")), PATIENCE_MS).unref();
      server = createServer(async (request, response) => {
        if (request.url === "/seen") {
          const parts = await request.toArray();
          response.end();
          return resolve(JSON.parse(Buffer.concat(parts)));
        }
        const content = routes.get(request.url);
        const type = TYPES[request.url.split(".").at(-1)] ?? "text/html";
        response
          .writeHead(content ? 200 : 404, { "content-security-policy": POLICY, "content-type": type })
          .end(content);
      });
      server.listen(0, "127.0.0.1", () => {
        const address = `http://localhost:${server.address().port}/`;
        const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`];
        child = spawn(browser, [...flags, "--remote-debugging-port=0", address], { stdio: "ignore" });
        child.on("error", reject);
      });
    });
  } finally {
    child?.kill();
    server?.closeAllConnections();
    server?.close();
  }
}

const skip = browser ? false : "no Chromium here";

for (const level of ["replayed", "proved"]) {
  test(`a page checks a ${level} certificate, makes it again, and sorts tables`, { skip }, async () => {
    const seen = await visit(level);
    assert.equal(seen.hidden, false);
    assert.deepEqual(
      seen.outcomes.map(([, kind]) => kind),
      ["ok", "ok"],
      JSON.stringify(seen, null, 1),
    );
    assert.match(seen.outcomes[0][0], /^Authentic\. Its verdict is pass; as signed .* UTC, it stands\.$/);
    assert.match(seen.outcomes[1][0], /byte for byte/);
    assert.match(seen.label, level === "proved" ? /zero-knowledge/ : /again/);
    assert.ok(seen.steps.every((step) => step.startsWith("✓")));
    assert.equal(
      seen.steps.filter((step) => step.includes("root key") && step.includes("test network")).length,
      1,
    );
    // Each step once, although the second click repeats the first one's.
    assert.equal(new Set(seen.steps).size, seen.steps.length);
    assert.deepEqual(seen.sorted, ["abc", "bac", "abc"]);
    assert.deepEqual(seen.order, [null, "ascending"]);
  });
}

test("a page says what does not hold", { skip }, async () => {
  const seen = await visit("replayed", (dataset) =>
    Buffer.concat([dataset.subarray(0, -1), Buffer.from([dataset.at(-1) ^ 1])]),
  );
  assert.deepEqual(
    seen.outcomes.map(([, kind]) => kind),
    ["ok", "failed"],
  );
  assert.match(seen.outcomes[1][0], /does not hold/);
  assert.match(seen.steps.at(-1), /^✗ rerun: replay the dataset has digest/);
});
