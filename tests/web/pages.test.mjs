// The canister's own pages in a real browser, through the node's gateway. Started by tests/web/main.rs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ABSENT, PAGES, at, launch, press, showcase, skip, steps, tour, visit } from "./browser.mjs";
import { behind } from "./proxy.mjs";

const PHONE = { width: 360, height: 740 };

let browser;
before(async () => skip || (browser = await launch()));
after(() => browser?.close());

const title = (page) => page.locator("h1").textContent();
const column = (page, index) =>
  page.locator(`tbody tr > :nth-child(${index})`).evaluateAll((cells) => cells.map((cell) => cell.innerText));

describe("what the gateway shows", { skip }, () => {
  const [honest, forging] = process.env.ASSAY_RELAYS.split(" ").map((canister) =>
    at("/about").replace(showcase.canister, canister),
  );

  test("a page that someone else plays back is shown while it is what the canister certified", () =>
    visit(
      browser,
      async (page) => {
        await page.goto(honest);
        assert.equal(await title(page), "What a certificate proves");
        assert.ok(await page.getByText("What it does not prove").isVisible());
      },
      // Its style sheet and script are not played back; they get a page in their place, which is refused.
      { hosts: [new URL(honest).host], expected: ABSENT },
    ));

  test("with two words changed it is refused, and the reason shown in its place", () =>
    visit(
      browser,
      async (page) => {
        const answer = await page.goto(forging);
        assert.equal(answer.status(), 502);
        assert.equal(await title(page), "The response failed verification and is not shown");
        assert.equal(await page.getByText("prove").count(), 0);
      },
      { hosts: [new URL(forging).host], expected: ABSENT },
    ));

  test("an address without a page is told so, and certified", () =>
    visit(
      browser,
      async (page) => {
        const answer = await page.goto(at("/certificate/999"));
        assert.deepEqual([answer.status(), await title(page)], [404, "There is no such page"]);
        assert.ok((await answer.allHeaders())["ic-certificate"]);
        await page.getByRole("link", { name: "look it up" }).click();
        assert.match(await title(page), /as good and as fair/);
      },
      { expected: ABSENT },
    ));
});

