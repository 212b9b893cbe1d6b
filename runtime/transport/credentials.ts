/** Credentials out of a KubeConfig, asked for as rarely as they can be. */
import { readFile } from "node:fs/promises";
import type { Agent, OutgoingHttpHeaders } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { InformerError, isInformerError, messageOf } from "../api/informer-error.js";
import { redactOutput } from "../api/redact.js";
import { deferred, unlessAborted } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import { node } from "../util/node-modules.js";
import { hostOf } from "./connections.js";
import { type ExecConfig, type ExecCredential, runExecPlugin } from "./exec-plugin.js";
import { type Impersonation, impersonationHeaders, PRINTABLE } from "./impersonation.js";
import { isLoopbackAddress, proxyFor } from "./proxy.js";
import { Warnings } from "./warnings.js";

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
  getCurrentCluster(): KubeConfigCluster | null;
  /**
   * Who is looked up here has its credential plugin run and its token file read by the runtime, with limits of time and output.
   * client-node's `applyToHTTPSOptions` is asked for the rest, and must ask this method itself.
   */
  getCurrentUser?(): KubeConfigUser | null;
  /** Fills in {@link HttpsOptions}. Their type differs between client-node 1.x and 2.x. */
  applyToHTTPSOptions(options: object): Promise<void>;
}

interface KubeConfigCluster {
  readonly server: string;
  readonly skipTLSVerify?: boolean;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
}

interface KubeConfigUser {
  readonly exec?: ExecConfig | null;
  /** `config.exec` is an older place for `exec`; `config.tokenFile` is the service account's token in a pod. */
  readonly authProvider?: { readonly config?: { readonly exec?: ExecConfig; readonly tokenFile?: string } } | null;
}

/** What a connection is opened with. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly tls: TlsOptions;
  /** The proxy to tunnel through, for https. */
  readonly proxy: URL | undefined;
  /** client-node's agent, for proxies that are gone through otherwise: SOCKS, and those for plain http. */
  readonly proxyAgent: Agent | undefined;
}

type TlsOptions = Pick<
  HttpsOptions,
  "ca" | "cert" | "key" | "pfx" | "passphrase" | "servername" | "rejectUnauthorized"
>;

/** Token files are rotated by the kubelet while they are still good for minutes: asking once a minute is often enough. */
const FRESH_MS = 60_000;
/** A server that refuses for good must not start a credential plugin each time: its login page, or an account that locks. */
const MIN_RENEWAL_MS = 30_000;
/** A plugin that failed is left alone for so long, however many informers want to connect. */
const PLUGIN_PAUSE_MS = 10_000;
/** For what the kubeconfig's own library may start. */
const MAX_ASKING_MS = 60_000;
/** Clocks differ: a credential that expires so soon is replaced already. */
const CLOCK_SKEW_MS = 30_000;
/** A client certificate that expires so soon is warned of. */
const CERTIFICATE_WARNING_MS = 7 * 86_400_000;
/** Longest text of the kubeconfig's library that an error repeats, in characters. */
const MAX_MESSAGE_CHARACTERS = 1024;

/** Asks the KubeConfig at most once a minute and once at a time, however many informers want to connect. */
export class CredentialSource {
  readonly server: URL;
  readonly #kubeConfig: KubeConfigLike;
  readonly #clock: Clock;
  readonly #warnings: Warnings;
  readonly #impersonation: Readonly<Record<string, string | string[]>>;
  #current: { readonly credentials: Credentials; readonly at: number } | undefined;
  #renewedAt: number | undefined;
  /** What the plugin gave last, until it expires or is refused. */
  #plugged: ExecCredential | undefined;
  #plugFailure: { readonly error: unknown; readonly at: number } | undefined;
  #asking: Promise<Credentials> | undefined;
  readonly #closing = new AbortController();

