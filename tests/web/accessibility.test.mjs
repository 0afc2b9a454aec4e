// Every kind of page under the rules of axe-core: WCAG 2.1 A and AA, and best practices. Started by tests/web/main.rs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { at, launch, load, press, skip, tour, visit } from "./browser.mjs";

const { source } = load("axe-core");
const ALL = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] };
/** Another colour scheme changes nothing but colours. */
const COLOURS = { type: "rule", values: ["color-contrast", "link-in-text-block"] };
/** Built like the pages of other certificates. */
const ALIKE = ["replayed", "superseded"];
const SCREENS = [
  { width: 1280, height: 900 },
  { width: 360, height: 740 },
];

let browser;
before(async () => skip || (browser = await launch()));
after(() => browser?.close());

/** What axe finds on a page as it stands, with everything that is folded away opened. */
async function findings(page, runOnly) {
  const results = await page.evaluate(
    async ([source, runOnly]) => {
      for (const details of document.querySelectorAll("details")) details.open = true;
      // The page's policy allows no script of others; the debugger may.
      if (!window.axe) (0, eval)(source);
      return window.axe.run(document, { runOnly });
    },
    [source, runOnly],
  );
  assert.ok(results.passes.length > 0, "axe looked at the page");
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target}: ${failureSummary}`),
  );
}

/** Light and dark, on a desk and in the hand. */
async function everyway(page, name) {
  for (const viewport of SCREENS) {
    await page.setViewportSize(viewport);
    for (const [colorScheme, rules] of [
      ["light", ALL],
      ["dark", COLOURS],
    ]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await findings(page, rules), [], `${name}, ${colorScheme}, ${viewport.width} wide`);
    }
  }
}

test("no kind of page breaks a rule of accessibility", { skip }, () =>
  tour(browser, { bypassCSP: true }, async (page, name) => {
    if (ALIKE.includes(name)) return;
    if (name === "revoked") await press(page);
    await everyway(page, name);
  }),
);

test("the rules find what is wrong", { skip }, () =>
  visit(browser, async (page) => {
    await page.goto(at("/"));
    await page.evaluate(() => {
      document.querySelector("label").remove();
      document.body.style.color = "#ddd";
    });
    const found = (await findings(page, ALL)).map((finding) => finding.split(" ")[0]);
    assert.ok(found.includes("label") && found.includes("color-contrast"), String(found));
    assert.ok((await findings(page, COLOURS)).length > 0);
  }),
);
