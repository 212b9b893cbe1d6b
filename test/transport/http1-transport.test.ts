import { once } from "node:events";
import http, { type ServerResponse } from "node:http";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import type { HttpsOptions } from "../../runtime/transport/credentials.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import type { ResponseBody, TransportRequest } from "../../runtime/transport/transport.js";
import { deferred } from "../../runtime/util/abort.js";
import { readAll, someMegabytes } from "../support/bodies.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import { soon } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

const never = new AbortController().signal;
const list = (path = "/", signal = never): TransportRequest => ({
  path,
  accept: "application/json",
  kind: "list",
  signal,
});
const watch = (signal = never): TransportRequest => ({
  path: "/?watch=true",
  accept: "application/json",
  kind: "watch",
  signal,
});

function transportTo(url: string, apply?: (options: HttpsOptions) => void) {
  const clock = new VirtualClock();
  const kubeConfig = kubeConfigFor(url, apply);
  return { clock, kubeConfig, transport: new HttpTransport(kubeConfig, clock) };
}

async function getAll(transport: HttpTransport, request = list()): Promise<string> {
  return readAll((await transport.get(request)).body);
}

describe("a request", () => {
  test("has the path, what is accepted, the credentials and the name of the client", async () => {
    const server = await loopback((_, response) => response.end("{}"));
    const { transport, clock } = transportTo(server.url, (options) => {
      options.headers = { Authorization: "Bearer t" };
    });
    const response = await transport.get(list("/api/v1/pods?limit=1"));
    expect(response.status).toBe(200);
    expect(await readAll(response.body)).toBe("{}");
    const [request] = server.requests;
    expect(request?.url).toBe("/api/v1/pods?limit=1");
    expect(request?.headers).toMatchObject({ accept: "application/json", authorization: "Bearer t" });
    expect(request?.headers["user-agent"]).toMatch(/^kube-informers\//);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each(["/k8s/clusters/c-1", "/k8s/clusters/c-1/"])("goes below the path %s of the server", async (path) => {
    const server = await loopback((_, response) => response.end());
    const { transport } = transportTo(`${server.url}${path}`);
    await getAll(transport, list("/api/v1/pods"));
    expect(server.requests[0]?.url).toBe("/k8s/clusters/c-1/api/v1/pods");
    expect(transport.server).toBe(server.url);
  });

  test("resolves for a refusal like for any answer", async () => {
    const server = await loopback((_, response) => response.writeHead(403, { "X-Why": "a" }).end("no"));
    const { status, headers, body } = await transportTo(server.url).transport.get(list());
    expect([status, headers["x-why"], await readAll(body)]).toEqual([403, "a", "no"]);
  });

  test("has bodies that wait for their readers: what is read from the socket later is not written over them", async () => {
    const server = await loopback((request, response) => response.end(someMegabytes(request.url!)));
    const { transport } = transportTo(server.url);
    const bodies: ResponseBody[] = [];
    for (const path of ["/a", "/b"]) bodies.push((await transport.get(list(path))).body);
    const parts = await Promise.all(bodies.map(async (body) => String(await body.read())));
    // The first is stopped by now: it has more than may wait.
    const rests = [await readAll(bodies[1]!), await readAll(bodies[0]!)].reverse();
    expect(parts.map((part, i) => `${part}${rests[i]}`)).toEqual([someMegabytes("/a"), someMegabytes("/b")]);
  });

  test("H17 M9 is not redirected, so that credentials stay with their server", async () => {
    const other = await loopback((_, response) => response.end("stolen"));
    const server = await loopback((_, response) => response.writeHead(302, { location: other.url }).end());
    const { transport } = transportTo(server.url);
    expect((await transport.get(list())).status).toBe(302);
    expect(other.requests).toHaveLength(0);
  });

  const ipv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === "::1"),
  );
  test.runIf(ipv6)("N13 reaches a server that has an IPv6 address alone", async () => {
    const server = await loopback((_, response) => response.end("six"), { host: "::1" });
    expect(await getAll(transportTo(server.url).transport)).toBe("six");
  });
});

