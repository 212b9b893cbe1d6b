/**
 * Runs a kubeconfig's credential plugin. Counterpart: client-go's plugin/pkg/client/auth/exec; client-node's own runner has
 * no limit of time or output, checks nothing of the answer, and starts the plugin once for each request that waits.
 */
import { InformerError, messageOf } from "../api/informer-error.js";
import { redactOutput } from "../api/redact.js";
import { abortError, type Deferred, deferred, onAbort } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import { node } from "../util/node-modules.js";

/** `exec` of a kubeconfig's user. */
export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly interactiveMode?: string;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
}

/** `spec.cluster` of what a plugin is told when it wants to know. */
export interface ExecCluster {
  readonly server: string;
  readonly "tls-server-name"?: string | undefined;
  readonly "insecure-skip-tls-verify"?: boolean | undefined;
  /** In base64. */
  readonly "certificate-authority-data"?: string | undefined;
  readonly "proxy-url"?: string | undefined;
}

export interface ExecCredential {
  readonly token: string | undefined;
  /** PEM, with {@link key}. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Wall-clock milliseconds; `undefined` when it is good until the server refuses it. */
  readonly expiresAtMs: number | undefined;
}

/** kubectl waits for ever; nobody sits here to answer. */
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Of what a plugin complains, in characters. */
const MAX_COMPLAINT_CHARACTERS = 1024;
const API_VERSIONS = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/**
 * @param closing ends it
 * @throws InformerError `credential`, which repeats nothing of what the plugin printed but its complaints, redacted
 */
export async function runExecPlugin(
  exec: ExecConfig,
  cluster: ExecCluster,
  clock: Clock,
  closing: AbortSignal,
): Promise<ExecCredential> {
  const { command = "", apiVersion = "", interactiveMode } = exec;
  const fail = (what: string): never => {
    throw new InformerError("credential", `credential plugin ${JSON.stringify(command)}: ${what}`);
  };
  if (command === "") fail("the kubeconfig names no command");
  if (!API_VERSIONS.includes(apiVersion))
    fail(`apiVersion ${JSON.stringify(apiVersion)} of the kubeconfig is not supported: it must be ${API_VERSIONS[0]}`);
  if (interactiveMode === "Always")
    fail("interactiveMode Always wants a terminal, and there is none here: log in before the start, or use a token");
  const spec = { interactive: false, ...(exec.provideClusterInfo === true ? { cluster } : {}) };
  const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec });
  const output = await runProgram(exec, info, clock, closing).catch((error: unknown) => fail(reasonOf(error, exec)));
  return readCredential(output, apiVersion, fail);
}

function reasonOf(error: unknown, { installHint }: ExecConfig): string {
  const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const hint = isMissing && installHint ? `; ${installHint}` : "";
  return redactOutput(`${isMissing ? "there is no such program" : messageOf(error)}${hint}`).slice(0, 2048);
}

/** Without a shell; what it prints. Starting it may throw at once, as without the permission to start programs. */
async function runProgram(
  { command, args, env }: ExecConfig,
  info: string,
  clock: Clock,
  closing: AbortSignal,
): Promise<string> {
  const done: Deferred<string> = deferred();
  const child = node.childProcess.spawn(command ?? "", args ?? [], {
    env: {
      ...process.env,
      ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: info,
    },
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  // What it has started itself may hold its output open: nobody reads that any more.
  const giveUp = (why: Error) => {
    done.reject(why);
    child.kill("SIGKILL");
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = clock.after(TIMEOUT_MS, () => giveUp(new Error(`no answer within ${TIMEOUT_MS} ms`)));
  const release = onAbort(closing, () => giveUp(abortError(closing)));
  const printed: Buffer[] = [];
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    printed.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) giveUp(new Error(`it printed more than ${MAX_OUTPUT_BYTES} bytes`));
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (complaint.length < MAX_COMPLAINT_CHARACTERS) complaint += chunk.toString("utf8", 0, MAX_COMPLAINT_CHARACTERS);
  });
  child.on("error", (error) => done.reject(error));
  child.on("close", (code, signal) => {
    if (code === 0) done.resolve(Buffer.concat(printed).toString("utf8"));
    else done.reject(new Error(`it ended with ${signal ?? `exit code ${code}`}: ${complaint.trim()}`));
  });
  return done.promise.finally(() => {
    timer.cancel();
    release();
  });
}

function readCredential(output: string, apiVersion: string, fail: (what: string) => never): ExecCredential {
  let answer: Partial<Record<string, unknown>> | null;
  try {
    answer = JSON.parse(output);
  } catch {
    return fail("its answer is not JSON");
  }
  if (typeof answer !== "object" || answer?.["kind"] !== "ExecCredential")
    return fail("its answer is no ExecCredential");
  if (answer["apiVersion"] !== apiVersion)
    fail(`the kubeconfig asks for ${apiVersion}, and it answers with another apiVersion`);
  const status = Object(answer["status"]) as Partial<Record<string, unknown>>;
  const text = (name: string) => {
    const value = status[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const [token, cert, key] = [text("token"), text("clientCertificateData"), text("clientKeyData")];
  if ((cert === undefined) !== (key === undefined))
    fail("it gave a certificate without a key, or a key without a certificate");
  if (token === undefined && cert === undefined) fail("it gave neither a token nor a certificate");
  const expires = text("expirationTimestamp");
  const expiresAtMs = expires === undefined ? undefined : Date.parse(expires);
  if (Number.isNaN(expiresAtMs)) fail("its expirationTimestamp is no time");
  return { token, cert, key, expiresAtMs: earliest(expiresAtMs, certificateEndMs(cert, fail)) };
}

function certificateEndMs(cert: string | undefined, fail: (what: string) => never): number | undefined {
  if (cert === undefined) return undefined;
  try {
    return Date.parse(new node.crypto.X509Certificate(cert).validTo);
  } catch {
    return fail("its certificate is none");
  }
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
