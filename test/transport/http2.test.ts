import { once } from "node:events";
import { readFileSync } from "node:fs";
import http2, {
  type Http2Session,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { addAbortSignal } from "node:stream";
import tls, { type TLSSocket } from "node:tls";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import type { KubeConfigLike } from "../../runtime/transport/credentials.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import type { ResponseBody, TransportResponse } from "../../runtime/transport/transport.js";
import { readAll } from "../support/bodies.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { settle, soon, turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

/** Made by fixtures/tls/make.sh. */
const pem = (name: string) => readFileSync(new URL(`fixtures/tls/${name}.pem`, import.meta.url));
const JSON_TYPE = { ":status": 200, "content-type": "application/json" };
const never = new AbortController().signal;
const list = { path: "/list", accept: "*/*", kind: "list", signal: never } as const;
const watch = { path: "/watch", accept: "*/*", kind: "watch", signal: never } as const;

interface Served {
  readonly kubeConfig: KubeConfigLike;
  readonly transport: HttpTransport;
  readonly clock: VirtualClock;
  readonly sockets: Socket[];
  readonly sessions: Http2Session[];
  readonly streams: ServerHttp2Stream[];
  readonly requested: IncomingHttpHeaders[];
  /** From now on nothing comes through, and nobody is told. */
  readonly hang: () => void;
}

/** An HTTP/2 server on a free port, gone with the test, and a transport to it. */
async function serve(
  onStream: (stream: ServerHttp2Stream, path: string) => void,
  options: SecureServerOptions = {},
): Promise<Served> {
  const server = http2.createSecureServer({ cert: pem("server"), key: pem("server-key"), ...options });
  const served = {
    sockets: [] as Socket[],
    sessions: [] as Http2Session[],
    streams: [] as ServerHttp2Stream[],
    requested: [] as IncomingHttpHeaders[],
  };
  server.on("connection", (socket: Socket) => {
    served.sockets.push(socket);
    socket.on("error", () => {});
  });
  server.on("session", (session) => {
    served.sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream, headers) => {
    served.streams.push(stream);
    served.requested.push(headers);
    stream.on("error", () => {});
    onStream(stream, String(headers[":path"]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const clock = new VirtualClock();
  const between: Socket[] = [];
  const relay = createServer((client) => {
    const upstream = connect((server.address() as AddressInfo).port, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      between.push(from);
    }
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const url = `https://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const kubeConfig = kubeConfigFor(
    url,
    (given) => void Object.assign(given, { ca: pem("ca"), headers: { Authorization: "Bearer secret" } }),
  );
  const transport = new HttpTransport(kubeConfig, clock);
  onTestFinished(() => {
    transport.close();
    for (const session of served.sessions) session.destroy();
    for (const socket of between) socket.destroy();
    server.close();
    relay.close();
  });
  const hang = () => {
    for (const socket of between) socket.removeAllListeners("data").pause();
  };
  return { ...served, kubeConfig, transport, clock, hang };
}

/** Answers a watch with its headers and a first line, and leaves it open. */
const openWatch = (stream: ServerHttp2Stream) => {
  stream.respond(JSON_TYPE);
  stream.write("first\n");
};
const answer = (stream: ServerHttp2Stream, path: string) => {
  if (path === "/watch") return openWatch(stream);
  stream.respond(JSON_TYPE);
  stream.end("whole");
};

const first = async (response: TransportResponse) => String(await response.body.read());

describe("HTTP/2", () => {
  test("a hundred watches that begin together share one connection", async () => {
    const { transport, sockets } = await serve(answer);
    const watches = await Promise.all(Array.from({ length: 100 }, () => transport.get(watch)));
    for (const response of watches) expect(await first(response)).toBe("first\n");
    expect(sockets).toHaveLength(1);
    for (const { body } of watches) body.close();
  });

  test("opens as many connections as the server's limit of streams asks for, and gives up what it no longer needs", async () => {
    const { transport, sockets, sessions } = await serve(answer, { settings: { maxConcurrentStreams: 10 } });
    const watches = await soon(Promise.all(Array.from({ length: 25 }, () => transport.get(watch))));
    for (const response of watches) expect(await first(response)).toBe("first\n");
    expect(sockets).toHaveLength(3);
    const closed = Promise.all(sessions.slice(0, 2).map((session) => once(session, "close")));
    for (const { body } of watches) body.close();
    await soon(closed);
    expect(await readAll((await transport.get(list)).body)).toBe("whole");
    expect(sockets).toHaveLength(3);
  });

  test("waits on one connection while the server allows no stream at all", async () => {
    const { transport, sockets, sessions } = await serve(answer, { settings: { maxConcurrentStreams: 0 } });
    const asked = transport.get(list);
    await turnUntil("it is connected", () => sessions.length === 1);
    await settle(100);
    expect(sockets).toHaveLength(1);
    sessions[0]!.settings({ maxConcurrentStreams: 10 });
    expect(await readAll((await asked).body)).toBe("whole");
    expect(sockets).toHaveLength(1);
  });

  test.each(["before", "after"])(
    "N5 closing %s the last body is leaves no socket to a server that answers no more",
    async (when) => {
      const connected = vi.spyOn(tls, "connect");
      onTestFinished(() => connected.mockRestore());
      const { transport, hang } = await serve(answer);
      const response = await transport.get(watch);
      expect(await first(response)).toBe("first\n");
      hang();
      if (when === "before") transport.close();
      response.body.close();
      await settle();
      if (when === "after") transport.close();
      const socket = connected.mock.results[0]?.value as TLSSocket;
      await turnUntil("it is closed", () => socket.destroyed);
    },
  );

  test.each([0, 1])(
    "a request that is called off unanswered ends, and its connection, of %i streams allowed",
    async (most) => {
      const { transport, sessions } = await serve(() => {}, { settings: { maxConcurrentStreams: most } });
      const abort = new AbortController();
      const asked = informerErrorOf(transport.get({ ...watch, signal: abort.signal }));
      await turnUntil("it is connected", () => sessions.length === 1);
      await settle(100);
      abort.abort();
      expect((await asked).code).toBe("connection");
      transport.close();
      await turnUntil("it is closed", () => sessions[0]!.destroyed);
    },
  );

  test("sends path, accept, user agent and credentials, and gives status and headers", async () => {
    const { transport, requested } = await serve((stream) => {
      stream.respond({ ":status": 429, "retry-after": "7" });
      stream.end("busy");
    });
    const response = await transport.get(list);
    expect(response.status).toBe(429);
    expect(response.headers["retry-after"]).toBe("7");
    expect(await readAll(response.body)).toBe("busy");
    expect(requested[0]).toMatchObject({
      ":path": "/list",
      accept: "*/*",
      authorization: "Bearer secret",
      "user-agent": expect.stringMatching(/^kube-informers\//),
    });
  });

  test("reads a list larger than every window", async () => {
    const size = 40 * 1024 * 1024;
    const { transport } = await serve((stream) => {
      stream.respond(JSON_TYPE);
      stream.end(Buffer.alloc(size, "x"));
    });
    const { body } = await transport.get(list);
    let read = 0;
    for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read()) read += chunk.length;
    expect(read).toBe(size);
  });

  test("N16 after a GOAWAY what runs goes on, and what comes is sent on a new connection", async () => {
    const { transport, sockets, sessions, streams } = await serve(answer);
    const running = await transport.get(watch);
    expect(await first(running)).toBe("first\n");
    sessions[0]!.goaway(http2.constants.NGHTTP2_NO_ERROR, 1);
    const next = await transport.get(watch);
    expect(await first(next)).toBe("first\n");
    streams[0]!.write("second\n");
    expect(await first(running)).toBe("second\n");
    // The one or the other may win the race; no request fails, and no third connection is made.
    expect(sockets.length).toBeLessThanOrEqual(2);
    running.body.close();
    next.body.close();
  });

  test("sends a request again that the server refused unseen, once", async () => {
    let refusals = 1;
    const { transport, streams } = await serve((stream, path) => {
      if (refusals-- > 0) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      else answer(stream, path);
    });
    expect(await readAll((await transport.get(list)).body)).toBe("whole");
    expect(streams).toHaveLength(2);
    refusals = 2;
    expect((await informerErrorOf(transport.get(list))).code).toBe("connection");
  });

  test.each([
    ["with an error", (stream: ServerHttp2Stream) => stream.destroy(new Error("a fault of the server's"))],
    // Of code CANCEL, which Node calls no error.
    ["as one that was called off", (stream: ServerHttp2Stream) => void addAbortSignal(AbortSignal.abort(), stream)],
  ])("N16 a stream that is reset %s fails its reader and nobody else", async (_, reset) => {
    const { transport, streams } = await serve(answer);
    const [one, other] = [await transport.get(watch), await transport.get(watch)];
    expect([await first(one), await first(other)]).toEqual(["first\n", "first\n"]);
    reset(streams[0]!);
    expect((await informerErrorOf(one.body.read())).code).toBe("connection");
    streams[1]!.write("second\n");
    expect(await first(other)).toBe("second\n");
    other.body.close();
  });

  test("an aborted request closes its stream and leaves the connection", async () => {
    const { transport, streams, sockets } = await serve(answer);
    const abort = new AbortController();
    const { body } = await transport.get({ ...watch, signal: abort.signal });
    await body.read();
    const closed = once(streams[0]!, "close");
    abort.abort();
    await expect(body.read()).rejects.toThrow();
    await closed;
    expect(await readAll((await transport.get(list)).body)).toBe("whole");
    expect(sockets).toHaveLength(1);
  });

  test.each([
    ["closed", (body: ResponseBody) => body.close()],
    ["aborted", (_: ResponseBody, controller: AbortController) => controller.abort()],
  ])("a body that is %s is cancelled by name", async (_, end) => {
    const { transport, streams } = await serve((stream) => {
      stream.respond(JSON_TYPE);
      stream.write("{}");
    });
    const controller = new AbortController();
    const { body } = await transport.get({ ...watch, signal: controller.signal });
    await body.read();
    end(body, controller);
    await turnUntil("the stream is closed", () => streams[0]!.closed);
    expect(streams[0]!.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
  });

  test("a server that refuses the client's certificate, which it does after the client's handshake, is of code tls", async () => {
    const { transport, clock } = await serve(answer, { requestCert: true, rejectUnauthorized: true });
    await expect(informerErrorOf(transport.get(list))).resolves.toMatchObject({ code: "tls" });
    await turnUntil("no timer waits", () => clock.pendingTimers === 0);
  });

  test("a connection that answers no ping is given up after 45 seconds of silence", async () => {
    const { transport, clock, hang } = await serve(answer);
    const { body } = await transport.get(watch);
    await body.read();
    hang();
    const broken = informerErrorOf(body.read());
    // The first look finds that something was read since the connection was made.
    await clock.advance(30_000);
    await clock.advance(30_000);
    await clock.advance(15_000);
    expect((await soon(broken)).code).toBe("timeout");
  });

  test("a silent connection that answers its pings is kept", async () => {
    const { transport, clock, sockets, sessions } = await serve(answer);
    const { body } = await transport.get(watch);
    await body.read();
    let pings = 0;
    sessions[0]!.on("ping", () => pings++);
    for (let i = 0; i < 20; i++) {
      await clock.advance(30_000);
      // What was sent before this request, a ping or nothing, is answered before it.
      expect(await readAll((await transport.get(list)).body)).toBe("whole");
    }
    // After a look that found the connection in use none is needed; without these requests each look would ask.
    expect(pings).toBe(0);
    await clock.advance(30_000);
    await clock.advance(30_000);
    await turnUntil("the connection is asked", () => pings === 1);
    expect(await readAll((await transport.get(list)).body)).toBe("whole");
    await clock.advance(15_000);
    expect(await readAll((await transport.get(list)).body)).toBe("whole");
    expect(sockets).toHaveLength(1);
    body.close();
  });

  test("L2 closing while the connection is being made leaves no timer and no connection, at any moment of it", async () => {
    const { kubeConfig, clock, sockets } = await serve(answer);
    for (let turns = 0; turns < 60; turns++) {
      const mine = new HttpTransport(kubeConfig, clock);
      const abort = new AbortController();
      const ended = mine.get({ ...list, signal: abort.signal }).then(
        ({ body }) => body.close(),
        () => {},
      );
      await settle(turns);
      abort.abort();
      mine.close();
      await ended;
    }
    await turnUntil("no timer waits", () => clock.pendingTimers === 0);
    await turnUntil("no connection is left", () => sockets.every(({ destroyed }) => destroyed));
  });

  test("closing leaves no timer and no connection", async () => {
    const { transport, clock, sockets } = await serve(answer);
    expect(await readAll((await transport.get(list)).body)).toBe("whole");
    await settle(20);
    expect(clock.pendingTimers).toBe(1);
    const closed = once(sockets[0]!, "close");
    transport.close();
    expect(clock.pendingTimers).toBe(0);
    await closed;
  });
});
