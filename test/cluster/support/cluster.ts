/**
 * A real kube-apiserver and etcd on loopback, for tests that stop, kill, freeze and restart them.
 * No controllers run: namespaces are never finalized, pods never start, service accounts never appear.
 */
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Certificate, certificate } from "../../support/certificate.js";
import type { ApiObject } from "./api-client.js";
import { type ClusterBinaries, clusterBinaries, type Progress, silent } from "./binaries.js";
import { signedToken, writeCredentials } from "./identities.js";
import { runWithKubeConfig } from "./programs.js";
import { type ApiServer, type ApiServerOptions, apiServer, etcdService, type Shared } from "./servers.js";
import { freePort, type Service, startGuardian } from "./service.js";

export interface ClusterOptions {
  /** Default: built on first use, see {@link clusterBinaries}. */
  readonly binaries?: ClusterBinaries;
  /** Where data, keys and logs go. Default: a temporary folder, removed at the end. */
  readonly directory?: string;
  /** The servers outlive this process. Default: they end with it, even when it is killed. */
  readonly detached?: boolean;
  readonly etcdFlags?: readonly string[];
  readonly apiServerFlags?: readonly string[];
  readonly progress?: Progress;
}

export class Cluster implements AsyncDisposable {
  readonly directory: string;
  readonly url: string;
  readonly kubeConfigPath: string;
  readonly restrictedToken: string;
  readonly #shared: Shared;
  readonly #etcd: Service;
  /** The one that was started with the cluster. */
  readonly first: ApiServer;
  readonly #others: ApiServer[] = [];
  readonly #release: () => Promise<void>;

  private constructor(shared: Shared, etcd: Service, first: ApiServer, release: () => Promise<void>) {
    this.directory = shared.directory;
    this.url = first.url;
    this.kubeConfigPath = first.kubeConfigPath;
    this.restrictedToken = shared.tokens.restricted;
    this.#shared = shared;
    this.#etcd = etcd;
    this.first = first;
    this.#release = release;
  }

  /** Resolves when `/readyz` is ok and the namespace `default` exists: after 2 to 4 seconds. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await Cluster.#start(options);
      } catch (error) {
        // Somebody else took a port between its choice and its use.
        if (attempt === 3 || !String(error).includes("address already in use")) throw error;
      }
    }
  }

  static async #start(options: ClusterOptions): Promise<Cluster> {
    const { detached = false, progress = silent } = options;
    const binaries = options.binaries ?? (await clusterBinaries(progress));
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), "kube-informers-cluster-"));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const guardian = detached ? undefined : startGuardian(directory);
    const shared: Shared = {
      binaries,
      directory,
      tokens: { admin: randomBytes(16).toString("hex"), restricted: randomBytes(16).toString("hex") },
      clientAuthority: certificate({ commonName: "kube-informers-clients" }),
      etcdUrl: `http://127.0.0.1:${await freePort()}`,
      apiServerFlags: options.apiServerFlags ?? [],
      onStart: (pid) => guardian?.guard(pid),
    };
    const release = async () => {
      await guardian?.release();
      rmSync(directory, { recursive: true, force: true });
    };
    const services: { kill(signal: "SIGKILL"): Promise<void> }[] = [];
    try {
      await writeCredentials(directory, shared.tokens, shared.clientAuthority);
      progress.step("starting etcd and kube-apiserver");
      const etcd = await etcdService(shared, options.etcdFlags ?? []);
      services.push(etcd);
      await etcd.start();
      const first = await apiServer(shared, "apiserver");
      services.push(first);
      await first.start();
      return new Cluster(shared, etcd, first, release);
    } catch (error) {
      await Promise.all(services.map((service) => service.kill("SIGKILL")));
      await release();
      throw error;
    }
  }

  get processIds(): { etcd: number | undefined; apiServer: number | undefined } {
    return { etcd: this.#etcd.pid, apiServer: this.first.pid };
  }

  killApiServer(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    return this.first.kill(signal);
  }

  /** SIGSTOP makes the API server a half-open connection: everything stays connected and nothing arrives. */
  signalApiServer(signal: "SIGSTOP" | "SIGCONT"): void {
    this.first.signal(signal);
  }

  /** After {@link killApiServer}: the same server, at the same address, with the same certificate. */
  startApiServer(): Promise<void> {
    return this.first.start();
  }

  /** One more API server over the same etcd, at an address of its own, with the certificate of the first. */
  async secondApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
    const server = await apiServer(this.#shared, `apiserver-${this.#others.length + 2}`, options);
    this.#others.push(server);
    await server.start();
    return server;
  }

  /** Of the user and the group that are named, until it expires. Nothing has to be restarted for it. */
  clientCertificate(user: string, group: string, notAfter: Date): Certificate {
    return certificate({ commonName: user, organization: group, notAfter, issuer: this.#shared.clientAuthority });
  }

  get etcdUrl(): string {
    return this.#shared.etcdUrl;
  }

  /** A token of a service account, by the key of the servers. Theirs last for ten minutes at least. */
  serviceAccountToken(account: ApiObject, expires: Date): string {
    return signedToken(readFileSync(join(this.directory, "service-account.key")), account, expires);
  }

  stopEtcd(signal: "SIGKILL" | "SIGTERM" = "SIGTERM"): Promise<void> {
    return this.#etcd.kill(signal);
  }

  signalEtcd(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#etcd.signal(signal);
  }

  startEtcd(): Promise<void> {
    return this.#etcd.start();
  }

  /** The latest revision of etcd: no resourceVersion of any object is higher. */
  async revision(): Promise<number> {
    // Any key will do: the answer's header has the revision.
    const { header } = await this.#etcdCall("/v3/kv/range", { key: "AA==", count_only: true });
    return Number(header.revision);
  }

  /** Makes etcd forget what was before a revision (default: before the latest), so that older watches cannot resume. */
  async compact(revision?: number): Promise<number> {
    const to = revision ?? (await this.revision());
    await this.#etcdCall("/v3/kv/compaction", { revision: String(to), physical: true });
    return to;
  }

  /** Stops etcd, lets its data be copied or put back, and starts it again. No API server may run meanwhile: they keep caches. */
  async #whileEtcdRests(work: (data: string, copy: string) => void): Promise<void> {
    await this.stopEtcd();
    work(join(this.directory, "etcd"), join(this.directory, "etcd-copy"));
    await this.startEtcd();
  }

  /** Keeps a copy of all objects for {@link restore}. The API server is restarted for it. */
  async backup(): Promise<void> {
    await this.killApiServer();
    await this.#whileEtcdRests((data, copy) => cpSync(data, copy, { recursive: true }));
    await this.startApiServer();
  }

  /** Puts the copy back, resourceVersions and all. The API server must have been killed, and is started. */
  async restore(): Promise<void> {
    await this.#whileEtcdRests((data, copy) => {
      rmSync(data, { recursive: true });
      renameSync(copy, data);
    });
    await this.startApiServer();
  }

  /** Runs kubectl as the administrator and gives its standard output. */
  async kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runWithKubeConfig(this.#shared.binaries.kubectl, this.kubeConfigPath, args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Ends all processes and removes the folder. */
  async stop(): Promise<void> {
    const services = [this.first, ...this.#others, this.#etcd];
    await Promise.all(services.map((service) => service.kill("SIGKILL")));
    await this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #etcdCall(path: string, body: object): Promise<{ header: { revision: string } }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(`${this.#shared.etcdUrl}${path}`, { method: "POST" }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`etcd ${path}: ${response.statusCode} ${text}`));
        });
      });
      request.on("error", reject);
      request.end(JSON.stringify(body));
    });
  }
}
