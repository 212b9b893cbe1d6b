/** The processes of a cluster: etcd, and kube-apiservers over it with the kubeconfig of each. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import type { Certificate } from "../../support/certificate.js";
import type { ClusterBinaries } from "./binaries.js";
import { ADMIN_CONTEXT, ISSUER, RESTRICTED_CONTEXT, RESTRICTED_USER, type Tokens } from "./identities.js";
import { freePort, Service } from "./service.js";

export interface ApiServerOptions {
  readonly flags?: readonly string[];
  /** The way to etcd, when it is not the direct one. */
  readonly etcdUrl?: string;
}

/** One kube-apiserver of a cluster. */
export interface ApiServer {
  readonly url: string;
  readonly port: number;
  /** For the administrator, who may do everything; context `restricted` is a user who may do nothing yet. */
  readonly kubeConfigPath: string;
  readonly pid: number | undefined;
  start(): Promise<void>;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

/** What all servers of a cluster have. */
export interface Shared {
  readonly binaries: ClusterBinaries;
  readonly directory: string;
  readonly tokens: Tokens;
  /** Signs the certificates of clients. */
  readonly clientAuthority: Certificate;
  readonly etcdUrl: string;
  readonly apiServerFlags: readonly string[];
  readonly onStart: (pid: number) => void;
}

export async function etcdService(shared: Shared, flags: readonly string[]): Promise<Service> {
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  return new Service({
    name: "etcd",
    program: shared.binaries.etcd,
    args: [
      `--data-dir=${join(shared.directory, "etcd")}`,
      `--listen-client-urls=${shared.etcdUrl}`,
      `--advertise-client-urls=${shared.etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--unsafe-no-fsync",
      ...flags,
    ],
    logFile: join(shared.directory, "etcd.log"),
    isReady: async () => (await statusOf(`${shared.etcdUrl}/readyz`)) === 200,
    onStart: shared.onStart,
  });
}

export async function apiServer(shared: Shared, name: string, options: ApiServerOptions = {}): Promise<ApiServer> {
  const { directory, tokens } = shared;
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  // One for all: servers behind one address are one server to their clients.
  const certificates = join(directory, "certificates");
  const kubeConfigPath = join(directory, `${name}.kubeconfig`);
  const key = join(directory, "service-account.key");
  const service = new Service({
    name,
    program: shared.binaries.kubeApiserver,
    args: [
      `--etcd-servers=${options.etcdUrl ?? shared.etcdUrl}`,
      "--bind-address=127.0.0.1",
      // Given, because without a network there is none to be found; it is written nowhere then.
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      `--secure-port=${port}`,
      `--cert-dir=${certificates}`,
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      `--service-account-issuer=${ISSUER}`,
      `--client-ca-file=${join(directory, "client-authority.crt")}`,
      `--token-auth-file=${join(directory, "tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--service-cluster-ip-range=10.0.0.0/24",
      // No controller makes the service accounts that this plugin would wait for.
      "--disable-admission-plugins=ServiceAccount",
      "--allow-privileged",
      ...shared.apiServerFlags,
      ...(options.flags ?? []),
    ],
    logFile: join(directory, `${name}.log`),
    isReady: async () => {
      const certificate = join(certificates, "apiserver.crt");
      if (!existsSync(certificate)) return false;
      const options = { ca: readFileSync(certificate), token: tokens.admin };
      if ((await statusOf(`${url}/readyz`, options)) !== 200) return false;
      return (await statusOf(`${url}/api/v1/namespaces/default`, options)) === 200;
    },
    onStart: shared.onStart,
  });
  return {
    url,
    port,
    kubeConfigPath,
    get pid() {
      return service.pid;
    },
    start: async () => {
      await service.start();
      // The server made its certificate when it first started.
      const authority = readFileSync(join(certificates, "apiserver.crt"));
      writeFileSync(kubeConfigPath, kubeConfig(url, authority, tokens), { mode: 0o600 });
    },
    signal: (signal) => service.signal(signal),
    kill: (signal) => service.kill(signal),
  };
}

function kubeConfig(url: string, authority: Buffer, tokens: Tokens): string {
  return `apiVersion: v1
kind: Config
clusters:
  - name: kube-informers
    cluster:
      server: ${url}
      certificate-authority-data: ${authority.toString("base64")}
users:
  - name: admin
    user: { token: ${tokens.admin} }
  - name: ${RESTRICTED_USER}
    user: { token: ${tokens.restricted} }
contexts:
  - name: ${ADMIN_CONTEXT}
    context: { cluster: kube-informers, user: admin, namespace: default }
  - name: ${RESTRICTED_CONTEXT}
    context: { cluster: kube-informers, user: ${RESTRICTED_USER}, namespace: default }
current-context: ${ADMIN_CONTEXT}
`;
}

/** The status of a GET; rejects while nobody listens. */
export function statusOf(url: string, options: { ca?: Buffer; token?: string } = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const request = send(
      url,
      { headers, agent: false, timeout: 5000, ...(options.ca && { ca: options.ca }) },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      },
    );
    request.on("timeout", () => request.destroy(new Error(`${url}: no answer in 5 s`)));
    request.on("error", reject);
    request.end();
  });
}
