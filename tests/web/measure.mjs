// What the pages weigh and how soon they are seen, as JSON lines: `cargo xtask bench pages-browser`.

import { PAGES, at, launch, press, skip, visit } from "./browser.mjs";

const NAME = process.argv[2];
/** Each page is opened this often, with nothing in the cache; times are medians. */
const VISITS = 7;
const KINDS = ["start", "about", "list", "replayed", "proved", "model", "dataset", "ranking", "search"];

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Counts bytes of bodies as they come over the wire, by media type. */
function weigh(page) {
  const responses = [];
  page.context().on("requestfinished", (request) => responses.push(request));
  return async () => {
    const bytes = { html: 0, css: 0, javascript: 0, wasm: 0, svg: 0, json: 0, "octet-stream": 0 };
    let headers = 0;
    for (const request of responses.splice(0)) {
      const type = (await (await request.response()).headerValue("content-type")).split(";")[0];
      const kind = Object.keys(bytes).find((kind) => type.includes(kind));
      const sizes = await request.sizes();
      bytes[kind] += sizes.responseBodySize;
      headers += sizes.responseHeadersSize;
    }
    return { bytes: Object.fromEntries(Object.entries(bytes).filter(([, size]) => size > 0)), headers };
  };
}

const paints = (page) =>
  page.evaluate(() => {
    const paint = Object.fromEntries(
      performance.getEntriesByType("paint").map((one) => [one.name, one.startTime]),
    );
    const { responseEnd, loadEventEnd } = performance.getEntriesByType("navigation")[0];
    return [responseEnd, paint["first-paint"], paint["first-contentful-paint"], loadEventEnd];
  });

const print = (line) => console.log(JSON.stringify({ case: NAME, ...line }));

if (skip) throw new Error(skip);
const browser = await launch();
for (const kind of KINDS) {
  const times = [];
  let weight;
  for (let opened = 0; opened < VISITS; opened++) {
    await visit(browser, async (page) => {
      const weighed = weigh(page);
      await page.goto(at(PAGES[kind]), { waitUntil: "networkidle" });
      times.push(await paints(page));
      weight = await weighed();
    });
  }
  const [received, painted, contentful, loaded] = [0, 1, 2, 3].map((index) =>
    Math.round(median(times.map((time) => time[index]))),
  );
  print({
    page: kind,
    body_bytes: weight.bytes,
    header_bytes: weight.headers,
    html_received_ms: received,
    first_paint_ms: painted,
    first_contentful_paint_ms: contentful,
    loaded_ms: loaded,
  });
}
// What a check costs on top: the module, the evidence, and the time from the button to the outcome.
for (const kind of ["replayed", "proved", "spot-checked"]) {
  await visit(browser, async (page) => {
    await page.goto(at(PAGES[kind]), { waitUntil: "networkidle" });
    const weighed = weigh(page);
    for (const step of ["check", "rerun"]) {
      const start = performance.now();
      const { kind: ended, text } = await press(page);
      if (!ended.includes("ok")) throw new Error(text);
      const ms = Math.round(performance.now() - start);
      const { bytes, headers } = await weighed();
      print({ page: kind, step, body_bytes: bytes, header_bytes: headers, ms });
    }
  });
}
await browser.close();
