import { InformerError } from "../../runtime/api/informer-error.js";
import type { Transport, TransportRequest, TransportResponse } from "../../runtime/transport/transport.js";

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body's chunks; an error in their place breaks the body off. */
  readonly chunks?: Iterable<string | Buffer | InformerError>;
}

/** Answers request after request from a script, and remembers what was asked. JSON unless the script says otherwise. */
export class ScriptedTransport implements Transport {
  readonly server = "https://server:6443";
  readonly requests: TransportRequest[] = [];
  /** Bodies that were not closed yet. */
  open = 0;
  readonly #answers: ScriptedAnswer[];

  constructor(...answers: ScriptedAnswer[]) {
    this.#answers = answers;
  }

  async get(request: TransportRequest): Promise<TransportResponse> {
    this.requests.push(request);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new InformerError("connection", "the script has no more answers");
    const { status = 200, headers = { "content-type": "application/json" }, chunks = [] } = answer;
    const waiting = chunks[Symbol.iterator]();
    let closed = false;
    this.open++;
    return {
      status,
      headers,
      body: {
        read: async () => {
          const chunk: string | Buffer | InformerError | undefined = closed ? undefined : waiting.next().value;
          if (chunk instanceof InformerError) throw chunk;
          return typeof chunk === "string" ? Buffer.from(chunk) : chunk;
        },
        take: () => undefined,
        close: () => {
          if (!closed) this.open--;
          closed = true;
        },
      },
    };
  }

  close(): void {}
}
