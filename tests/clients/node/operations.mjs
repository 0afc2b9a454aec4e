// What the tests do with @icp-sdk/core, its default verification on, in Node and in a browser.

const bytes = hex => Uint8Array.from(hex.match(/../g) ?? [], byte => parseInt(byte, 16));
const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');

const UPLOAD = new Uint8Array(32).fill(0xd5);

/** `sdk` has the library's parts; without `host`, it is the library that finds one. */
export async function operations(sdk, { host, rootKey, canisterId }) {
  const { Actor, Certificate, Ed25519KeyIdentity, HttpAgent, IDL, Principal, polling } = sdk;
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
  const agent = await HttpAgent.create({ host, identity, rootKey: bytes(rootKey), retryTimes: 0 });
  const canister = Actor.createActor(service, { agent, canisterId });

  return {
    version: async () => (await canister.version()).Ok,
    begin_upload: async () => {
      const { Ok } = await canister.begin_upload({ kind: { Dataset: null }, digest: UPLOAD, size: 4096n });
      return { digest: hex(Ok.digest), size: Number(Ok.size) };
    },
    // The same call with the asynchronous endpoint, whose answer has to be asked for.
    polled: async () => {
      const arg = IDL.encode([upload], [{ kind: { Dataset: null }, digest: UPLOAD, size: 4096n }]);
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
}

/** Does one of them: its answer, or the error's name. */
export async function answer(sdk, options, operation) {
  try {
    return { ok: await (await operations(sdk, options))[operation]() };
  } catch (error) {
    return { error: error.code?.name ?? error.name, message: error.message };
  }
}
