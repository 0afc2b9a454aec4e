// Runs one verification outside of the page's own thread, and tells the page what happens.

import { verify } from "./verify.js";

const PROGRESS_EVERY_MS = 100;

self.onmessage = async ({ data: { origin, certificate, options } }) => {
  let told = 0;
  const onProgress = (done, of) => {
    const now = performance.now();
    if (now - told < PROGRESS_EVERY_MS && done < of) return;
    told = now;
    self.postMessage({ progress: { done, of } });
  };
  const onStep = (step) => self.postMessage({ step });
  try {
    const result = await verify(origin, certificate, { ...options, onStep, onProgress });
    self.postMessage({ result });
  } catch (cause) {
    self.postMessage({ error: String(cause?.message ?? cause) });
  }
};
