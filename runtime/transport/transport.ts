/** The way to one API server. What is above this interface knows no sockets; what is below knows no Kubernetes objects. */

export interface TransportRequest {
  /** Absolute path with its query, as in `/api/v1/pods?watch=true`. */
  readonly path: string;
  readonly accept: string;
  /** A list and a watch never compete for a connection: lists wait in a pool, watches each have their own. */
  readonly kind: "list" | "watch";
  /** Ends the request, and the body while it is read. */
  readonly signal: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: ResponseBody;
}

/** The body of an answer as it arrives. Reading slowly holds the server back. */
export interface ResponseBody {
  /**
   * The next bytes, good until more are asked for: whoever keeps them copies them. `undefined` at the end. One call at a time.
   * @throws InformerError `connection` when it breaks off, `decode` when it cannot be unzipped, or what the request's signal
   *   was aborted with
   */
  read(): Promise<Buffer | undefined>;
  /** The next bytes where some wait already. Servers send each event in a chunk of its own, and a socket gives many at once. */
  take(): Buffer | undefined;
  /** To be called by whoever does not read to the end: closes the connection. */
  close(): void;
}

export interface Transport {
  /** `https://10.0.0.1:6443`, for messages. */
  readonly server: string;
  /**
   * Sends a GET and resolves when the headers are in, whatever the status. Redirects are not followed: credentials go to
   * the configured server alone.
   * @throws InformerError `connection`, `tls`, `timeout` or `credential`
   */
  get(request: TransportRequest): Promise<TransportResponse>;
  /** Closes idle connections. Requests that run are ended by their own signals. */
  close(): void;
}
