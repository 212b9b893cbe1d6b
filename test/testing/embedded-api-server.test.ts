import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedApiServer } from "../../runtime/testing/index.js";
import { configMaps, getJson, sendJson } from "./support/client.js";

let server: EmbeddedApiServer;
beforeEach(async () => {
  server = await EmbeddedApiServer.start();
});
afterEach(() => server.close());

describe("reading and writing over HTTP", () => {
  it("creates, reads, lists and deletes", async () => {
    const path = "/api/v1/namespaces/default/configmaps";
    const created = await sendJson(server, "POST", path, { metadata: { name: "a" }, data: { k: "v" } });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: { name: "a", namespace: "default" },
    });
    expect((await getJson(server, `${path}/a`)).body).toEqual(created.body);
    const list = await getJson(server, path);
    expect(list.body).toMatchObject({ kind: "ConfigMapList", metadata: { resourceVersion: server.resourceVersion } });
    expect((await sendJson(server, "DELETE", `${path}/a`)).body).toMatchObject({ kind: "Status", status: "Success" });
    expect(server.list(configMaps)).toEqual([]);
  });
});
