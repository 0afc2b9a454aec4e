// @icp-sdk/core as a web page has it: bundled, with `window.ask` for the test to call.

import * as agent from "@icp-sdk/core/agent";
import * as candid from "@icp-sdk/core/candid";
import * as identity from "@icp-sdk/core/identity";
import * as principal from "@icp-sdk/core/principal";

import { answer } from "../clients/node/operations.mjs";

const sdk = { ...agent, ...candid, ...identity, ...principal };

window.ask = (options, operation) => answer(sdk, options, operation);
