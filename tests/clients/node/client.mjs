// One operation of @icp-sdk/core with its default verification, printed as JSON.
//
//   node client.mjs <installed packages> <url> <root key, hex> <canister> version | begin_upload | state | polled
import { createRequire } from 'node:module';

const [packages, url, rootKey, canisterId, operation] = process.argv.slice(2);
const load = createRequire(`${packages}/`);
const { Actor, Certificate, HttpAgent, polling } = load('@icp-sdk/core/agent');
const { Ed25519KeyIdentity } = load('@icp-sdk/core/identity');
const { IDL } = load('@icp-sdk/core/candid');
const { Principal } = load('@icp-sdk/core/principal');

const bytes = hex => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = bytes => Buffer.from(bytes).toString('hex');

const result = type => IDL.Variant({ Ok: type, Err: IDL.Reserved });
const kind = IDL.Variant({ Dataset: IDL.Null, Model: IDL.Null, PrivateModel: IDL.Null, Proof: IDL.Null });
const digest = IDL.Vec(IDL.Nat8);
const upload = IDL.Record({ kind, digest, size: IDL.Nat64 });
const accepted = IDL.Record({ digest, size: IDL.Nat64 });
const service = () =>
  IDL.Service({
    version: IDL.Func([], [result(IDL.Text)], ['query']),
    begin_upload: IDL.Func([upload], [result(accepted)], []),
  });

const identity = Ed25519KeyIdentity.generate(new Uint8Array(32).fill(1)); // the tests' controller
const agent = await HttpAgent.create({ host: url, identity, rootKey: bytes(rootKey), retryTimes: 0 });
const canister = Actor.createActor(service, { agent, canisterId });

const operations = {
  version: async () => (await canister.version()).Ok,
  begin_upload: async () => {
    const digest = new Uint8Array(32).fill(0xd5);
    const { Ok } = await canister.begin_upload({ kind: { Dataset: null }, digest, size: 4096n });
    return { digest: hex(Ok.digest), size: Number(Ok.size) };
  },
  // The same call with the asynchronous endpoint, whose answer has to be asked for.
  polled: async () => {
    const digest = new Uint8Array(32).fill(0xd5);
    const arg = IDL.encode([upload], [{ kind: { Dataset: null }, digest, size: 4096n }]);
    const id = Principal.fromText(canisterId);
    const submitted = await agent.call(id, { methodName: 'begin_upload', arg, callSync: false });
    const { reply } = await polling.pollForResponse(agent, { canisterId: id }, submitted.requestId);
    const [{ Ok }] = IDL.decode([result(accepted)], reply);
    return { status: submitted.response.status, digest: hex(Ok.digest) };
  },
  state: async () => {
    const id = Principal.fromText(canisterId);
    const paths = [['canister', id.toUint8Array(), 'module_hash']].map(path =>
      path.map(label => (typeof label === 'string' ? new TextEncoder().encode(label) : label)),
    );
    const { certificate } = await agent.readState({ canisterId: id }, { paths });
    const verified = await Certificate.create({ certificate, rootKey: agent.rootKey, principal: { canisterId: id } });
    return hex(verified.lookup_path(paths[0]).value);
  },
};

try {
  console.log(JSON.stringify({ ok: await operations[operation]() }));
} catch (error) {
  console.log(JSON.stringify({ error: error.code?.name ?? error.name, message: error.message }));
}
