import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import type { ServerOptions } from "node:https";
import { type AddressInfo, connect, createServer } from "node:net";
import type { TLSSocket } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import type { HttpsOptions } from "../../runtime/transport/credentials.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import { readAll, someMegabytes } from "../support/bodies.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import { soon, turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

/** Made by fixtures/tls/make.sh. */
const pem = (name: string) => readFileSync(new URL(`fixtures/tls/${name}.pem`, import.meta.url));
const CA = pem("ca");
const SERVER: ServerOptions = { cert: pem("server"), key: pem("server-key") };
/** Takes clients with a certificate alone. */
const MUTUAL: ServerOptions = { ...SERVER, ca: CA, requestCert: true, rejectUnauthorized: true };
const FIRST = { cert: pem("client"), key: pem("client-key") };
const SECOND = { cert: pem("rotated-client"), key: pem("rotated-client-key") };

const never = new AbortController().signal;
const list = { path: "/", accept: "*/*", kind: "list", signal: never } as const;
const watch = { ...list, path: "/watch", kind: "watch" } as const;

function transportTo(url: string, options: HttpsOptions) {
  const clock = new VirtualClock();
  const kubeConfig = kubeConfigFor(url, (given) => void Object.assign(given, options));
  return { clock, kubeConfig, transport: new HttpTransport(kubeConfig, clock) };
}

/** Answers with the name in the client's certificate. */
const whoAreYou = (request: { socket: unknown }, response: ServerResponse) =>
  response.end((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? "nobody");

describe("https", () => {
  test("trusts the cluster's authority, and uses the connection again", async () => {
    const server = await loopback(whoAreYou, { tls: SERVER });
    const { transport, clock } = transportTo(server.url, { ca: CA });
    for (let i = 0; i < 3; i++) expect(await readAll((await transport.get(list)).body)).toBe("nobody");
    expect(server.sockets).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a body that waits is not written over, on the first connection nor on the next", async () => {
    const server = await loopback((request, response) => response.end(someMegabytes(request.url!)), { tls: SERVER });
    const { transport } = transportTo(server.url, { ca: CA });
    const paths = ["/a", "/b", "/c"];
    const responses = await Promise.all(paths.map((path) => transport.get({ ...list, path })));
    const parts = await Promise.all(responses.map(async ({ body }) => String(await body.read())));
    const rests = await Promise.all(responses.map(({ body }) => readAll(body)));
    expect(parts.map((part, i) => `${part}${rests[i]}`)).toEqual(paths.map(someMegabytes));
    expect(server.sockets).toHaveLength(3);
  });

  test("closes a connection that is made when nobody wants it any more", async () => {
    const server = await loopback(whoAreYou, { tls: SERVER });
    const { transport } = transportTo(server.url, { ca: CA });
    const abort = new AbortController();
    const asked = transport.get({ ...list, signal: abort.signal });
    await turnUntil("the server has seen it", () => server.sockets.length === 1);
    abort.abort();
    await expect(asked).rejects.toThrow();
    await turnUntil("it is closed", () => server.sockets[0]!.destroyed);
    expect(await readAll((await transport.get(list)).body)).toBe("nobody");
    expect(server.sockets).toHaveLength(2);
  });

  test("shows the client's certificate", async () => {
    const server = await loopback(whoAreYou, { tls: MUTUAL });
    const { transport } = transportTo(server.url, { ca: CA, ...FIRST });
    expect(await readAll((await transport.get(list)).body)).toBe("first client");
  });

  test("verifies the name that the kubeconfig gives instead of the address", async () => {
    const server = await loopback(whoAreYou, { tls: SERVER });
    await expect(
      transportTo(server.url, { ca: CA, servername: "localhost" }).transport.get(list),
    ).resolves.toMatchObject({ status: 200 });
    const error = await informerErrorOf(transportTo(server.url, { ca: CA, servername: "other" }).transport.get(list));
    expect(error).toMatchObject({ code: "tls", message: expect.stringContaining("other") });
  });

  test.each<[string, HttpsOptions, ServerOptions]>([
    ["an authority that nobody trusts", {}, SERVER],
    ["a client without the certificate that it needs", { ca: CA }, { ...MUTUAL, maxVersion: "TLSv1.2" }],
    ["certificates of the kubeconfig's that are none", { ca: CA, cert: "none", key: "none" }, SERVER],
    ["a key of the kubeconfig's that is of another certificate", { ca: CA, ...FIRST, key: SECOND.key }, SERVER],
  ])("N14 %s is of code tls, and nothing is sent", async (_, options, tls) => {
    const server = await loopback(whoAreYou, { tls });
    const { transport, clock } = transportTo(server.url, options);
    const error = await informerErrorOf(transport.get(list));
    expect(error.code).toBe("tls");
    expect(error.message).toContain(server.url);
    expect(server.requests).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a server that speaks no TLS is of code tls", async () => {
    const server = await loopback((_, response) => response.end());
    const { transport } = transportTo(server.url.replace("http:", "https:"), {});
    expect((await informerErrorOf(transport.get(list))).code).toBe("tls");
  });

  test("N6 a handshake that is never answered is of code timeout after 10 s", async () => {
    const silent = createServer((socket) => {
      socket.on("error", () => {}).resume();
    });
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const { transport, clock } = transportTo(`https://127.0.0.1:${port}`, { ca: CA });
    const connected = once(silent, "connection");
    const request = informerErrorOf(transport.get(list));
    const [socket] = await connected;
    const closed = once(socket, "close");
    await clock.advance(9_999);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect(await request).toMatchObject({ code: "timeout", message: expect.stringContaining("10000 ms") });
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });

  test("N6 so is that of a second connection, to a server that was reached before", async () => {
    const server = await loopback((_, response) => response.write("it is open"), { tls: SERVER });
    const upstream = new URL(server.url);
    let connections = 0;
    const relay = createServer((client) => {
      client.on("error", () => {});
      // The second is taken, and hears nothing.
      if (++connections > 1) return client.resume();
      return client.pipe(connect(Number(upstream.port), upstream.hostname)).pipe(client);
    }).listen(0, "127.0.0.1");
    await once(relay, "listening");
    onTestFinished(() => void relay.close());
    const { transport, clock } = transportTo(`https://127.0.0.1:${(relay.address() as AddressInfo).port}`, { ca: CA });
    const { body } = await transport.get(watch);
    const timers = clock.pendingTimers;
    const request = informerErrorOf(transport.get(list));
    await turnUntil("the second connects", () => connections === 2 && clock.pendingTimers > timers);
    await clock.advance(10_000);
    expect(await request).toMatchObject({ code: "timeout" });
    body.close();
  });

  test("skipped verification is what the kubeconfig asks for", async () => {
    const server = await loopback(whoAreYou, { tls: SERVER });
    const { transport } = transportTo(server.url, { rejectUnauthorized: false });
    expect((await transport.get(list)).status).toBe(200);
  });
});

describe("a certificate that is rotated", () => {
  test("is shown from the next connection on; what runs goes on", async () => {
    let running: ServerResponse | undefined;
    const server = await loopback(
      (request, response) => {
        if (request.url === "/") return whoAreYou(request, response);
        running = response;
        return response.write("before ");
      },
      { tls: MUTUAL },
    );
    const { transport, kubeConfig, clock } = transportTo(server.url, { ca: CA, ...FIRST });
    const { body } = await transport.get(watch);
    expect(await readAll((await transport.get(list)).body)).toBe("first client");
    kubeConfig.apply = (options) => void Object.assign(options, { ca: CA, ...SECOND });
    await clock.advance(60_000);
    expect(await readAll((await transport.get(list)).body)).toBe("second client");
    running?.end("after");
    expect(await readAll(body)).toBe("before after");
  });

  test("leaves no connection of the old one behind", async () => {
    const server = await loopback(whoAreYou, { tls: MUTUAL });
    const { transport, kubeConfig, clock } = transportTo(server.url, { ca: CA, ...FIRST });
    await readAll((await transport.get(list)).body);
    const closed = once(server.sockets[0]!, "close");
    kubeConfig.apply = (options) => void Object.assign(options, { ca: CA, ...SECOND });
    await clock.advance(60_000);
    await readAll((await transport.get(list)).body);
    await soon(closed);
    expect(server.sockets).toHaveLength(2);
  });

  test("that is the same as before keeps the connection", async () => {
    const server = await loopback(whoAreYou, { tls: MUTUAL });
    const { transport, kubeConfig, clock } = transportTo(server.url, { ca: CA, ...FIRST });
    await readAll((await transport.get(list)).body);
    kubeConfig.apply = (options) => void Object.assign(options, { ca: Buffer.from(CA), ...FIRST });
    await clock.advance(60_000);
    await readAll((await transport.get(list)).body);
    expect(server.sockets).toHaveLength(1);
  });
});
