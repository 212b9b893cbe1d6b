/** Credentials out of a KubeConfig, asked for as rarely as they can be. */
import type { Agent, OutgoingHttpHeaders } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { InformerError, messageOf } from "../api/informer-error.js";
import { deferred } from "../util/abort.js";
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
  /** Fills in {@link HttpsOptions}. Their type differs between client-node 1.x and 2.x. */
  applyToHTTPSOptions(options: object): Promise<void>;
}

/** What a connection is opened with. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly tls: TlsOptions;
  /** Set when the kubeconfig names a proxy: client-node's agent for it. */
  readonly proxyAgent: Agent | undefined;
}

type TlsOptions = Pick<
  HttpsOptions,
  "ca" | "cert" | "key" | "pfx" | "passphrase" | "servername" | "rejectUnauthorized"
>;

/**
 * Another identity to act as: the API server looks at the rights of this one, and asks the kubeconfig's whether it may.
 * client-node sends the user alone.
 */
export interface Impersonation {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  /** Values by key, as `{ scopes: ["view"] }`. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Token files are rotated by the kubelet while they are still good for minutes: asking once a minute is often enough. */
const FRESH_MS = 60_000;
/** A server that refuses for good must not start a credential plugin each time: its login page, or an account that locks. */
const MIN_RENEWAL_MS = 30_000;
/** kubectl waits for a plugin for ever; nobody sits here to answer it. */
const MAX_ASKING_MS = 60_000;

/** Asks the KubeConfig at most once a minute and once at a time, however many informers want to connect. */
export class CredentialSource {
  readonly server: URL;
  readonly #kubeConfig: KubeConfigLike;
  readonly #clock: Clock;
  readonly #impersonation: Readonly<Record<string, string | string[]>>;
  #current: { readonly credentials: Credentials; readonly at: number } | undefined;
  #renewedAt: number | undefined;
  #asking: Promise<Credentials> | undefined;

  /** @throws InformerError `usage` when the KubeConfig has no current cluster, its server is no URL, or a header cannot be sent */
  constructor(kubeConfig: KubeConfigLike, clock: Clock, impersonate?: Impersonation) {
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
    this.#impersonation = impersonate === undefined ? {} : impersonationHeaders(impersonate);
  }

  /**
   * What was had last, while it is fresh. When asking anew fails, as for a token file that is just being written, what was had
   * before serves on: whether it is still good is the server's to say.
   * @throws InformerError `credential` when the KubeConfig fails, as an exec plugin can, or takes longer than 60 seconds
   */
  async get(): Promise<Credentials> {
    const known = this.#current;
    if (known !== undefined && this.#clock.now() - known.at < FRESH_MS) return known.credentials;
    try {
      return await this.#askOnce();
    } catch (error) {
      if (known === undefined || this.#current !== known) throw error;
      this.#current = { credentials: known.credentials, at: this.#clock.now() };
      return known.credentials;
    }
  }

  /**
   * Other credentials than those which the server refused, for one more try; `undefined` when there are none. Who comes late,
   * with an old token, is given what others have got meanwhile. The KubeConfig is asked every 30 seconds at most.
   * @throws InformerError `credential` when the KubeConfig fails
   */
  async renew(refused: Credentials): Promise<Credentials | undefined> {
    if (this.#current?.credentials === refused) {
      const nowMs = this.#clock.now();
      if (this.#renewedAt !== undefined && nowMs - this.#renewedAt < MIN_RENEWAL_MS) return undefined;
      this.#renewedAt = nowMs;
      this.#current = undefined;
    }
    const credentials = this.#current?.credentials ?? (await this.#askOnce());
    return isDeepStrictEqual([credentials.headers, credentials.tls], [refused.headers, refused.tls])
      ? undefined
      : credentials;
  }

  #askOnce(): Promise<Credentials> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Credentials> {
    const options: HttpsOptions = {};
    try {
      await this.#inTime(this.#kubeConfig.applyToHTTPSOptions(options));
    } catch (error) {
      // client-node refuses plain http unless skipTLSVerify is set. `kubectl proxy` and test servers are plain http.
      if (this.server.protocol !== "http:" || this.#kubeConfig.getCurrentCluster()?.skipTLSVerify === true) {
        // Without its cause: a plugin's output is in there, and tokens are in that.
        throw new InformerError("credential", `credentials for ${this.server.origin}: ${withoutSecrets(error)}`);
      }
    }
    const credentials: Credentials = {
      headers: { ...requestHeaders(options), ...this.#impersonation },
      tls: this.#tls(options),
      proxyAgent: this.#kubeConfig.getCurrentCluster()?.proxyUrl === undefined ? undefined : (options.agent as Agent),
    };
    this.#current = { credentials, at: this.#clock.now() };
    return credentials;
  }

  async #inTime(asking: Promise<void>): Promise<void> {
    const late = deferred();
    const timer = this.#clock.after(MAX_ASKING_MS, () => {
      late.reject(new Error(`the kubeconfig's credential plugin did not answer within ${MAX_ASKING_MS} ms`));
    });
    try {
      await Promise.race([asking, late.promise]);
    } finally {
      timer.cancel();
    }
  }

