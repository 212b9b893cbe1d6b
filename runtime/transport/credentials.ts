/** Credentials out of a KubeConfig, asked for as rarely as they can be. */
import type { Agent, OutgoingHttpHeaders } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { InformerError, messageOf } from "../api/informer-error.js";
import type { Clock } from "../util/clock.js";

/** What `applyToHTTPSOptions` fills in. */
export interface HttpsOptions extends SecureContextOptions {
  headers?: OutgoingHttpHeaders;
  /** `user:password` */
  auth?: string | null;
  agent?: unknown;
  servername?: string;
  rejectUnauthorized?: boolean;
}

/**
 * The part of @kubernetes/client-node's `KubeConfig` that 1.x and 2.x share. Pass one of either, or anything of this shape;
 * the runtime itself never imports client-node, which costs 280 ms and 80 MB.
 */
export interface KubeConfigLike {
  getCurrentCluster(): { readonly server: string; readonly skipTLSVerify?: boolean; readonly proxyUrl?: string } | null;
  // biome-ignore lint/suspicious/noExplicitAny: the parameter's type differs between client-node 1.x and 2.x
  applyToHTTPSOptions(options: any): Promise<void>;
}

/** What a connection is opened with. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
  /** Set when the kubeconfig names a proxy: client-node's agent for it. */
  readonly proxyAgent: Agent | undefined;
}

type TlsOptions = Pick<
  HttpsOptions,
  "ca" | "cert" | "key" | "pfx" | "passphrase" | "servername" | "rejectUnauthorized"
>;

/** Token files are rotated by the kubelet while they are still good for minutes: asking once a minute is often enough. */
const FRESH_MS = 60_000;

/** Asks the KubeConfig at most once a minute and once at a time, however many informers want to connect. */
export class CredentialSource {
  readonly server: URL;
  readonly #kubeConfig: KubeConfigLike;
  readonly #clock: Clock;
  #current: { readonly credentials: Credentials; readonly at: number } | undefined;
  #asking: Promise<Credentials> | undefined;

  /** @throws InformerError `usage` when the KubeConfig has no current cluster or its server is no URL */
  constructor(kubeConfig: KubeConfigLike, clock: Clock) {
    const cluster = kubeConfig.getCurrentCluster();
    if (cluster === null || cluster === undefined) {
      throw new InformerError(
        "usage",
        "the kubeconfig has no current cluster: load one first, as with kubeConfig.loadFromDefault()",
      );
    }
    if (!URL.canParse(cluster.server))
      throw new InformerError("usage", `the cluster's server "${cluster.server}" is not a URL`);
    this.server = new URL(cluster.server);
    this.#kubeConfig = kubeConfig;
    this.#clock = clock;
  }

  /** @throws InformerError `credential` when the KubeConfig fails, as an exec plugin can */
  get(): Promise<Credentials> {
    if (this.#current !== undefined && this.#clock.now() - this.#current.at < FRESH_MS) {
      return Promise.resolve(this.#current.credentials);
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Makes the next {@link get} ask again. */
  invalidate(): void {
    this.#current = undefined;
  }

  async #ask(): Promise<Credentials> {
    const options: HttpsOptions = {};
    try {
      await this.#kubeConfig.applyToHTTPSOptions(options);
    } catch (error) {
      // client-node refuses plain http unless skipTLSVerify is set. `kubectl proxy` and test servers are plain http.
      if (this.server.protocol !== "http:" || this.#kubeConfig.getCurrentCluster()?.skipTLSVerify === true) {
        throw new InformerError("credential", `credentials for ${this.server.origin}: ${messageOf(error)}`, {
          cause: error,
        });
      }
    }
    const credentials: Credentials = {
      headers: requestHeaders(options),
      tls: this.#tls(options),
      proxyAgent: this.#kubeConfig.getCurrentCluster()?.proxyUrl === undefined ? undefined : (options.agent as Agent),
    };
    this.#current = { credentials, at: this.#clock.now() };
    return credentials;
  }

  #tls(options: HttpsOptions): TlsOptions {
    const names = ["ca", "cert", "key", "pfx", "passphrase", "servername", "rejectUnauthorized"] as const;
    const tls: Record<string, unknown> = {};
    for (const name of names) if (options[name] !== undefined) tls[name] = options[name];
    return tls;
  }
}

/** A token file may end in a newline, which no header may hold; anything else that is not printable is refused. */
function requestHeaders({ headers = {}, auth }: HttpsOptions): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = String(value).trim();
    if (!/^[\x20-\x7e]*$/.test(text))
      throw new InformerError("credential", `the kubeconfig's ${name} header holds characters that cannot be sent`);
    sent[name.toLowerCase()] = text;
  }
  if (typeof auth === "string" && sent["authorization"] === undefined) {
    sent["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  }
  return sent;
}
