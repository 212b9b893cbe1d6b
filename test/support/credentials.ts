/** Servers that ask for credentials, and the kubeconfigs and transports that have some. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { onTestFinished } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import type { HttpsOptions, KubeConfigLike } from "../../runtime/transport/credentials.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import type { TransportRequest } from "../../runtime/transport/transport.js";
import { loopback } from "./loopback.js";

export const SECRET = "eyJhbGciOiJSUzI1NiJ9.canary-canary-canary.signature";

export const withToken = (token: string) => (options: HttpsOptions) => {
  options.headers = { Authorization: `Bearer ${token}` };
};

/** A server that takes these tokens, and the tokens that it was sent. */
export async function guardedBy(...good: string[]) {
  const sent: string[] = [];
  const server = await loopback(({ headers }, response) => {
    const token = headers.authorization?.replace("Bearer ", "") ?? "";
    sent.push(token);
    response.writeHead(good.includes(token) ? 200 : 401).end();
  });
  return { server, sent, good };
}

export function transportTo(kubeConfig: KubeConfigLike) {
  const clock = new VirtualClock();
  const transport = new HttpTransport(kubeConfig, clock);
  onTestFinished(() => transport.close());
  const ask = async () => {
    const request: TransportRequest = { path: "/", accept: "*/*", kind: "list", signal: new AbortController().signal };
    const { status, body } = await transport.get(request);
    body.close();
    return status;
  };
  return { clock, transport, ask };
}

export async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), "credentials-"));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

/** A KubeConfig of client-node's for a user. */
export function kubeConfigOf(url: string, user: object): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: "c", server: url, skipTLSVerify: true }],
    users: [{ name: "u", ...user }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  return kubeConfig;
}

export const execUser = (script: string) => ({
  exec: { apiVersion: "client.authentication.k8s.io/v1", command: "/bin/sh", args: ["-c", script] },
});
