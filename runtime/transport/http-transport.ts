/** The transport over HTTP: HTTP/2 where the server speaks it, else HTTP/1.1 with connections that are kept. */
import { unlessAborted } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import { node } from "../util/node-modules.js";
import { connectionError, tlsFingerprint } from "./connections.js";
import { CredentialSource, type Credentials, type KubeConfigLike } from "./credentials.js";
import { Http1Connections } from "./http1-connections.js";
import { Http2Connections, UnprocessedRequest } from "./http2-connections.js";
import type { Impersonation } from "./impersonation.js";
import type { Transport, TransportRequest, TransportResponse } from "./transport.js";
import { type InformerWarning, parseWarnings, Warnings } from "./warnings.js";

export class HttpTransport implements Transport {
  readonly #warnings: Warnings;
  readonly #credentials: CredentialSource;
  readonly #http1: Http1Connections;
  readonly #http2: Http2Connections;
  /** Whether the server was seen to speak HTTP/1.1 alone, by the TLS options it was asked with. */
  #http1Only: string | undefined;

  /**
   * @param onWarning told once of each text that the server warns with, and of what is doubtful about the kubeconfig
   * @throws InformerError `usage` when the KubeConfig does not say which server
   */
  constructor(
    kubeConfig: KubeConfigLike,
    clock: Clock,
    impersonate?: Impersonation,
    onWarning: (warning: InformerWarning) => void = () => {},
  ) {
    this.#warnings = new Warnings(onWarning);
    this.#credentials = new CredentialSource(kubeConfig, clock, impersonate, this.#warnings);
    this.#http1 = new Http1Connections(this.#credentials.server, clock);
    this.#http2 = new Http2Connections(this.#credentials.server, clock);
  }

  get server(): string {
    return this.#credentials.server.origin;
  }

  async get(request: TransportRequest): Promise<TransportResponse> {
    const response = await this.#getAuthorized(request);
    for (const text of parseWarnings(response.headers["warning"])) this.#warnings.tell("server", text);
    return response;
  }

  /** A 401 is answered with other credentials, at once and once, if the kubeconfig has any. */
  async #getAuthorized(request: TransportRequest): Promise<TransportResponse> {
    const credentials = await this.#unlessCalledOff(this.#credentials.get(), request.signal);
    const response = await this.#sendOrResend(request, credentials);
    if (response.status !== 401) return response;
    const renewing = this.#credentials.renew(credentials);
    const renewed = await this.#unlessCalledOff(renewing, request.signal).catch((error: unknown) => {
      response.body.close();
      throw error;
    });
    if (renewed === undefined) return response;
    response.body.close();
    return this.#sendOrResend(request, renewed);
  }

  close(): void {
    this.#credentials.close();
    this.#http1.close();
    this.#http2.close();
  }

  async #sendOrResend(request: TransportRequest, credentials: Credentials): Promise<TransportResponse> {
    try {
      return await this.#send(request, credentials);
    } catch (error) {
      if (!(error instanceof UnprocessedRequest)) throw error;
    }
    try {
      return await this.#send(request, credentials);
    } catch (error) {
      throw error instanceof UnprocessedRequest ? connectionError(error, this.server) : error;
    }
  }

  /** Who asks for credentials does not wait for a plugin any longer than it wants to; others may. */
  #unlessCalledOff<T>(asking: Promise<T>, signal: AbortSignal): Promise<T> {
    return unlessAborted(asking, signal).catch((error: unknown) => {
      throw connectionError(error, this.server);
    });
  }

  /** The TLS handshake decides (ALPN, RFC 7301). Plain http and the kubeconfig's own agents are HTTP/1.1. */
  async #send(request: TransportRequest, credentials: Credentials): Promise<TransportResponse> {
    const fingerprint = tlsFingerprint(credentials.tls);
    const isPlain = this.#credentials.server.protocol === "http:";
    if (isPlain || credentials.proxyAgent !== undefined || this.#http1Only === fingerprint) {
      return this.#http1.send(request, credentials);
    }
    const connection = await this.#http2.acquire(credentials, request.signal);
    if (!(connection instanceof node.tls.TLSSocket)) return this.#http2.send(connection, request, credentials);
    // All who waited for the handshake are given its connection, and the first of them uses it.
    if (this.#http1Only !== fingerprint) this.#http1.adopt(connection, request.kind, credentials);
    this.#http1Only = fingerprint;
    return this.#http1.send(request, credentials);
  }
}