  /** @throws InformerError `usage` when the KubeConfig has no current cluster, its server is no URL, or a header cannot be sent */
  constructor(
    kubeConfig: KubeConfigLike,
    clock: Clock,
    impersonate?: Impersonation,
    warnings = new Warnings(() => {}),
  ) {
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
    this.#warnings = warnings;
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
      this.#warnings.tell("credential", `${messageOf(error)}; what was had before serves on`);
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
      this.#plugged = undefined;
    }
    const credentials = this.#current?.credentials ?? (await this.#askOnce());
    return isDeepStrictEqual([credentials.headers, credentials.tls], [refused.headers, refused.tls])
      ? undefined
      : credentials;
  }

  /** Ends the plugin that runs, and whoever waits for it. */
  close(): void {
    this.#closing.abort();
  }

  #askOnce(): Promise<Credentials> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Credentials> {
    const cluster = this.#kubeConfig.getCurrentCluster() ?? undefined;
    const options: HttpsOptions = {};
    try {
      await this.#inTime(withoutUserPrograms(this.#kubeConfig).applyToHTTPSOptions(options));
    } catch (error) {
      // client-node refuses plain http unless skipTLSVerify is set. `kubectl proxy` and test servers are plain http.
      if (this.server.protocol !== "http:" || cluster?.skipTLSVerify === true) throw this.#failure(error);
    }
    await this.#applyUser(options, cluster);
    const headers = { ...requestHeaders(options), ...this.#impersonation };
    this.#checkPlain(headers, cluster);
    const known = this.#current?.credentials;
    const tls = this.#checkedTls(tlsOptions(options), known?.tls);
    const proxy = proxyFor(this.server, cluster?.proxyUrl, process.env);
    const proxyAgent = cluster?.proxyUrl === undefined || proxy !== undefined ? undefined : (options.agent as Agent);
    const credentials: Credentials = { headers, tls, proxy, proxyAgent };
    this.#current = { credentials, at: this.#clock.now() };
    return credentials;
  }

  /** Token file and plugin of the user. */
  async #applyUser(options: HttpsOptions, cluster: KubeConfigCluster | undefined): Promise<void> {
    const user = this.#kubeConfig.getCurrentUser?.();
    const { tokenFile } = user?.authProvider?.config ?? {};
    if (tokenFile !== undefined) {
      const token = await readFile(tokenFile, "utf8").catch((error: unknown) => {
        throw this.#failure(error);
      });
      options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
    }
    const exec = user?.exec ?? user?.authProvider?.config?.exec;
    if (exec === undefined) return;
    const { token, cert, key } = await this.#plug(exec, options, cluster);
    if (token !== undefined) options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
    if (cert !== undefined && key !== undefined) Object.assign(options, { cert, key });
  }

  async #plug(exec: ExecConfig, { ca }: HttpsOptions, cluster: KubeConfigCluster | undefined): Promise<ExecCredential> {
    const { expiresAtMs } = this.#plugged ?? {};
    const isOver = expiresAtMs !== undefined && this.#clock.wallNow() >= expiresAtMs - CLOCK_SKEW_MS;
    if (this.#plugged !== undefined && !isOver) return this.#plugged;
    const failure = this.#plugFailure;
    if (failure !== undefined && this.#clock.now() - failure.at < PLUGIN_PAUSE_MS) throw failure.error;
    this.#plugFailure = undefined;
    this.#plugged = await runExecPlugin(
      exec,
      {
        server: cluster?.server ?? this.server.href,
        "tls-server-name": cluster?.tlsServerName,
        "insecure-skip-tls-verify": cluster?.skipTLSVerify,
        "certificate-authority-data": ca === undefined ? undefined : Buffer.from(String(ca)).toString("base64"),
        "proxy-url": cluster?.proxyUrl,
      },
      this.#clock,
      this.#closing.signal,
    ).catch((error: unknown) => {
      this.#plugFailure = { error, at: this.#clock.now() };
      throw error;
    });
    return this.#plugged;
  }

  /** Whoever wants a secret to travel in the clear says so with `insecure-skip-tls-verify`. */
  #checkPlain({ authorization }: Credentials["headers"], cluster: KubeConfigCluster | undefined): void {
    if (this.server.protocol !== "http:" || authorization === undefined || cluster?.skipTLSVerify === true) return;
    const host = hostOf(this.server);
    if (host === "localhost" || isLoopbackAddress(host)) return;
    throw new InformerError(
      "credential",
      `credentials are not sent to ${this.server.origin} in the clear: use https, or set insecure-skip-tls-verify for this cluster`,
    );
  }

  /** The options from before when they say the same; others are looked at first. @throws InformerError `tls` */
  #checkedTls(tls: TlsOptions, known: TlsOptions | undefined): TlsOptions {
    if (this.server.protocol !== "https:") return tls;
    if (tls.rejectUnauthorized === false) {
      this.#warnings.tell(
        "insecure",
        `the certificate of ${this.server.origin} is not verified, as the kubeconfig says`,
      );
    }
    const isSame = known !== undefined && isDeepStrictEqual(tls, known);
    try {
      // Files may be read in the middle of their replacement: an authority that is empty, a key of another certificate.
      if (!isSame) node.tls.createSecureContext(tls);
      if (!isSame && tls.ca !== undefined) checkAuthority(tls.ca);
      if (tls.cert !== undefined) this.#checkExpiry(tls.cert);
    } catch (error) {
      throw new InformerError("tls", `${this.server.origin}: the kubeconfig's certificates: ${withoutSecrets(error)}`);
    }
    return isSame ? known : tls;
  }

  #checkExpiry(cert: NonNullable<TlsOptions["cert"]>): void {
    const { validTo } = new node.crypto.X509Certificate([cert].flat()[0] ?? "");
    if (Date.parse(validTo) - this.#clock.wallNow() > CERTIFICATE_WARNING_MS) return;
    this.#warnings.tell("certificate", `the client certificate for ${this.server.origin} expires on ${validTo}`);
  }

  /** Without its cause, in which a plugin's output may be. */
  #failure(error: unknown): InformerError {
    if (isInformerError(error)) return error;
    return new InformerError("credential", `credentials for ${this.server.origin}: ${withoutSecrets(error)}`);
  }

  async #inTime(asking: Promise<void>): Promise<void> {
    const late = deferred();
    const timer = this.#clock.after(MAX_ASKING_MS, () => {
      late.reject(new Error(`the kubeconfig's credential plugin did not answer within ${MAX_ASKING_MS} ms`));
    });
    try {
      await unlessAborted(Promise.race([asking, late.promise]), this.#closing.signal);
    } finally {
      timer.cancel();
    }
  }
}