  #tls(options: HttpsOptions): TlsOptions {
    const names = ["ca", "cert", "key", "pfx", "passphrase", "servername", "rejectUnauthorized"] as const;
    const tls: Record<string, unknown> = {};
    for (const name of names) if (options[name] !== undefined) tls[name] = options[name];
    return tls;
  }
}

/** Longest text of a plugin's that an error repeats, in characters. */
const MAX_MESSAGE_CHARACTERS = 1024;

/** What a kubeconfig or its plugin said, without what may be a token: a JWT, or any long word. */
function withoutSecrets(error: unknown): string {
  // It quotes the beginning of what it could not parse.
  if (error instanceof SyntaxError) return "the credential plugin's answer is not JSON";
  return messageOf(error)
    .slice(0, MAX_MESSAGE_CHARACTERS)
    .replace(/eyJ[\w+=.-]+|[\w+=-]{24,}/g, "[redacted]");
}

/** @throws InformerError `usage` */
function impersonationHeaders({
  user,
  uid,
  groups = [],
  extra = {},
}: Impersonation): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "impersonate-user": printable("user", user) };
  if (uid !== undefined) headers["impersonate-uid"] = printable("uid", uid);
  if (groups.length > 0) headers["impersonate-group"] = groups.map((group) => printable("group", group));
  for (const [key, values] of Object.entries(extra)) {
    headers[`impersonate-extra-${headerName(key)}`] = values.map((value) => printable(`extra ${key}`, value));
  }
  return headers;
}

/** A key may hold what a header's name may not: it is percent-encoded, as client-go does (RFC 9110 5.6.2). */
function headerName(key: string): string {
  return encodeURIComponent(key.toLowerCase())
    .replace(/[()]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
    .toLowerCase();
}

function printable(what: string, value: string): string {
  if (value !== "" && PRINTABLE.test(value)) return value;
  throw new InformerError("usage", `impersonate: the ${what} ${JSON.stringify(value)} cannot be sent in a header`);
}

const PRINTABLE = /^[\x20-\x7e]*$/;

/** A token file may end in a newline, which no header may hold; anything else that is not printable is refused. */
function requestHeaders({ headers = {}, auth }: HttpsOptions): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = String(value).trim();
    if (!PRINTABLE.test(text))
      throw new InformerError("credential", `the kubeconfig's ${name} header holds characters that cannot be sent`);
    if (/^bearer$/i.test(text)) throw new InformerError("credential", "the kubeconfig's token is empty");
    sent[name.toLowerCase()] = text;
  }
  if (typeof auth === "string" && sent["authorization"] === undefined) {
    sent["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  }
  return sent;
}
