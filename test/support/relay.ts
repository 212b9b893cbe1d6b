/** A TCP relay between a client and its server, that does to the bytes what networks do. */

import { once } from "node:events";
import { createServer, connect as openConnection, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { resetSocket } from "../../runtime/testing/reset-socket.js";

/**
 * - `pass` as they come; `stall` nothing more arrives at the client until it passes again, and then all of it
 * - `throttle` about 20 KB/s in all; `refuse` new connections are torn down at once
 */
export type RelayMode = "pass" | "stall" | "throttle" | "refuse";

const THROTTLED_CHUNK = 2_000;
const THROTTLED_PAUSE_MS = 100;

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Half open: both ends keep their connection, and nothing goes through it any more. */
  dead: boolean;
}

export class Relay implements AsyncDisposable {
  mode: RelayMode = "pass";
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  readonly #host: string;
  /** New connections go to these in turn. */
  #ports: readonly number[];
  #accepted = 0;
  #passing: Promise<void> = Promise.resolve();
  #pass = () => {};
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(host: string, ports: readonly number[]) {
    this.#host = host;
    this.#ports = ports;
    this.#listener = createServer({ pauseOnConnect: true }, (client) => this.#accept(client));
  }

  /** Relays connections to a port of its own, on loopback, to this one; or to these, in turn. */
  static async to(host: string, ...ports: readonly number[]): Promise<Relay> {
    const relay = new Relay(host, ports);
    relay.#listener.listen(0, "127.0.0.1");
    await once(relay.#listener, "listening");
    return relay;
  }

  get port(): number {
    return (this.#listener.address() as { port: number }).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  set(mode: RelayMode): void {
    this.mode = mode;
    if (mode === "stall") {
      this.#passing = new Promise((resolve) => {
        this.#pass = resolve;
      });
    } else this.#pass();
  }

  /** Where new connections go from now on; those that are made stay. */
  use(...ports: readonly number[]): void {
    this.#ports = ports;
  }

  /** Tears all connections down: an RST in both directions. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      resetSocket(client);
      resetSocket(server);
    }
  }

  /** The connections of now are dead from here on, and neither end is told; later ones are not. */
  blackhole(): void {
    for (const pair of this.#pairs) pair.dead = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.set("pass");
    this.reset();
    this.#listener.close();
    await once(this.#listener, "close");
  }

  #accept(client: Socket): void {
    if (this.mode === "refuse") {
      resetSocket(client);
      return;
    }
    const port = this.#ports[this.#accepted++ % this.#ports.length] ?? 0;
    const server = openConnection({ host: this.#host, port });
    const pair: Pair = { client, server, dead: false };
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    // A server that refuses or resets does so through the relay, too.
    server.on("error", () => resetSocket(client));
    client.on("error", () => resetSocket(server));
    client.on("close", end);
    server.on("close", () => {
      if (!pair.dead) end();
    });
    void this.#copy(client, server, pair, false);
    void this.#copy(server, client, pair, true);
  }

  async #copy(from: Socket, to: Socket, pair: Pair, toClient: boolean): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        if (pair.dead) continue;
        if (toClient && this.mode === "stall") await this.#passing;
        if (toClient && this.mode === "throttle") await this.#trickle(chunk, to);
        else await written(to, chunk);
      }
      if (!pair.dead) to.end();
    } catch {
      // The handlers of "error" and "close" have dealt with it.
    }
  }

  /** One connection at a time: what is narrow is the way, not each connection. */
  #trickle(chunk: Buffer, to: Socket): Promise<unknown> {
    const send = async () => {
      for (let at = 0; at < chunk.length && !to.destroyed; at += THROTTLED_CHUNK) {
        await written(to, chunk.subarray(at, at + THROTTLED_CHUNK));
        if (this.mode === "throttle") await sleep(THROTTLED_PAUSE_MS);
      }
    };
    this.#turn = this.#turn.then(send, send);
    return this.#turn;
  }
}

/** Resolves when there is room for more, or the connection is gone. */
function written(to: Socket, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed) resolve();
    else to.write(chunk, () => resolve());
  });
}
