// Chromium, driven by Playwright, with what holds for every page that is opened in it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, isAbsolute, join } from "node:path";

/** Loads one of the packages that `cargo xtask test --only clients` installs. */
export const load = createRequire(`${process.env.ASSAY_CLIENTS}/node/`);

/** What is where on the canister; tests/src/showcase.rs says what it is. */
export const showcase = JSON.parse(process.env.ASSAY_SHOWCASE);
const { origin, dataset, model } = showcase;

/** Where files and searches are. */
const files = origin.replace(".localhost", ".raw.localhost");

/** An address of the canister's. */
export const at = (path) => new URL(path, path.startsWith("/search") ? files : origin).href;

/** Every kind of page, by name. */
export const PAGES = {
  start: "/",
  about: "/about",
  list: "/certificates/0",
  replayed: `/certificate/${showcase.replayed}`,
  proved: `/certificate/${showcase.proved}`,
  undefined: `/certificate/${showcase.undefined}`,
  revoked: `/certificate/${showcase.revoked}`,
  superseded: `/certificate/${showcase.superseded}`,
  "spot-checked": `/certificate/${showcase.spotChecked}`,
  suspended: `/certificate/${showcase.suspended}`,
  model: `/model/${model}`,
  dataset: `/dataset/${dataset}`,
  ranking: `/dataset/${dataset}/by/precision`,
  search: "/search?q=credit",
  "empty search": "/search?q=nobody+knows",
  "not found": "/nothing/here",
};

/** How long anything that a page does may take. */
const PATIENCE_MS = 60_000;

// Playwright already has the browser do nothing of its own.
const FLAGS = ["--disable-gpu", "--disable-quic"];

const browser = [process.env.ASSAY_BROWSER, "chromium", "google-chrome"].map(found).find(Boolean);

/** Why tests that need a browser cannot run; false if they can. In CI they must. */
export const skip = browser ? false : "no Chromium here; install it, or name one in ASSAY_BROWSER";
if (skip && process.env.CI) throw new Error(skip);

function found(name) {
  if (!name || isAbsolute(name)) return name;
  return process.env.PATH.split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

/** Starts the browser with a profile of its own. */
export function launch() {
  return load("playwright-core").chromium.launch({
    executablePath: browser,
    chromiumSandbox: false,
    args: FLAGS,
  });
}

/**
 * Opens a page of its own, lets `use` work with it, and closes it. Nobody but `hosts` may have been asked for anything,
 * and the console has heard no complaint but those that `expected` matches.
 */
export async function visit(browser, use, { hosts = [new URL(origin).host], expected, ...options } = {}) {
  const allowed = [...hosts, new URL(files).host];
  const context = await browser.newContext(options);
  const asked = new Set();
  const complaints = [];
  context.on("request", (request) => asked.add(new URL(request.url()).host));
  context.on("weberror", (error) => complaints.push(error.error().message));
  context.on("console", (message) => {
    const heard = ["error", "warning"].includes(message.type()) && !expected?.test(message.text());
    if (heard) complaints.push(message.text());
  });
  context.setDefaultTimeout(PATIENCE_MS);
  try {
    const page = await context.newPage();
    const result = await use(page);
    assert.deepEqual([...asked].filter((host) => !allowed.includes(host)), [], "who else was asked");
    assert.deepEqual(complaints, [], "what the console was told");
    return result;
  } finally {
    await context.close();
  }
}

/** Opens every kind of page, one after the other in one tab, and lets `use` look at each. */
export const tour = (browser, options, use) =>
  visit(
    browser,
    async (page) => {
      for (const [name, path] of Object.entries(PAGES)) {
        await page.goto(at(path));
        await use(page, name);
      }
    },
    { expected: ABSENT, ...options },
  );

/** What the console is told when the page itself does not exist, or was refused. */
export const ABSENT = /^Failed to load resource: the server responded with a status of (404|502)/;

/** Presses the button of a certificate's page and waits for the outcome. */
export async function press(page) {
  const section = page.locator("#verify");
  const label = await section.locator("button").textContent();
  await section.locator("button").click();
  return { label, ...(await outcome(page)) };
}

/** Waits until a certificate's page has done what its button was pressed for. */
export async function outcome(page) {
  await page.locator("#verify:not([aria-busy])").waitFor();
  const said = page.locator("#verify .outcome");
  return { text: await said.textContent(), kind: await said.getAttribute("class") };
}

/** Texts of the steps that a certificate's page shows. */
export const steps = (page) =>
  page.locator("#verify li").evaluateAll((items) => items.map((item) => item.textContent.trim()));
