// Takes the pictures of the README into a folder: node screenshots.mjs FOLDER. Started by `cargo xtask screenshots`.

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { PAGES, at, launch, press, skip, visit } from "./browser.mjs";

const folder = process.argv[2];
const DESKTOP = { width: 1120, height: 840 };

const PICTURES = {
  start: { path: PAGES.start },
  certificate: { path: PAGES.proved, viewport: { ...DESKTOP, height: 1080 } },
  leaderboard: { path: PAGES.ranking },
  verify: {
    path: PAGES.proved,
    viewport: { width: 900, height: 900 },
    prepare: async (page) => {
      await press(page);
      await press(page);
    },
    of: "#verify",
  },
  phone: { path: PAGES.revoked, viewport: { width: 390, height: 780 } },
  dark: { path: PAGES.model, colorScheme: "dark" },
};

if (skip) throw new Error(skip);
mkdirSync(folder, { recursive: true });
const browser = await launch();
for (const [name, { path, prepare, of, ...options }] of Object.entries(PICTURES)) {
  const file = join(folder, `${name}.png`);
  await visit(
    browser,
    async (page) => {
      await page.goto(at(path));
      await prepare?.(page);
      await (of ? page.locator(of) : page).screenshot({ path: file });
    },
    { viewport: DESKTOP, ...options },
  );
  console.log(`${file}: ${statSync(file).size} bytes`);
}
await browser.close();
