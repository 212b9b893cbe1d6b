import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import { proxyFor } from "../../runtime/transport/proxy.js";
import { readAll } from "../support/bodies.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import { informerErrorOf } from "../support/thrown.js";

const pem = (name: string) => readFileSync(new URL(`fixtures/tls/${name}.pem`, import.meta.url));
const request = { path: "/", accept: "*/*", kind: "list", signal: new AbortController().signal } as const;

/** A proxy that tunnels, or refuses with a status, and what it was asked. */
async function proxy(refusal?: number) {
  const asked: { target: string | undefined; authorization: string | undefined }[] = [];
  const sockets: Socket[] = [];
  const server = http.createServer();
  server.on("connect", ({ url = "", headers }, client: Socket) => {
    asked.push({ target: url, authorization: headers["proxy-authorization"] });
    if (refusal !== undefined) return client.end(`HTTP/1.1 ${refusal} No\r\n\r\n`);
    const upstream = connect(Number(url.split(":")[1]), "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
    for (const socket of [client, upstream]) sockets.push(socket.on("error", () => {}));
    return client.pipe(upstream).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { asked, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A SOCKS5 proxy (RFC 1928) without a password, and where it was asked to connect to. */
async function socksProxy() {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer(async (client) => {
    sockets.push(client.on("error", () => {}));
    await once(client, "data");
    client.write(Buffer.from([5, 0]));
    const [connectTo] = (await once(client, "data")) as [Buffer];
    const port = connectTo.readUInt16BE(connectTo.length - 2);
    asked.push(`${connectTo.subarray(4, 8).join(".")}:${port}`);
    const upstream = connect(port, "127.0.0.1", () => {
      client.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
      client.pipe(upstream).pipe(client);
    });
    sockets.push(upstream.on("error", () => {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { asked, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function transportThrough(server: string, proxyUrl: string) {
  const apply = (options: object) => void Object.assign(options, { ca: pem("ca") });
  const transport = new HttpTransport(kubeConfigFor(server, apply, { proxyUrl }), new VirtualClock());
  onTestFinished(() => transport.close());
  return transport;
}

describe("a proxy of the kubeconfig's, before an https server", () => {
  test("is tunnelled through by lists and by watches, and told its own password alone", async () => {
    const server = await loopback((_, response) => response.end("x"), {
      tls: { cert: pem("server"), key: pem("server-key") },
    });
    const { asked, host } = await proxy();
    const transport = transportThrough(server.url, `http://jane:pass%40word@${host}`);
    for (const kind of ["list", "watch", "list"] as const) {
      expect(await readAll((await transport.get({ ...request, kind })).body)).toBe("x");
    }
    const authorization = `Basic ${Buffer.from("jane:pass@word").toString("base64")}`;
    expect(asked).toEqual(Array(2).fill({ target: server.url.replace("https://", ""), authorization }));
    expect(server.requests[0]?.headers["proxy-authorization"]).toBeUndefined();
  });

  test("is tunnelled through by HTTP/2 too: lists and watches share a connection", async () => {
    const server = http2.createSecureServer({ cert: pem("server"), key: pem("server-key") });
    const sockets: Socket[] = [];
    server.on("connection", (socket: Socket) => void sockets.push(socket.on("error", () => {})));
    server.on("session", (session) => void session.on("error", () => {}));
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200 });
      stream.end("x");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { asked, host } = await proxy();
    const transport = transportThrough(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, `http://${host}`);
    const kinds = ["list", "watch", "list"] as const;
    const bodies = await Promise.all(
      kinds.map(async (kind) => readAll((await transport.get({ ...request, kind })).body)),
    );
    expect([bodies, asked.length, sockets.length]).toEqual([["x", "x", "x"], 1, 1]);
  });

  test("of SOCKS is gone through by HTTP/1.1, with an agent of client-node's", async () => {
    const server = await loopback((_, response) => response.end("x"), {
      tls: { cert: pem("server"), key: pem("server-key") },
    });
    const { asked, host } = await socksProxy();
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      {
        name: "c",
        server: server.url,
        caData: pem("ca").toString("base64"),
        skipTLSVerify: false,
        proxyUrl: `socks5://${host}`,
      },
      { name: "u" },
    );
    const transport = new HttpTransport(kubeConfig, new VirtualClock());
    onTestFinished(() => transport.close());
    for (const kind of ["list", "watch"] as const)
      expect(await readAll((await transport.get({ ...request, kind })).body)).toBe("x");
    expect(new Set(asked)).toEqual(new Set([new URL(server.url).host]));
    expect(server.requests.map(({ httpVersion }) => httpVersion)).toEqual(["1.1", "1.1"]);
  });

  test("that refuses is an error with its address and without its password", async () => {
    const { host } = await proxy(407);
    const error = await informerErrorOf(
      transportThrough("https://127.0.0.1:1", `http://jane:canary@${host}`).get(request),
    );
    expect(error).toMatchObject({ code: "connection", message: expect.stringContaining(`http://${host}`) });
    expect(error.message).toContain("407");
    expect(error.message).not.toContain("canary");
  });
});

describe("which proxy", () => {
  const env = { HTTPS_PROXY: "http://proxy:3128" };
  const at = (server: string, more: object = {}, proxyUrl?: string) =>
    proxyFor(new URL(server), proxyUrl, { ...env, ...more })?.host;

  test.each<[string, string, object, string | undefined]>([
    ["that of the environment", "https://api.example.com", {}, "proxy:3128"],
    ["in lower case too", "https://api", { HTTPS_PROXY: "", https_proxy: "other:1" }, "other:1"],
    ["none for plain http", "http://api.example.com", {}, undefined],
    ["none for localhost", "https://localhost:6443", {}, undefined],
    ["none for a loopback address", "https://[::1]:6443", {}, undefined],
    ["none for the cluster around", "https://10.0.0.1", { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, undefined],
    ["none for a name that is exempt", "https://api.example.com", { NO_PROXY: "a, API.example.com" }, undefined],
    ["none for a name below one", "https://api.example.com", { NO_PROXY: "example.com" }, undefined],
    ["none below a dot", "https://api.example.com", { no_proxy: ".example.com" }, undefined],
    ["the name after a dot is not exempt", "https://example.com", { NO_PROXY: ".example.com" }, "proxy:3128"],
    ["names that only end alike are not", "https://notexample.com", { NO_PROXY: "example.com" }, "proxy:3128"],
    ["none in a range", "https://10.1.2.3", { NO_PROXY: "10.0.0.0/8" }, undefined],
    ["outside of a range", "https://11.1.2.3", { NO_PROXY: "10.0.0.0/8,nonsense/99" }, "proxy:3128"],
    ["none in a range of IPv6", "https://[fd00::1]", { NO_PROXY: "fd00::/8" }, undefined],
    ["none for a port", "https://api:6443", { NO_PROXY: "api:6443" }, undefined],
    ["another port", "https://api:443", { NO_PROXY: "api:6443" }, "proxy:3128"],
    ["none for all", "https://api", { NO_PROXY: "*" }, undefined],
  ])("%s", (_, server, more, host) => {
    expect(at(server, more)).toBe(host);
  });

  test("that of the kubeconfig comes before all exceptions", () => {
    expect(at("https://localhost", { NO_PROXY: "*" }, "http://corporate:8080")).toBe("corporate:8080");
    expect(at("https://api", {}, "socks5://corporate:1080")).toBeUndefined();
  });

  test("one that is no URL, or of another protocol, is refused", async () => {
    for (const proxyUrl of ["http://", "ftp://proxy"]) {
      const error = await informerErrorOf(() => proxyFor(new URL("https://api"), proxyUrl, {}));
      expect(error.code).toBe("usage");
    }
  });
});