describe("connections", () => {
  test("one is used again, also after an error's body was read", async () => {
    const server = await loopback((request, response) =>
      response.writeHead(request.url === "/no" ? 404 : 200).end("x"),
    );
    const { transport } = transportTo(server.url);
    for (const path of ["/", "/no", "/"]) await getAll(transport, list(path));
    expect(server.requests).toHaveLength(3);
    expect(server.sockets).toHaveLength(1);
  });

  test("N17 a list never waits for a watch", async () => {
    const server = await loopback((request, response) => {
      if (request.url === "/") response.end("listed");
      else response.writeHead(200).write("\n");
    });
    const { transport } = transportTo(server.url);
    const watches = await Promise.all(Array.from({ length: 20 }, () => transport.get(watch())));
    expect(await getAll(transport)).toBe("listed");
    expect(server.sockets).toHaveLength(21);
    for (const { body } of watches) body.close();
  });

  test("at most eight lists run at one time; those that wait do not time out", async () => {
    const waiting: ServerResponse[] = [];
    const eight = deferred();
    const server = await loopback((_, response) => {
      waiting.push(response);
      if (waiting.length === 8) eight.resolve();
      if (waiting.length > 8) response.end("late");
    });
    const { transport, clock } = transportTo(server.url);
    const lists = Array.from({ length: 12 }, () => getAll(transport));
    await eight.promise;
    await clock.advance(60_000);
    expect(server.sockets).toHaveLength(8);
    for (const response of waiting.slice(0, 8)) response.end("early");
    expect(await Promise.all(lists)).toEqual([...Array(8).fill("early"), ...Array(4).fill("late")]);
    expect(server.sockets).toHaveLength(8);
  });

  test("one that waits for a place is called off at once", async () => {
    const eight = deferred();
    const server = await loopback(() => {
      if (server.requests.length === 8) eight.resolve();
    });
    const { transport, clock } = transportTo(server.url);
    const stop = new AbortController();
    const running = Array.from({ length: 8 }, () => transport.get(list("/", stop.signal)));
    await eight.promise;
    const controller = new AbortController();
    const waiting = transport.get(list("/", controller.signal));
    await clock.advance(0);
    controller.abort(new Error("enough"));
    expect((await informerErrorOf(soon(waiting))).message).toContain("enough");
    stop.abort();
    for (const request of running) await informerErrorOf(request);
    expect(server.requests).toHaveLength(8);
    expect(clock.pendingTimers).toBe(0);
  });

  test("close ends idle connections, and leaves what runs alone", async () => {
    let running: ServerResponse | undefined;
    const server = await loopback((request, response) => {
      if (request.url === "/") return response.end("x");
      running = response;
      return response.write("before ");
    });
    const { transport } = transportTo(server.url);
    await getAll(transport);
    const { body } = await transport.get(watch());
    const idleClosed = once(server.sockets[0]!, "close");
    transport.close();
    await idleClosed;
    running?.end("after");
    const watchClosed = once(server.sockets[1]!, "close");
    expect(await readAll(body)).toBe("before after");
    // It is not kept for a next request, which would come over another agent.
    await watchClosed;
    expect(await getAll(transport)).toBe("x");
  });

  test("one that the server closed while it was idle costs nobody a request", async () => {
    const server = await loopback((_, response) => response.end(String(server.requests.length)));
    const { transport } = transportTo(server.url);
    expect(await getAll(transport)).toBe("1");
    server.sockets[0]?.resetAndDestroy();
    expect(await getAll(transport)).toBe("2");
    expect(server.sockets).toHaveLength(2);
  });

  test.each(["resetAndDestroy", "destroy"] as const)(
    "a request that meets the server's closing (%s) goes out once more, on a new connection",
    async (close) => {
      const bothCame = deferred();
      const server = await loopback((request, response) => {
        if (request.url === "/warm") {
          // Two at once, so that two connections are kept; both are closed under the next request.
          if (server.requests.length === 2) bothCame.resolve();
          void bothCame.promise.then(() => response.end("warm"));
        } else if (server.sockets.length === 2) {
          for (const socket of server.sockets) socket[close]();
        } else {
          response.end("again");
        }
      });
      const { transport, clock } = transportTo(server.url);
      await Promise.all([getAll(transport, list("/warm")), getAll(transport, list("/warm"))]);
      expect(await getAll(transport)).toBe("again");
      expect(server.sockets).toHaveLength(3);
      expect(server.requests).toHaveLength(4);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  test("a new connection that is closed is not tried again", async () => {
    const server = await loopback((request) => request.socket.destroy());
    const error = await informerErrorOf(transportTo(server.url).transport.get(list()));
    expect(error.code).toBe("connection");
    expect(error.message).toContain(server.url);
    expect(server.requests).toHaveLength(1);
  });

  test("nor is a request whose second connection is closed as well", async () => {
    const server = await loopback((request, response) => {
      if (request.url === "/warm") response.end();
      else request.socket.destroy();
    });
    const { transport } = transportTo(server.url);
    await getAll(transport, list("/warm"));
    expect(await informerErrorOf(transport.get(list()))).toMatchObject({
      code: "connection",
      cause: { code: "ECONNRESET" },
    });
    expect(server.requests).toHaveLength(3);
  });

  test("nor is one whose answer had begun", async () => {
    const server = await loopback((request, response) => {
      if (request.url === "/warm") response.end();
      else request.socket.write("HTTP/1.1 200 OK\r\nContent-Ty", () => request.socket.destroy());
    });
    const { transport } = transportTo(server.url);
    await getAll(transport, list("/warm"));
    expect((await informerErrorOf(transport.get(list()))).code).toBe("connection");
    expect(server.requests).toHaveLength(2);
  });
});

describe("a proxy of the kubeconfig's", () => {
  const through = (url: string, agent: http.Agent) => {
    const clock = new VirtualClock();
    const apply = (options: HttpsOptions) => {
      options.agent = agent;
    };
    return { clock, transport: new HttpTransport(kubeConfigFor(url, apply, { proxyUrl: "http://proxy" }), clock) };
  };

  test("is gone through for lists and watches", async () => {
    const server = await loopback((_, response) => response.end("x"));
    const agent = new http.Agent({ keepAlive: true });
    let made = 0;
    const createConnection = agent.createConnection.bind(agent);
    agent.createConnection = (...args) => {
      made++;
      return createConnection(...args);
    };
    const { transport } = through(server.url, agent);
    await getAll(transport, list());
    await getAll(transport, watch());
    expect(made).toBe(1);
    expect(server.sockets).toHaveLength(1);
  });

  test("that does not answer is of code timeout after 10 s, although there is no socket yet", async () => {
    const agent = new http.Agent();
    agent.createConnection = () => undefined;
    const { transport, clock } = through("http://127.0.0.1:1", agent);
    const request = informerErrorOf(transport.get(list()));
    await clock.advance(10_000);
    expect((await request).code).toBe("timeout");
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("calling off", () => {
  test("before it begins: nothing is sent", async () => {
    const server = await loopback((_, response) => response.end());
    const { transport, clock } = transportTo(server.url);
    await informerErrorOf(transport.get(list("/", AbortSignal.abort(new Error("enough")))));
    expect(server.sockets).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("while it waits for headers: the connection is closed, and the reason is the error's", async () => {
    const asked = deferred();
    const server = await loopback(() => asked.resolve());
    const { transport, clock } = transportTo(server.url);
    const controller = new AbortController();
    const request = transport.get(list("/", controller.signal));
    await asked.promise;
    const closed = once(server.sockets[0]!, "close");
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await informerErrorOf(request)).toMatchObject({ code: "connection", cause: reason });
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });

  test("in the middle of a body: what was sent is read, then the reason is thrown, again and again", async () => {
    const server = await loopback((_, response) => response.writeHead(200).write("half"));
    const { transport } = transportTo(server.url);
    const controller = new AbortController();
    const { body } = await transport.get(watch(controller.signal));
    expect((await body.read())?.toString()).toBe("half");
    const reading = body.read();
    const closed = once(server.sockets[0]!, "close");
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await informerErrorOf(reading)).toMatchObject({ cause: reason });
    expect(await informerErrorOf(body.read())).toMatchObject({ cause: reason });
    await closed;
  });
});

describe("failures", () => {
  test("a server that is not there is of code connection, and says where", async () => {
    const server = await loopback(() => {}, {});
    const { transport, clock } = transportTo("http://127.0.0.1:1");
    expect(server.sockets).toHaveLength(0);
    const error = await informerErrorOf(transport.get(list()));
    expect(error.code).toBe("connection");
    expect(error.message).toMatch(/^http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
    expect(clock.pendingTimers).toBe(0);
  });

  test("what is no HTTP at all is an error like any other", async () => {
    const server = await loopback((request) => request.socket.end("SSH-2.0-OpenSSH\r\n"));
    expect((await informerErrorOf(transportTo(server.url).transport.get(list()))).code).toBe("connection");
  });

  test("a path that cannot be sent is an error of the runtime's own kind", async () => {
    const server = await loopback((_, response) => response.end());
    await informerErrorOf(transportTo(server.url).transport.get(list("/a b\r\n")));
    expect(server.requests).toHaveLength(0);
  });
});
