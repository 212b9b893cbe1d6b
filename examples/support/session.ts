// Where an example runs: the cluster of --kubeconfig or --context, or an API server in this process whose objects change.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { KubeConfigLike } from "kube-informers";
import { EmbeddedApiServer } from "kube-informers/testing";
import { parse } from "yaml";
import { live, populate } from "./world.js";

export interface Session extends AsyncDisposable {
  readonly kubeConfig: KubeConfigLike;
  /** Aborts at Ctrl-C, or when the time is over. */
  readonly signal: AbortSignal;
  /** Resolves when the signal aborts. */
  readonly done: Promise<void>;
}

const USAGE = "flags: --context NAME, --kubeconfig FILE, --seconds N";

/** Ends the program, and says why, when its flags lead nowhere. */
export async function openSession(): Promise<Session> {
  try {
    return await sessionOf(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

async function sessionOf(args: string[]): Promise<Session> {
  const { values } = parseArgs({
    args,
    options: { kubeconfig: { type: "string" }, context: { type: "string" }, seconds: { type: "string" } },
  });
  const ownServer = values.kubeconfig === undefined && values.context === undefined;
  const abort = new AbortController();
  const seconds = Number(values.seconds ?? (ownServer ? 6 : Number.POSITIVE_INFINITY));
  if (Number.isNaN(seconds)) throw new Error(`--seconds takes a number, not "${values.seconds}"`);
  const timer = Number.isFinite(seconds) ? setTimeout(() => abort.abort(), seconds * 1000) : undefined;
  process.once("SIGINT", () => abort.abort());
  const done = new Promise<void>((resolve) => abort.signal.addEventListener("abort", () => resolve()));
  if (!ownServer) {
    const kubeConfig = await loadKubeConfig(values.kubeconfig, values.context);
    return { kubeConfig, signal: abort.signal, done, [Symbol.asyncDispose]: async () => clearTimeout(timer) };
  }
  const server = await EmbeddedApiServer.start();
  server.install(parse(readFileSync(new URL("../crontab.crd.yaml", import.meta.url), "utf8")) as object);
  populate(server);
  const living = live(server, abort.signal);
  return {
    kubeConfig: server.kubeConfig(),
    signal: abort.signal,
    done,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      abort.abort();
      await living;
      await server.close();
    },
  };
}

async function loadKubeConfig(file: string | undefined, context: string | undefined): Promise<KubeConfigLike> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const kubeConfig = new KubeConfig();
  if (file === undefined) kubeConfig.loadFromDefault();
  else kubeConfig.loadFromFile(file);
  if (context !== undefined) kubeConfig.setCurrentContext(context);
  if (kubeConfig.getCurrentCluster() === null) {
    const names = kubeConfig.getContexts().map(({ name }) => name);
    throw new Error(`no cluster for context "${kubeConfig.getCurrentContext()}"; there are: ${names.join(", ")}`);
  }
  return kubeConfig;
}
