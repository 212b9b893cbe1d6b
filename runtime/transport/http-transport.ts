/** The transport over HTTP: HTTP/2 where the server speaks it, else HTTP/1.1 with connections that are kept. */
import { TLSSocket } from "node:tls";
import type { Clock } from "../util/clock.js";
import { connectionError, tlsFingerprint } from "./connections.js";
import { CredentialSource, type Credentials, type KubeConfigLike } from "./credentials.js";
import { Http1Connections } from "./http1-connections.js";
import { Http2Connections, UnprocessedRequest } from "./http2-connections.js";
import type { Transport, TransportRequest, TransportResponse } from "./transport.js";

export class HttpTransport implements Transport {
  readonly #credentials: CredentialSource;
  readonly #http1: Http1Connections;
  readonly #http2: Http2Connections;
  /** Whether the server was seen to speak HTTP/1.1 alone, by the TLS options it was asked with. */
  #http1Only: string | undefined;

  /** @throws InformerError `usage` when the KubeConfig does not say which server */
  constructor(kubeConfig: KubeConfigLike, clock: Clock) {
    this.#credentials = new CredentialSource(kubeConfig, clock);
    this.#http1 = new Http1Connections(this.#credentials.server, clock);
    this.#http2 = new Http2Connections(this.#credentials.server, clock);
  }

  get server(): string {
    return this.#credentials.server.origin;
  }

  async get(request: TransportRequest): Promise<TransportResponse> {
    const credentials = await this.#credentials.get();
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

  credentialsRefused(): void {
    this.#credentials.invalidate();
  }

  close(): void {
    this.#http1.close();
    this.#http2.close();
  }

  /** The TLS handshake decides (ALPN, RFC 7301). Plain http and proxies are HTTP/1.1. */
  async #send(request: TransportRequest, credentials: Credentials): Promise<TransportResponse> {
    const fingerprint = tlsFingerprint(credentials.tls);
    const isPlain = this.#credentials.server.protocol === "http:";
    if (isPlain || credentials.proxyAgent !== undefined || this.#http1Only === fingerprint) {
      return this.#http1.send(request, credentials);
    }
    const connection = await this.#http2.acquire(credentials, request.signal);
    if (!(connection instanceof TLSSocket)) return this.#http2.send(connection, request, credentials);
    // All who waited for the handshake are given its connection, and the first of them uses it.
    if (this.#http1Only !== fingerprint) this.#http1.adopt(connection, request.kind, credentials);
    this.#http1Only = fingerprint;
    return this.#http1.send(request, credentials);
  }
}
