// One operation of @icp-sdk/core with its default verification, printed as JSON.
//
//   node client.mjs <installed packages> <url> <root key, hex> <canister> version | begin_upload | state | polled
import { createRequire } from 'node:module';

import { answer } from './operations.mjs';

const [packages, host, rootKey, canisterId, operation] = process.argv.slice(2);
const load = createRequire(`${packages}/`);
const parts = ['agent', 'candid', 'identity', 'principal'].map(part => load(`@icp-sdk/core/${part}`));
const sdk = Object.assign({}, ...parts);

console.log(JSON.stringify(await answer(sdk, { host, rootKey, canisterId }, operation)));
