// Checks a certificate where its canister serves it, and makes it again:
//   node example/verify.mjs https://CANISTER.icp0.io 12
//   node example/verify.mjs http://CANISTER.localhost:4943 12 --test-network

import { fetchTestRootKey, verify } from "../index.js";

const [origin, certificate, network] = process.argv.slice(2);
if (certificate === undefined) {
  console.error("usage: node verify.mjs ORIGIN CERTIFICATE [--test-network]");
  process.exit(2);
}
const rootKey = network === "--test-network" ? await fetchTestRootKey(origin) : undefined;
if (rootKey) console.error("a test network: its root key was told by the very server that is checked");

const result = await verify(origin, Number(certificate), {
  rootKey,
  // The first label of the host name is the canister, unless it has a name of its own.
  canister: new URL(origin).hostname.match(/^[a-z2-7-]{27}(?=\.)/)?.[0],
  onStep: ({ part, name, ok, detail }) => console.log(`${ok ? "✓" : "✗"} ${part}: ${name}: ${detail}`),
});
console.log(result.ok ? `holds; verdict ${result.summary.verdict}, ${result.standing}` : "DOES NOT HOLD");
process.exit(result.ok ? 0 : 3);
