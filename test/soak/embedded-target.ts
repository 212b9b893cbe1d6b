/** The embedded API server as a soak's target. */
import { EmbeddedApiServer, type Interception } from "../../runtime/testing/index.js";
import { DEFINITION, NAMESPACES, type SoakResource } from "./protocol.js";
import { type Fault, NETWORK_FAULTS, type Target } from "./target.js";

const NAMESPACE = { group: "", version: "v1", resource: "namespaces" };
const DEFINITIONS = { group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions" };

const status = (code: number, reason: string) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
});

export async function embeddedTarget(): Promise<Target> {
  const server = await EmbeddedApiServer.start({ token: "token-0", requestLogLimit: 1, bookmarkIntervalMs: 10_000 });
  for (const name of NAMESPACES) server.create(NAMESPACE, { metadata: { name } });
  server.install(DEFINITION);
  return {
    name: "embedded API server",
    server: new URL(server.url),
    ca: undefined,
    token: server.token,
    faults: [...NETWORK_FAULTS, ...serverFaults(server)],
    create: async ({ resource }: SoakResource, object) => void server.create(resource, object),
    update: async ({ resource }, key, object) => {
      const [namespace = "", name = ""] = key.split("/");
      server.patch(resource, name, object, { namespace });
    },
    delete: async ({ resource }, key) => {
      const [namespace = "", name = ""] = key.split("/");
      server.delete(resource, name, { namespace });
    },
    list: async ({ resource }) => server.list(resource),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** All watches end, and for a time each request is answered like this. */
function answering(server: EmbeddedApiServer, ms: number, answer: (isWatch: boolean) => Interception | undefined) {
  return async ({ pause }: { pause(ms: number): Promise<void> }) => {
    const stop = server.intercept(({ query }) => answer(query.get("watch") === "true"));
    server.closeWatches();
    await pause(ms);
    stop();
  };
}

function serverFaults(server: EmbeddedApiServer): Fault[] {
  let tokens = 0;
  return [
    {
      name: "restart",
      run: async ({ pause }) => {
        await server.stopListening("reset");
        await pause(2_000);
        await server.listen();
      },
    },
    {
      name: "drain",
      run: async ({ pause }) => {
        await server.stopListening("keep");
        await pause(2_000);
        server.closeWatches();
        await server.listen();
      },
    },
    {
      name: "compaction",
      run: async ({ relay, pause }) => {
        relay.set("refuse");
        relay.reset();
        await pause(1_500);
        server.compact();
        relay.set("pass");
      },
    },
    {
      name: "429",
      run: answering(server, 3_000, () => ({
        status: 429,
        headers: { "Retry-After": "1" },
        body: status(429, "TooManyRequests"),
      })),
    },
    { name: "503", run: answering(server, 3_000, () => ({ status: 503, body: "<html>no backend</html>" })) },
    {
      name: "error in the stream",
      run: answering(server, 2_000, (isWatch) =>
        isWatch
          ? { status: 200, body: `${JSON.stringify({ type: "ERROR", object: status(500, "InternalError") })}\n` }
          : undefined,
      ),
    },
    {
      name: "event and close",
      run: async ({ pause }) => {
        for (let times = 0; times < 20; times++) {
          server.closeWatches();
          await pause(200);
        }
      },
    },
    {
      name: "definition re-created",
      run: async ({ withdraw, resume, pause }) => {
        await withdraw("custom");
        server.delete(DEFINITIONS, DEFINITION.metadata.name);
        await pause(2_000);
        server.install(DEFINITION);
        resume("custom");
      },
    },
    {
      name: "token rotated",
      run: async ({ rotateToken }) => {
        const token = `token-${++tokens}`;
        server.token = token;
        rotateToken(token);
        server.closeWatches();
      },
    },
    {
      name: "restored from a backup",
      run: async ({ mark, pause }) => {
        const rewind = await mark();
        const backup = server.backup();
        await pause(2_000);
        await rewind();
        server.restore(backup);
        // Until it has been noticed: once the server has grown past what was seen before, resourceVersions tell nothing.
        await pause(12_000);
      },
    },
  ];
}