describe("finding a certificate", { skip }, () => {
  test("by a model's name, from the start page to the certificate", () =>
    visit(browser, async (page) => {
      await page.goto(at("/"));
      const search = page.getByRole("search", { name: "Find a certificate" });
      await search.getByRole("searchbox").fill("private");
      await search.getByRole("button").click();
      await page.getByRole("heading", { name: "Certificates" }).waitFor();
      assert.ok(await page.getByText("One node answered this search by itself").isVisible());
      const rows = page.getByRole("region", { name: "Certificates" }).locator("tbody tr");
      assert.equal(await rows.count(), 1);
      await rows.getByRole("link", { name: String(showcase.proved), exact: true }).click();
      assert.match(await title(page), new RegExp(`^Certificate ${showcase.proved} pass`));
      assert.ok(await page.getByRole("heading", { name: "Assurance: proved" }).isVisible());
    }));

  test("by number, by digest, and not at all, from the search that every page has", () =>
    visit(browser, async (page) => {
      await page.goto(at("/about"));
      const search = async (text) => {
        await page.locator("header").getByRole("searchbox").fill(text);
        await page.keyboard.press("Enter");
        await page.waitForURL(`**/search?q=${text}`);
        return page.locator("main a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
      };
      assert.ok((await search(String(showcase.revoked))).includes(`/certificate/${showcase.revoked}`));
      assert.deepEqual(await search(showcase.dataset), [`/dataset/${showcase.dataset}`]);
      assert.deepEqual(await search("zzz"), []);
      assert.ok(await page.getByText("Nothing is called “zzz”.").isVisible());
    }));
});

describe("tables", { skip }, () => {
  test("a list is sorted by a click on a header, and back by another", () =>
    visit(browser, async (page) => {
      await page.goto(at(PAGES.list));
      const sorted = async (name, index) => {
        await page.getByRole("button", { name, exact: true }).click();
        const header = page.locator(`thead th:nth-child(${index})`);
        return [await header.getAttribute("aria-sort"), await column(page, index)];
      };
      const numbers = (await column(page, 1)).map(Number).sort((a, b) => a - b);
      assert.deepEqual(await sorted("No.", 1), ["ascending", numbers.map(String)]);
      assert.deepEqual(await sorted("No.", 1), ["descending", numbers.map(String).reverse()]);
      const [, samples] = await sorted("Samples", 5);
      const counts = samples.map((text) => Number(text.replace(",", "")));
      assert.deepEqual(
        counts,
        counts.toSorted((a, b) => a - b),
      );
      assert.equal(await page.locator('th[aria-sort="ascending"]').count(), 1);
    }));

  test("a leaderboard begins with the best, and what is undefined comes last in either order", () =>
    visit(browser, async (page) => {
      await page.goto(at(PAGES.ranking));
      const defined = (cells) => cells.slice(0, -1).map(Number);
      const descending = (cells) => defined(cells).toSorted((a, b) => b - a);
      const served = await column(page, 2);
      assert.ok(served.length > 2 && served.at(-1) === "undefined", String(served));
      // By the end of the interval that speaks against the model.
      const cautious = (await column(page, 3)).slice(0, -1).map((text) => text.split(" … ")[0]);
      assert.deepEqual(cautious, cautious.toSorted().reverse());
      const header = page.locator("thead th:nth-child(2)");
      await header.getByRole("button").click();
      const turned = await column(page, 2);
      assert.equal(turned.at(-1), "undefined");
      assert.deepEqual(defined(turned), descending(served).reverse());
    }));
});

describe("checking in the browser", { skip }, () => {
  for (const level of ["replayed", "proved", "spot-checked"]) {
    test(`a ${level} certificate is checked, and made again`, () =>
      visit(browser, async (page) => {
        await page.goto(at(PAGES[level]));
        const first = await press(page);
        assert.equal(first.kind, "outcome ok", first.text);
        assert.match(first.text, /^Authentic\. The verdict on .* samples of .* is pass; as signed .* UTC, it stands\.$/);
        const second = await press(page);
        assert.equal(second.kind, "outcome ok", second.text);
        assert.match(second.text, /byte for byte/);
        assert.match(second.label, level === "proved" ? /zero-knowledge/ : /again/);
        const shown = await steps(page);
        assert.match(shown[0], /^! network: root key This is a test network/);
        assert.ok(
          shown.slice(1).every((step) => step.startsWith("✓")),
          shown.join("\n"),
        );
        // Each step once, although the second click repeats the first one's.
        assert.equal(new Set(shown).size, shown.length);
        assert.ok(await page.locator("#verify button").isHidden());
      }));
  }

  test("one that was revoked is authentic, and everything says that it was revoked, and why", () =>
    visit(browser, async (page) => {
      await page.goto(at(PAGES.revoked));
      assert.match(await title(page), /revoked \(was: \w+\)$/);
      const note = page.getByRole("note");
      assert.match(
        await note.textContent(),
        /^Revoked\. Reason given: “a wrong copy of the model was audited”$/,
      );
      const { text, kind } = await press(page);
      assert.equal(kind, "outcome gone");
      assert.match(text, /it was REVOKED by .* a wrong copy of the model was audited\.$/);
      await page.goto(at(PAGES.list));
      const row = page.locator("tbody tr", {
        has: page.getByText(String(showcase.revoked), { exact: true }),
      });
      assert.match(await row.first().textContent(), /revoked/);
    }));

  test("one whose log has a wrong prediction is authentic, and everything says that it is suspended", () =>
    visit(browser, async (page) => {
      await page.goto(at(PAGES.suspended));
      assert.match(await title(page), /suspended \(was: \w+\)$/);
      assert.match(await page.getByRole("note").textContent(), /^Suspended\. The log says of row \d+ /);
      const { text, kind } = await press(page);
      assert.equal(kind, "outcome gone");
      assert.match(text, /it was SUSPENDED on .*: the model does not decide what the log says of row \d+\.$/);
      // Running the public model on all of them shows which, and that the figures are not the model's.
      const again = await press(page);
      assert.equal(again.kind, "outcome failed", again.text);
      assert.match((await steps(page)).at(-1), /^✗ rerun: comparison \d+ of \d+ values differ/);
    }));

  test("the page of a spot-checked one tells what was opened and what that is worth", () =>
    visit(browser, async (page) => {
      await page.goto(at(PAGES["spot-checked"]));
      const level = page.getByRole("region", { name: /^Assurance: spot-checked$/ });
      assert.match(await level.textContent(), /300 predictions/);
      assert.match(await level.textContent(), /by this canister/);
      const odds = level.getByRole("table");
      assert.deepEqual(await odds.locator("tbody td:first-child").allTextContents(), ["2", "20", "100"]);
    }));

  test("one that was replaced leads to its successor", () =>
    visit(browser, async (page) => {
      await page.goto(at(PAGES.superseded));
      assert.match(await title(page), /superseded \(was/);
      await page.getByRole("note").getByRole("link").click();
      assert.match(await title(page), /^Certificate \d+ pass/);
      assert.ok(await page.getByText(`certificate ${showcase.superseded}`).isVisible());
    }));

  const changes = [
    ["export", `/export/${showcase.replayed}.json`, "failed", /^✗ certificate: file the file is damaged/],
    ["records", `/records/${showcase.replayed}.json`, "ok", /^✗ records: /],
    ["dataset", "/bytes/dataset/", "ok", /^✗ rerun: replay the dataset has digest/],
    ["model", "/bytes/model/", "ok", /^✗ rerun: /],
  ];
  for (const [name, path, first, last] of changes) {
    test(`behind a server that changes the ${name}, the page says what does not hold`, () => {
      const change = (asked, body) => {
        if (!asked.startsWith(path)) return;
        // The last byte; in a file, a letter of base64 within the first byte string.
        const place = path.startsWith("/bytes") ? body.length - 1 : body.indexOf('": "ey') + 100;
        body[place] ^= path.startsWith("/bytes") ? 1 : 2;
      };
      return behind(showcase.origin, change, (proxy) =>
        visit(
          browser,
          async (page) => {
            await page.goto(new URL(PAGES.replayed, proxy).href);
            const outcomes = [await press(page)];
            assert.equal(outcomes[0].kind, `outcome ${first}`);
            if (first === "ok") outcomes.push(await press(page));
            const { kind, text } = outcomes.at(-1);
            assert.deepEqual([kind, /does not hold/.test(text)], ["outcome failed", true]);
            assert.match((await steps(page)).at(-1), last);
          },
          { hosts: [new URL(proxy).host] },
        ),
      );
    });
  }
});

describe("every kind of page", { skip }, () => {
  const each = (options, use) => tour(browser, options, use);

  test("says the same without scripts, and lacks only what cannot work without them", async () => {
    const words = (page) =>
      page.locator("main").evaluate((main) => {
        const copy = main.cloneNode(true);
        copy.querySelector("#verify")?.remove();
        return copy.textContent;
      });
    const said = {};
    await each({}, async (page, name) => (said[name] = await words(page)));
    await each({ javaScriptEnabled: false }, async (page, name) => {
      assert.equal(await words(page), said[name], name);
      assert.equal(await page.locator("#verify:visible, thead button").count(), 0, name);
    });
  });

  test("fits a telephone: it never scrolls sideways, only wide tables do for themselves", () =>
    each({ viewport: PHONE }, async (page, name) => {
      const overflow = await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
        const edge = document.documentElement.clientWidth;
        const out = [...document.querySelectorAll("body *")].filter(
          (element) =>
            !element.closest(".wide *, pre *, .skip, svg *") &&
            element.getBoundingClientRect().right > edge + 1,
        );
        return [document.documentElement.scrollWidth, out.map((element) => element.outerHTML.slice(0, 90))];
      });
      assert.deepEqual(overflow, [PHONE.width, []], name);
    }));

  test("is light or dark as the reader likes", async () => {
    const brightness = (page) =>
      page.evaluate(() => {
        const sum = (element, property) =>
          getComputedStyle(element)
            [property].match(/\d+/g)
            .slice(0, 3)
            .map(Number)
            .reduce((a, b) => a + b);
        const root = document.documentElement;
        return [sum(root, "backgroundColor"), sum(root, "color")];
      });
    for (const colorScheme of ["light", "dark"]) {
      await each({ colorScheme }, async (page, name) => {
        const [paper, ink] = await brightness(page);
        assert.ok(colorScheme === "dark" ? paper < 150 && ink > 600 : paper > 700 && ink < 150, name);
      });
    }
  });
});
