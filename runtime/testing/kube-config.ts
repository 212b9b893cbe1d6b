/** A kubeconfig for the embedded server. */
import type { KubeConfigLike } from "../transport/credentials.js";

/** Stands where @kubernetes/client-node's KubeConfig does, and exports itself for other clients. */
export class EmbeddedKubeConfig implements KubeConfigLike {
  readonly #url: string;
  readonly #token: () => string | undefined;
  readonly #ca: string | undefined;

  constructor(url: string, token: () => string | undefined, ca: string | undefined) {
    this.#url = url;
    this.#token = token;
    this.#ca = ca;
  }

  getCurrentCluster(): {
    readonly name: string;
    readonly server: string;
    readonly skipTLSVerify: boolean;
    readonly caData?: string;
  } {
    return {
      name: CLUSTER,
      server: this.#url,
      skipTLSVerify: this.#skipsVerification,
      ...(this.#ca === undefined ? {} : { caData: this.#caData(this.#ca) }),
    };
  }

  /** Puts the credentials of this moment into the options of a request. */
  async applyToHTTPSOptions(options: {
    headers?: Record<string, unknown>;
    ca?: unknown;
    rejectUnauthorized?: boolean;
  }): Promise<void> {
    const token = this.#token();
    if (token !== undefined) options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
    if (this.#ca !== undefined) options.ca = this.#ca;
  }

  /** A kubeconfig file, as JSON, which is YAML: for kubectl, client-go, and client-node's `loadFromString`. */
  exportConfig(): string {
    const token = this.#token();
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: CLUSTER,
          cluster: {
            server: this.#url,
            ...(this.#ca === undefined ? {} : { "certificate-authority-data": this.#caData(this.#ca) }),
            // client-node refuses plain HTTP without it.
            ...(this.#skipsVerification ? { "insecure-skip-tls-verify": true } : {}),
          },
        },
      ],
      users: [{ name: CLUSTER, user: token === undefined ? {} : { token } }],
      contexts: [{ name: CLUSTER, context: { cluster: CLUSTER, user: CLUSTER, namespace: "default" } }],
      "current-context": CLUSTER,
    });
  }

  get #skipsVerification(): boolean {
    return this.#url.startsWith("http:");
  }

  #caData(ca: string): string {
    return Buffer.from(ca).toString("base64");
  }
}

const CLUSTER = "embedded";