/**
 * The same kubeconfig with a user of whom client-node finds no program to start and no token file to keep. One without a user has
 * one without a name here: client-node would leave out the cluster's authority otherwise.
 */
function withoutUserPrograms(kubeConfig: KubeConfigLike): KubeConfigLike {
  if (kubeConfig.getCurrentUser === undefined) return kubeConfig;
  const user: KubeConfigUser = kubeConfig.getCurrentUser() ?? {};
  const isOurs = user.exec || user.authProvider?.config?.exec || user.authProvider?.config?.tokenFile;
  const shown = isOurs ? { ...user, exec: undefined, authProvider: undefined } : user;
  return Object.create(kubeConfig, { getCurrentUser: { value: () => shown } });
}

/** Verification is on unless the cluster says otherwise: `NODE_TLS_REJECT_UNAUTHORIZED` changes nothing. */
function tlsOptions(options: HttpsOptions): TlsOptions {
  const names = ["ca", "cert", "key", "pfx", "passphrase", "servername"] as const;
  const tls: Record<string, unknown> = { rejectUnauthorized: options.rejectUnauthorized !== false };
  for (const name of names) if (options[name] !== undefined) tls[name] = options[name];
  return tls;
}

/** Node takes an authority without a certificate for one that nobody is of. */
function checkAuthority(ca: NonNullable<TlsOptions["ca"]>): void {
  for (const authority of [ca].flat()) new node.crypto.X509Certificate(authority);
}

/** What a kubeconfig or its library said. */
function withoutSecrets(error: unknown): string {
  // It quotes the beginning of what it could not parse.
  if (error instanceof SyntaxError) return "a file of the kubeconfig's is not JSON";
  return redactOutput(messageOf(error).slice(0, MAX_MESSAGE_CHARACTERS));
}

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
