/** A step that was taken; the first that fails is the last. `detail` says what was found. */
export interface Step {
  part: "files" | "certificate" | "records" | "rerun" | "prediction";
  name: string;
  ok: boolean;
  detail: string;
  /** What to do about a failure. */
  hint?: string;
}

/** What a certificate is held against. */
export interface Trust {
  /** The network's root key, DER, as bytes or hex. The main network's by default. */
  rootKey?: Uint8Array | string;
  /** The canister to be trusted; without it, the file's own claim is only shown. */
  canister?: string;
  /** The time now, in milliseconds since 1970. This computer's clock by default. */
  nowMs?: number;
  /** Oldest signature of the subnet that is accepted. */
  maxAgeSeconds?: number;
  /** Number that the certificate must have. */
  certificate?: number;
}

/** A figure of a language model; docs/language.md defines every `id`. The policy's verdict uses none of them. */
export interface Measure {
  id: string;
  /** `attribute=group`, or `mean over attribute`; of all items without. */
  group: string | null;
  /** The exact value, a fraction, and its six digits; without it `undefined` says why. */
  value: string | null;
  decimal: string | null;
  undefined: { reason: string; group?: string } | null;
  /** Numerator and denominator of one proportion. */
  counted: [number, number] | null;
  /** 95 %. */
  interval: { lower: string; upper: string; method: string } | null;
}

/** What an authentic certificate is about. Times are nanoseconds since 1970, as text; digests are SHA-256 in hex. */
export interface Summary {
  certificate: number;
  audit: number;
  canister: string;
  runtime: string;
  level: "attested" | "spot-checked" | "replayed" | "proved";
  verdict: "pass" | "fail" | "undefined";
  owner: string;
  requester: string;
  model: { name: string; digest: string; parameters: number };
  dataset: { name: string; version: string; digest: string; rows: number };
  samples: number;
  policy: { name: string; digest: string };
  proofs: string[];
  /** The prediction log that an `attested` or `spot-checked` certificate comes from. */
  log: {
    /** What was handed in. */
    content: string;
    /** The signed statement. */
    statement: string;
    root: string;
    /** Ed25519 public key, hex. */
    signer: string;
    /** The openings that were handed in. */
    openings: string | null;
    /** Number of predictions opened. */
    opened: number;
    /** Principal that ran the model on them: the canister itself, or an auditor. */
    checkedBy: string | null;
    /** How likely so many lies would have been found. */
    odds: { lies: number; share: string; detected: string }[];
    /** Who was asked, where it is a language model's log: an endpoint, or files by their SHA-256
     *  with the texts that each prompt stands between. */
    languageModel:
    | { name: string; baseUrl: string }
    | { name: string; file: string; tokenizer: string; before: string; after: string }
    | null;
    /** What the answers of a language model add up to, from the certificate's counters; none of other models. */
    measures: Measure[] | null;
  } | null;
  auditsOfModel: number;
  auditsOfOwner: number;
  issuedAt: string;
  validUntil: string | null;
  signedAt: string;
}

export interface Checked {
  steps: Step[];
  /** Every step holds. Whether the certificate still stands is another question: see `standing`. */
  authentic: boolean;
  standing: "stands" | "expired" | "superseded" | "suspended" | "revoked" | null;
  standingDetail: { at?: string; by?: number | string; reason?: string; row?: number } | null;
  summary: Summary | null;
}

export interface Difference {
  path: string;
  rerun: unknown;
  certificate: unknown;
}

export interface Rerun extends Checked {
  /** The certificate made again has the same bytes. */
  equal: boolean;
  samples?: number;
  parameters?: number;
  proofs?: number;
  /** What came of a log's predictions. */
  log?: {
    openings: number;
    /** Whether the model was run; if not, the classes are the log's word. */
    ran: boolean;
    /** Predictions that the model does not make. */
    wrong: { index: number; row: number; logged: number; decided: number | null }[];
  } | null;
  values?: number;
  differences?: Difference[];
  certificateDigest?: string;
  rerunDigest?: string;
}

export interface VerifiedPrediction {
  steps: Step[];
  verified: boolean;
  prediction: {
    model: string;
    name: string;
    owner: string | null;
    context: string;
    features: number[][];
    classes: number[];
    outputs: number[][];
  } | null;
}

type Bytes = Uint8Array | ArrayBuffer;
type Progress = (done: number, of: number) => void;

/** The files behind a certificate; all but the first are needed for a rerun only. */
export interface Files {
  certificate: Bytes;
  records?: Bytes;
  dataset?: Bytes;
  model?: Bytes;
  proofs?: Bytes[];
  log?: Bytes;
  openings?: Bytes;
}

export interface VerifyOptions extends Omit<Trust, "certificate"> {
  /** Make the certificate again, not only check it. True by default. */
  rerun?: boolean;
  onStep?: (step: Step) => void;
  onProgress?: Progress;
  fetch?: typeof globalThis.fetch;
}

export function version(): Promise<{ version: string; formats: string[] }>;
export function checkCertificate(certificate: Bytes, options?: Trust): Promise<Checked>;
export function rerunCertificate(
  certificate: Bytes,
  records: Bytes,
  dataset: Bytes,
  model: Bytes,
  handedIn: Bytes[],
  options?: Trust,
  onProgress?: Progress,
): Promise<Rerun>;
export function verifyPrediction(prediction: Bytes, modelPackage: Bytes): Promise<VerifiedPrediction>;
export function verify(
  source: string | URL | Files,
  certificate?: number,
  options?: VerifyOptions,
): Promise<Partial<Rerun> & Checked & { ok: boolean }>;
export function fetchTestRootKey(origin: string | URL, fetch?: typeof globalThis.fetch): Promise<Uint8Array>;

/** Where the canister behind an origin serves files: `<canister>.raw.<domain>`; other origins are taken as they are. */
export function filesOrigin(origin: string | URL): string;
