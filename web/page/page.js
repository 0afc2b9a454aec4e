// What a page of the canister can do with scripts: check its certificate in this browser, and sort tables.
// Without them it shows the same content.

import { fetchTestRootKey, filesOrigin } from "./verify.js";

// The page was just served: the subnet signed within the hour, or somebody keeps an old answer.
const MAX_AGE_SECONDS = 3600;

const LABELS = {
  check: "Check this certificate in your browser",
  replayed: "Run the whole audit again in your browser",
  proved: "Verify the zero-knowledge proofs in your browser",
  attested: "Count the signed predictions again in your browser",
  "spot-checked": "Count the signed predictions again in your browser",
};

document.querySelectorAll("[data-raw]").forEach(lead);
document.querySelectorAll("section#verify").forEach(enable);
document.querySelectorAll("table.sortable").forEach(sortable);

/** Whether this is a node for tests, not the main network. */
function isLocal() {
  const { hostname } = location;
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "127.0.0.1";
}

/** Links and forms lead to the main network's gateway; here to the one that this page came from. */
function lead(element) {
  const files = filesOrigin(location.origin);
  if (files === location.origin && !isLocal()) return;
  element.setAttribute(element.tagName === "FORM" ? "action" : "href", files + element.dataset.raw);
}

function enable(section) {
  const { canister, certificate, level } = section.dataset;
  const button = section.querySelector("button");
  const list = section.querySelector("ol.steps");
  const outcome = section.querySelector("p.outcome");
  let rerun = false;
  button.textContent = LABELS.check;
  // A button that is disabled or hidden loses the focus, and with it the place of whoever works by keyboard.
  outcome.tabIndex = -1;
  button.addEventListener("click", async () => {
    if (section.getAttribute("aria-busy")) return;
    button.setAttribute("aria-disabled", "true");
    section.setAttribute("aria-busy", "true");
    if (!rerun) list.replaceChildren();
    say(outcome, "Checking…", "");
    try {
      const rootKey = await networkKey(list, rerun);
      const options = { canister, rootKey, rerun, maxAgeSeconds: MAX_AGE_SECONDS };
      const result = await run(Number(certificate), options, {
        // The second run begins with the first one's steps; they are on the page already.
        step: (step) => (rerun && isOfCheck(step) && step.ok) || show(list, step),
        progress: ({ done, of }) =>
          say(outcome, level === "proved" ? `Proof ${done + 1} of ${of}…` : `Sample ${done} of ${of}…`, ""),
      });
      const unclear = !result.ok && unclearStep(result.steps);
      if (unclear) throw new Error(`${unclear.detail}. Nothing is known against it; try again`);
      const stands = result.ok && result.standing === "stands";
      say(outcome, sentence(result, rerun), stands ? "ok" : result.ok ? "gone" : "failed");
      if (result.ok && !rerun) {
        rerun = true;
        button.textContent = LABELS[level] ?? LABELS.replayed;
      } else {
        if (document.activeElement === button) outcome.focus();
        button.hidden = true;
      }
    } catch (cause) {
      say(outcome, `This could not be checked here: ${cause.message}`, "failed");
    }
    button.removeAttribute("aria-disabled");
    section.removeAttribute("aria-busy");
  });
  section.hidden = false;
}

/** The main network's root key is part of the module. A local server's is worth nothing elsewhere, and the page says so. */
async function networkKey(list, known) {
  if (!isLocal()) return undefined;
  const rootKey = await fetchTestRootKey(location.origin);
  if (!known) {
    const detail =
      "This is a test network. Its root key was told by this very server, which could forge everything.";
    show(list, { part: "network", name: "root key", detail });
  }
  return rootKey;
}

// One for all runs, so that the module is loaded once; after an error the next run gets a new one.
let worker;

