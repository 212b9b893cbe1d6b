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

export async function openSession(): Promise<Session> {
  const { values } = parseArgs({
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
  return kubeConfig;
}
