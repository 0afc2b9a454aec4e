// Has the JSON-LD processor and the checks of Digital Bazaar's libraries read a credential that `assay` exported.
//
//   node credential.mjs <installed packages> <file> <time of the check>
//
// Prints one JSON object: {"ok": what was read} or {"error": the first complaint}.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [packages, path, now] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const load = async (name) => import(pathToFileURL(require.resolve(name)));
const vc = await load('@digitalbazaar/vc');
const jsonld = require('jsonld');
const { contexts } = require('@digitalbazaar/credentials-context');

// RFC 8785, for the values that a statement has: texts, whole numbers, lists and objects with ASCII names.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${fields.join(',')}}`;
}

// Nothing is fetched: the only context that is named is the one that the W3C publishes, from the package.
const documentLoader = async (url) => {
  if (url !== 'https://www.w3.org/ns/credentials/v2') throw new Error(`no document ${url}`);
  return { contextUrl: null, documentUrl: url, document: contexts.get(url) };
};

async function read(credential) {
  vc._checkCredential({ credential, now: new Date(now) });
  // Safe mode refuses a term or a type that no context defines, and an identifier that is no URL.
  const [expanded] = await jsonld.expand(credential, { safe: true, documentLoader });
  const quads = await jsonld.toRDF(credential, { safe: true, documentLoader });
  const [evidence] = credential.evidence;
  const digest = createHash('sha256').update(canonical(evidence.statement)).digest();
  if (digest.toString('hex') !== evidence.sha256) throw new Error('the statement has another digest');
  const [related] = credential.relatedResource;
  if (related.digestSRI !== `sha256-${digest.toString('base64')}`) throw new Error('the related resource is another');
  return {
    issuer: credential.issuer.id,
    types: expanded['@type'],
    from: expanded['https://www.w3.org/2018/credentials#validFrom'][0]['@value'],
    proof: 'proof' in credential,
    undefined: credential.credentialSubject.criteria.filter((one) => one.undefined).length,
    quads: quads.length > 50,
  };
}

try {
  console.log(JSON.stringify({ ok: await read(JSON.parse(readFileSync(path, 'utf8'))) }));
} catch (error) {
  console.log(JSON.stringify({ error: `${error.name}: ${error.message}`.slice(0, 200) }));
}
