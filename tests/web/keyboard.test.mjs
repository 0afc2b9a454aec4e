// The pages without a pointer: everything is reached in order, seen where it is, and worked by keys.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { PAGES, at, launch, outcome, skip, visit } from "./browser.mjs";

let browser;
before(async () => skip || (browser = await launch()));
after(() => browser?.close());

/** Where the focus is: what a reader needs to know of it, and whether it lies after the place before. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const before = window.lastFocused;
    window.lastFocused = element;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const { top, bottom, left, right } = element.getBoundingClientRect();
    return {
      text: element.getAttribute("aria-label") ?? element.textContent.trim(),
      outlined: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
      onScreen: bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
      inOrder: !before || Boolean(before.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING),
    };
  });

/** Presses the tabulator until the text of what has the focus matches. */
async function reach(page, wanted) {
  for (let pressed = 0; pressed < 200; pressed++) {
    await page.keyboard.press("Tab");
    const place = await focused(page);
    assert.ok(place, `there is no ${wanted}`);
    if (wanted.test(place.text)) return;
  }
  assert.fail(`${wanted} is not reached`);
}

describe("by keyboard alone", { skip }, () => {
  for (const name of ["start", "list", "proved", "dataset", "search"]) {
    test(`every place of the page “${name}” is reached in order and seen`, () =>
      visit(browser, async (page) => {
        await page.goto(at(PAGES[name]));
        const expected = await page
          .locator("a[href], button, input, summary, [tabindex='0']")
          .evaluateAll((all) => all.filter((element) => element.checkVisibility()).length);
        const places = [];
        for (;;) {
          await page.keyboard.press("Tab");
          const place = await focused(page);
          if (!place) break;
          places.push(place);
          assert.ok(places.length <= expected, `more places than ${expected}`);
        }
        assert.equal(places.length, expected);
        assert.equal(places[0].text, "Skip to content");
        const wrong = places.filter(({ outlined, onScreen, inOrder }) => !(outlined && onScreen && inOrder));
        assert.deepEqual(wrong, []);
      }));
  }

  test("the first key leads past the header", () =>
    visit(browser, async (page) => {
      await page.goto(at(PAGES.replayed));
      await page.keyboard.press("Tab");
      assert.equal((await focused(page)).text, "Skip to content");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      assert.ok(await page.evaluate(() => document.activeElement.closest("main")));
    }));

  test("a certificate is searched, opened and checked", () =>
    visit(browser, async (page) => {
      await page.goto(at("/"));
      await reach(page, /^Search models/);
      await page.keyboard.type("private");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/search?q=private");
      await reach(page, /^2$/);
      await page.keyboard.press("Enter");
      await page.waitForURL(`**${PAGES.proved}`);
      await reach(page, /^Check this certificate/);
      await page.keyboard.press("Enter");
      assert.equal((await outcome(page)).kind, "outcome ok");
      // The focus stays where the next step is.
      assert.match((await focused(page)).text, /^Verify the zero-knowledge proofs/);
      await page.keyboard.press("Space");
      assert.match((await outcome(page)).text, /byte for byte/);
      assert.ok(await focused(page), "the focus is not lost when the button has gone");
    }));

  test("tables are sorted and scrolled, and what is folded opens", () =>
    visit(
      browser,
      async (page) => {
        await page.goto(at(PAGES.list));
        await reach(page, /^Samples$/);
        await page.keyboard.press("Enter");
        assert.equal(await page.locator("thead th:nth-child(5)").getAttribute("aria-sort"), "ascending");
        await page.goto(at(PAGES.replayed));
        await reach(page, /^Criteria$/);
        await page.keyboard.press("ArrowRight");
        await page.waitForFunction(() => document.activeElement.scrollLeft > 0);
        await reach(page, /^Intersections/);
        await page.keyboard.press("Space");
        assert.ok(await page.locator("details[open] > summary", { hasText: "Intersections" }).isVisible());
      },
      { viewport: { width: 600, height: 800 } },
    ));
});
