// The wasm module: bytes in, JSON out. See web/src/abi.rs for the other side.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
let compiled;

async function load() {
  const address = new URL("./verify.wasm", import.meta.url);
  if (address.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return WebAssembly.compile(await readFile(address));
  }
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: HTTP status ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

/**
 * Calls a function of the module. Each call gets an instance of its own: its memory is given back at the end, and if the
 * module traps, nothing of it is used again.
 */
export async function call(name, inputs, onProgress = () => {}) {
  compiled ??= load();
  const module = await compiled.catch((cause) => {
    compiled = undefined;
    throw cause;
  });
  const { exports } = await WebAssembly.instantiate(module, { assay: { progress: onProgress } });
  let answer;
  try {
    for (const input of inputs) {
      const bytes = typeof input === "string" ? encoder.encode(input) : asBytes(input);
      const address = exports.input(bytes.length) >>> 0;
      if (address === 0) throw new Error(`no memory for ${bytes.length} bytes`);
      new Uint8Array(exports.memory.buffer, address, bytes.length).set(bytes);
    }
    const length = exports[name]();
    const json = new Uint8Array(exports.memory.buffer, exports.output() >>> 0, length);
    answer = JSON.parse(decoder.decode(json));
  } catch (cause) {
    if (cause instanceof WebAssembly.RuntimeError) {
      throw new Error(`the checker stopped: ${cause.message}`, { cause });
    }
    throw cause;
  }
  if (answer.error !== undefined) throw new TypeError(answer.error);
  return answer;
}

function asBytes(value) {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError("expected bytes: a Uint8Array or an ArrayBuffer");
}
