// @icp-sdk/core in a browser, all its verification on, at the gateway's origin. Started by tests/web/main.rs.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { at, launch, load, showcase, skip, visit } from "./browser.mjs";
import { behind } from "./proxy.mjs";

const { canister, rootKey, version, module } = showcase;
const UPLOAD = "d5".repeat(32);
/** What each operation answers, and bytes of the answer whose forgery has to be noticed. */
const OPERATIONS = {
  version: [version, Buffer.from("assay-canister"), "QuerySignatureVerificationFailedErrorCode"],
  begin_upload: [
    { digest: UPLOAD, size: 4096 },
    Buffer.from(UPLOAD, "hex"),
    "CertificateVerificationErrorCode",
  ],
  state: [module, Buffer.from(module, "hex"), "CertificateVerificationErrorCode"],
};

let browser;
let bundle;
before(async () => {
  if (skip) return;
  const built = load("esbuild").build({
    entryPoints: [join(import.meta.dirname, "agent.page.mjs")],
    nodePaths: [join(process.env.ASSAY_CLIENTS, "node/node_modules")],
    bundle: true,
    format: "iife",
    write: false,
  });
  bundle = (await built).outputFiles[0].text;
  browser = await launch();
});
after(() => browser?.close());

/** Asks from a page of `origin`. Its policy is switched off, since it would not let the library in. */
function ask(origin, options, hosts, operation) {
  const use = async (page) => {
    await page.goto(new URL("/about", origin).href);
    await page.addScriptTag({ content: bundle });
    return page.evaluate(([options, operation]) => window.ask(options, operation), [options, operation]);
  };
  return visit(browser, use, { hosts: hosts.map((address) => new URL(address).host), bypassCSP: true });
}

describe("the JavaScript library in a browser", { skip }, () => {
  const known = { rootKey, canisterId: canister };
  for (const [operation, [expected, needle, refusal]] of Object.entries(OPERATIONS)) {
    test(`${operation} works at the gateway's origin, and a forged answer is refused`, async () => {
      const host = showcase.origin;
      assert.deepEqual(await ask(host, { ...known, host }, [host], operation), { ok: expected });
      let forged = 0;
      const change = (_, body) => {
        const place = body.indexOf(needle);
        if (place < 0) return;
        body[place + needle.length - 1] ^= 1;
        forged += 1;
      };
      const answer = await behind(host, change, (proxy) =>
        ask(proxy, { ...known, host: proxy }, [proxy], operation),
      );
      assert.equal(answer.error, refusal, answer.message);
      assert.ok(forged > 0, "there was something to forge");
    });
  }

  test("without an address it finds the node by itself, from a canister's page", async () => {
    const node = `http://localhost:${new URL(at("/")).port}`;
    const answer = await ask(showcase.origin, known, [showcase.origin, node], "version");
    assert.deepEqual(answer, { ok: version });
  });
});
