import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { HttpBody } from "../../runtime/transport/http-body.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import type { ResponseBody } from "../../runtime/transport/transport.js";
import { gzipped, readAll } from "../support/bodies.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { type Loopback, loopback } from "../support/loopback.js";
import { soon } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

/** The body of what a server answers. */
async function bodyOf(
  answer: (response: ServerResponse) => void,
  signal = new AbortController().signal,
): Promise<{ body: ResponseBody; server: Loopback; again: () => Promise<ResponseBody> }> {
  const server = await loopback((_, response) => answer(response));
  const transport = new HttpTransport(kubeConfigFor(server.url), new VirtualClock());
  const get = async () => (await transport.get({ path: "/", accept: "*/*", kind: "list", signal })).body;
  return { body: await get(), server, again: get };
}

const zippedHeaders = { "content-encoding": "gzip" };

describe("reading a body", () => {
  test("chunk by chunk, as they come", async () => {
    let response!: ServerResponse;
    const { body } = await bodyOf((given) => {
      response = given;
      response.write("one");
    });
    expect((await body.read())?.toString()).toBe("one");
    const second = body.read();
    response.write("two");
    expect((await second)?.toString()).toBe("two");
    response.end();
    expect(await body.read()).toBeUndefined();
    expect(await body.read()).toBeUndefined();
  });

  test("what was read is given back when more is asked for, from Node 22 on", async () => {
    const { body } = await bodyOf((response) => response.end("one"));
    const one = await body.read();
    expect(String(one)).toBe("one");
    expect(await body.read()).toBeUndefined();
    expect(one).toHaveLength("transfer" in ArrayBuffer.prototype ? 0 : 3);
  });

  test("a large one comes whole, however late it is read", async () => {
    const text = "0123456789abcdef".repeat(256 * 1024);
    const { body } = await bodyOf((response) => response.end(text));
    await new Promise((resolve) => setImmediate(resolve));
    expect((await readAll(body)) === text).toBe(true);
  });

  test("nobody reading holds the server back, and it goes on for who reads then", async () => {
    const chunk = Buffer.alloc(1024 * 1024);
    let response!: ServerResponse;
    const { body } = await bodyOf((given) => {
      response = given;
      // More than all buffers between the two can hold.
      for (let i = 0; i < 64; i++) response.write(chunk);
    });
    let drained = false;
    response.once("drain", () => {
      drained = true;
    });
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    expect(response.writableLength).toBeGreaterThan(16 * chunk.length);
    response.end();
    let bytes = 0;
    for (let part = await body.read(); part !== undefined; part = await soon(body.read())) bytes += part.length;
    expect(bytes).toBe(64 * chunk.length);
  });

  test("P22 one that the server ends by closing the connection", async () => {
    const { body } = await bodyOf((response) => {
      response.useChunkedEncodingByDefault = false;
      response.removeHeader("content-length");
      response.shouldKeepAlive = false;
      response.write("all of it");
      response.end();
    });
    expect(await readAll(body)).toBe("all of it");
  });
});

test("P22 one in chunks with a trailer, and a watch whose length was announced, are taken", async () => {
  const { body } = await bodyOf((response) => {
    response.writeHead(200, { trailer: "x-checksum" });
    response.write("all ");
    response.addTrailers({ "x-checksum": "1" });
    response.end("of it");
  });
  expect(await readAll(body)).toBe("all of it");
  const announced = await bodyOf((response) => response.writeHead(200, { "content-length": "9" }).end("all of it"));
  expect(await readAll(announced.body)).toBe("all of it");
});

describe("a body that breaks off", () => {
  test.each(["resetAndDestroy", "destroy"] as const)("by the server's %s is of code connection", async (close) => {
    const { body } = await bodyOf((response) => response.write("half", () => response.socket?.[close]()));
    const error = await informerErrorOf(readAll(body));
    expect(error.code).toBe("connection");
    expect(error.message).toContain("the connection broke");
    expect((await informerErrorOf(body.read())).code).toBe("connection");
  });

  test("P22 before its announced length is of code connection", async () => {
    const { body } = await bodyOf((response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.socket?.end());
    });
    expect((await informerErrorOf(readAll(body))).code).toBe("connection");
  });

  test("while zipped is of code connection", async () => {
    const { body } = await bodyOf((response) => {
      response.writeHead(200, zippedHeaders);
      response.write(gzipped("x".repeat(1000)).subarray(0, 20), () => response.socket?.resetAndDestroy());
    });
    expect((await informerErrorOf(readAll(body))).code).toBe("connection");
  });
});

describe("a zipped body", () => {
  test("P23 is unzipped, and its connection used again", async () => {
    const text = '{"items":[]}'.repeat(10_000);
    const { body, again, server } = await bodyOf((response) =>
      response.writeHead(200, zippedHeaders).end(gzipped(text)),
    );
    expect(await readAll(body)).toBe(text);
    body.close();
    expect(await readAll(await again())).toBe(text);
    expect(server.sockets).toHaveLength(1);
  });

  test.each([
    ["is not", Buffer.from("plain text")],
    ["ends in the middle", gzipped("x".repeat(1000)).subarray(0, 20)],
    ["is damaged at its end", Buffer.concat([gzipped("x".repeat(1000)).subarray(0, -8), Buffer.alloc(8)])],
  ])("P23 that %s is of code decode", async (_, bytes) => {
    const { body } = await bodyOf((response) => response.writeHead(200, zippedHeaders).end(bytes));
    expect((await informerErrorOf(readAll(body))).code).toBe("decode");
  });
});

describe("closing before the end", () => {
  test.each([
    ["plain", {}, Buffer.from("x")],
    ["zipped", zippedHeaders, gzipped("x".repeat(1000)).subarray(0, 20)],
  ])("closes the connection of a %s body, and ends whoever reads", async (_, headers, bytes) => {
    const { body, server } = await bodyOf((response) => response.writeHead(200, headers).write(bytes));
    const closed = once(server.sockets[0]!, "close");
    const reading = (async () => {
      while ((await body.read()) !== undefined);
    })();
    body.close();
    await Promise.all([closed, reading]);
    expect(await body.read()).toBeUndefined();
  });

  test("by its signal destroys the response at once", () => {
    const abort = new AbortController();
    const response = new PassThrough();
    new HttpBody(response, undefined, abort.signal);
    abort.abort();
    expect(response.destroyed).toBe(true);
  });

  test("by its signal closes the connection, and fails whoever reads", async () => {
    const abort = new AbortController();
    const { body, server } = await bodyOf((response) => void response.write("x"), abort.signal);
    const closed = once(server.sockets[0]!, "close");
    const reading = informerErrorOf(readAll(body));
    abort.abort(new Error("called off"));
    expect((await reading).message).toContain("called off");
    await closed;
  });

  test("after the end keeps the connection", async () => {
    const { body, again, server } = await bodyOf((response) => response.end("x"));
    await readAll(body);
    body.close();
    await readAll(await again());
    expect(server.sockets).toHaveLength(1);
  });
});