function run(certificate, options, on) {
  worker ??= new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    const fail = (message) => {
      worker.terminate();
      worker = undefined;
      reject(new Error(message));
    };
    worker.onmessage = ({ data }) => {
      if (data.step) on.step(data.step);
      else if (data.progress) on.progress(data.progress);
      else if (data.result) resolve(data.result);
      else fail(data.error);
    };
    worker.onerror = (event) => fail(event.message ?? "the checker could not be loaded");
    // At an address of the owner's own, files are where the main network has them.
    const known = filesOrigin(location.origin) !== location.origin || isLocal();
    const origin = known ? location.origin : `https://${options.canister}.icp0.io`;
    worker.postMessage({ origin, certificate, options });
  });
}

/** A download that failed, or a clock that is wrong, says nothing about the certificate. */
function unclearStep(steps) {
  return steps.find(({ ok, part, name }) => !ok && (part === "files" || name === "age"));
}

function isOfCheck({ part, name }) {
  return part === "certificate" || (part === "files" && name === "certificate");
}

function show(list, { ok, part, name, detail, hint }) {
  // Neither holds nor fails: something to know.
  const [mark, kind] = ok === undefined ? ["!", "note"] : ok ? ["✓", "ok"] : ["✗", "failed"];
  const item = document.createElement("li");
  const texts = [
    [mark, kind],
    [`${part}: ${name}`, kind],
    [hint ? `${detail} — ${hint}` : detail, ""],
  ];
  for (const [text, className] of texts) {
    const span = document.createElement("span");
    span.textContent = text;
    span.className = className;
    item.append(span, " ");
  }
  list.append(item);
}

function say(outcome, text, kind) {
  outcome.textContent = text;
  outcome.className = `outcome ${kind}`;
}

function sentence(result, rerun) {
  if (!result.ok) return "It does not hold. Do not rely on it; the last step says why.";
  const { verdict, level, samples, model, dataset, policy } = result.summary;
  const { at, by, reason, row } = result.standingDetail;
  const when = at ? ` on ${date(at)}` : "";
  const standing = {
    stands: "it stands",
    expired: `it EXPIRED${when}`,
    superseded: `it was SUPERSEDED by certificate ${by}${when}`,
    suspended: `it was SUSPENDED${when}: the model does not decide what the log says of row ${row}`,
    revoked: `it was REVOKED by ${by}${when}: ${reason}`,
  }[result.standing];
  const done = !rerun
    ? "Authentic"
    : level === "proved"
      ? `The proofs about all ${samples} samples hold, and give the same certificate, byte for byte`
      : level === "replayed"
        ? `All ${samples} samples were run again, and give the same certificate, byte for byte`
        : `All ${samples} signed predictions were counted again, and give the same certificate, byte for byte`;
  const about = `${model.name} on ${samples} samples of ${dataset.name} ${dataset.version} by the policy “${policy.name}”`;
  return `${done}. The verdict on ${about} is ${verdict}; as signed ${date(result.summary.signedAt)}, ${standing}.`;
}

function date(nanoseconds) {
  return (
    new Date(Number(BigInt(nanoseconds) / 1_000_000n)).toISOString().slice(0, 16).replace("T", " ") + " UTC"
  );
}

/** Columns whose cells have a `data-value` get a button in their header. */
function sortable(table) {
  const body = table.tBodies[0];
  const valued = (column) => [...body.rows].some((row) => row.cells[column]?.dataset.value);
  const headers = [...table.tHead.rows[0].cells].map((header, column) => ({ header, column }));
  const sorted = headers.filter(({ column }) => valued(column));
  for (const { header, column } of sorted) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    if (!header.hasAttribute("aria-sort")) header.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      for (const other of sorted) other.header.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const keyed = [...body.rows].map((row) => ({ row, value: row.cells[column]?.dataset.value ?? "" }));
      keyed.sort((left, right) => compare(left.value, right.value, descending));
      body.append(...keyed.map(({ row }) => row));
    });
  }
}

/** Numbers by size, text by its letters; what has no value comes last in either order. */
function compare(left, right, descending) {
  if (left === "" || right === "") return (left === "") - (right === "");
  const [a, b] = [Number(left), Number(right)];
  const order = Number.isNaN(a) || Number.isNaN(b) ? left.localeCompare(right) : a - b;
  return descending ? -order : order;
}
