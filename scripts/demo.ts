// From a CustomResourceDefinition to typed informers that follow a changing API server, a cut connection included.
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { styleText } from "node:util";
import {
  DynamicSharedInformerFactory,
  type InformerError,
  type InformerFactory,
  type KubeConfigLike,
  SharedInformerFactory,
} from "kube-informers";
import { configMaps, pods } from "kube-informers/core/v1";
import { EmbeddedApiServer } from "kube-informers/testing";
import { parse } from "yaml";
import { cronTabOf, podOf } from "../examples/support/world.js";
import { flagsOf } from "./support/flags.js";

const USAGE = `usage: npm run demo -- [options]

  --seconds N     for how long: 10
  --context NAME  reads from the cluster of this context of the kubeconfig instead, and changes nothing`;
const flags = flagsOf(USAGE, { seconds: { type: "string", default: "10" }, context: { type: "string" } });
const totalMs = Number(flags.seconds) * 1000;
if (!(totalMs > 0)) {
  console.error(`--seconds takes a number above 0, not "${flags.seconds}"\n\n${USAGE}`);
  process.exit(2);
}

const startedMs = performance.now();
const abort = new AbortController();
let interrupted = false;
process.once("SIGINT", () => {
  interrupted = true;
  abort.abort();
});
const root = new URL("../", import.meta.url);
const generatedFolder = fileURLToPath(new URL(".tmp/demo/generated", root));
const crdFile = "examples/crontab.crd.yaml";

// ---- what is printed

type Colour = "green" | "yellow" | "red" | "cyan" | "bold" | "dim" | "magenta";
const paint = (colour: Colour, text: string): string => (process.stdout.isTTY ? styleText(colour, text) : text);
const seconds = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s`;
const COLOURS: Record<string, Colour> = { "+": "green", "~": "yellow", "-": "red", "!": "magenta", "=": "cyan" };

function say(source: string, mark: string, text: string): void {
  const colour = COLOURS[mark] ?? "dim";
  console.log(`${paint("dim", seconds())}  ${source.padEnd(9)} ${paint(colour, mark)} ${text}`);
}

function heading(text: string): void {
  console.log(`\n${paint("bold", text)}`);
}

function printHealth(factories: readonly InformerFactory[]): void {
  heading("Health");
  for (const { resource, phase, objects, resourceVersion, lastError, consecutiveFailures } of factories.flatMap(
    (factory) => factory.health(),
  )) {
    const failures = consecutiveFailures > 0 ? `, ${consecutiveFailures} failures in a row` : "";
    const last = lastError === undefined ? "" : `, last error: ${lastError.code}`;
    say(
      "health",
      "=",
      `${resource.padEnd(30)} ${phase}, ${objects} objects at resourceVersion ${resourceVersion}${failures}${last}`,
    );
  }
}

const onError = (error: InformerError): void => say("error", "!", `${error.code}: ${error.message}`);

// ---- the parts

/** Waits until a share of the demo's time has passed; false when it was interrupted meanwhile. */
async function until(share: number): Promise<boolean> {
  const leftMs = startedMs + totalMs * share - performance.now();
  if (leftMs > 0) await sleep(leftMs, undefined, { signal: abort.signal }).catch(() => undefined);
  return !abort.signal.aborted;
}

/** Runs the command that a user would type, and passes on what it prints. */
async function generate(): Promise<void> {
  const args = ["--import", "tsx", "generator/cli.ts", "generate", "--crd", crdFile, "--out", generatedFolder];
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(root), stdio: "inherit", signal: abort.signal });
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`the generator ended with exit code ${code}`)),
    );
  });
}

function followPods(factory: SharedInformerFactory): void {
  const informer = factory.core().v1().pods().informer();
  informer.addIndexers({ node: (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]) });
  informer.addEventHandler({
    onAdd: (pod, isInInitialList) =>
      say("pod", "+", `${pod.metadata.name}${isInInitialList ? "  (initial list)" : ""}`),
    onUpdate: (old, pod) => say("pod", "~", `${pod.metadata.name}  ${old.status?.phase} → ${pod.status?.phase}`),
    onDelete: (pod, unknown) =>
      say("pod", "-", `${pod.metadata.name}${unknown ? "  (a tombstone: it went while the connection was down)" : ""}`),
  });
}

function followDynamic(factory: DynamicSharedInformerFactory): void {
  // A function is given the event; it looks at keys alone, so no ConfigMap is ever decoded.
  const marks = { add: "+", update: "~", delete: "-" };
  factory
    .forResource(configMaps)
    .informer()
    .addEventHandler((event) => say("dynamic", marks[event.type], event.key));
}

async function followCluster(kubeConfig: KubeConfigLike): Promise<void> {
  heading(
    `Following pods (typed) and ConfigMaps (dynamic) of ${kubeConfig.getCurrentCluster()?.server}; nothing is changed`,
  );
  await using factory = new SharedInformerFactory(kubeConfig, { onError });
  await using dynamic = new DynamicSharedInformerFactory(kubeConfig, { onError });
  followPods(factory);
  followDynamic(dynamic);
  factory.start(abort.signal);
  dynamic.start(abort.signal);
  await Promise.all([factory.waitForCacheSync(abort.signal), dynamic.waitForCacheSync(abort.signal)]);
  say("sync", "=", "all caches hold their whole list");
  await until(1);
  printHealth([factory, dynamic]);
}

async function followOwnServer(): Promise<void> {
  await using server = await EmbeddedApiServer.start();
  heading("A CustomResourceDefinition in …");
  server.install(parse(readFileSync(new URL(crdFile, root), "utf8")) as object);
  say("server", "=", `an API server in this process at ${server.url}, with ${crdFile} installed`);
  rmSync(generatedFolder, { recursive: true, force: true });
  await generate();

  heading("… typed informers out");
  const generated = (await import(
    pathToFileURL(`${generatedFolder}/factory.ts`).href
  )) as typeof import("../examples/generated/factory.js");
  const { cronTabs: resource } = await import("../examples/generated/stable.example.com/v1/index.js");
  const place = { namespace: "default" };
  for (const name of ["web-0", "web-1"]) server.create(pods, podOf(name));
  server.create(configMaps, { metadata: { name: "settings", namespace: "default" }, data: { colour: "blue" } });
  server.create(resource, cronTabOf("nightly", 1));

  await using factory = new SharedInformerFactory(server.kubeConfig(), { onError });
  await using dynamic = new DynamicSharedInformerFactory(server.kubeConfig(), { onError });
  const cronTabs = new generated.SharedInformerFactory(factory).stableExampleCom().v1().cronTabs();
  cronTabs.informer().addEventHandler({
    onAdd: (cronTab, isInInitialList) =>
      say(
        "crontab",
        "+",
        `${cronTab.metadata.name}  ${cronTab.spec.cronSpec}${isInInitialList ? "  (initial list)" : ""}`,
      ),
    onUpdate: (old, cronTab) =>
      say("crontab", "~", `${cronTab.metadata.name}  ${old.spec.replicas} → ${cronTab.spec.replicas} replicas`),
    onDelete: (cronTab) => say("crontab", "-", cronTab.metadata.name),
  });
  followPods(factory);
  followDynamic(dynamic);
  factory.start(abort.signal);
  dynamic.start(abort.signal);
  await Promise.all([factory.waitForCacheSync(abort.signal), dynamic.waitForCacheSync(abort.signal)]);
  say("sync", "=", "all caches hold their whole list");

  heading("Objects come and change");
  const changes = [
    () => server.create(resource, cronTabOf("hourly", 2)),
    () => server.patch(pods, "web-0", { status: { phase: "Running" } }, { ...place, subresource: "status" }),
    () => server.patch(resource, "hourly", { spec: { replicas: 5 } }, place),
    () => server.create(pods, podOf("db-0", "default", "worker-2")),
    () => server.patch(configMaps, "settings", { data: { colour: "green" } }, place),
  ];
  for (const [i, change] of changes.entries()) {
    if (!(await until(0.3 + i * 0.05))) return;
    change();
  }

  if (!(await until(0.54))) return;
  heading("Look-ups, from memory");
  const lister = factory.core().v1().pods().lister();
  say("lister", "=", `default/web-0 is ${lister.namespace("default").get("web-0")?.status?.phase}`);
  say(
    "lister",
    "=",
    `app=web selects ${lister
      .list("app=web")
      .map((pod) => pod.metadata.name)
      .join(", ")}`,
  );
  const { indexer } = factory.core().v1().pods().informer();
  for (const node of indexer.listIndexValues("node"))
    say("index", "=", `${node} runs ${indexer.indexKeys("node", node).join(", ")}`);
  say("lister", "=", `hourly wants ${cronTabs.lister().namespace("default").get("hourly")?.spec?.replicas} replicas`);

  if (!(await until(0.59))) return;
  heading("The connection breaks; a pod goes meanwhile, and the server forgets its history");
  await server.stopListening();
  server.delete(pods, "web-1", place);
  server.create(pods, podOf("web-2"));
  server.compact();
  if (!(await until(0.63))) return;
  for (const { resource, phase, synced } of factory.health())
    say("health", "=", `${resource} ${phase}${synced ? ", and its cache still answers" : ""}`);
  await server.listen();
  say("server", "=", "listens again");

  if (!(await until(0.94))) return;
  heading("And objects go");
  server.delete(resource, "nightly", place);
  server.delete(pods, "web-2", place);
  if (!(await until(0.98))) return;
  printHealth([factory, dynamic]);
  await until(1);
}

try {
  if (flags.context === undefined) {
    await followOwnServer();
  } else {
    const { KubeConfig } = await import("@kubernetes/client-node");
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromDefault();
    kubeConfig.setCurrentContext(flags.context);
    await followCluster(kubeConfig);
  }
  console.log(paint("dim", interrupted ? "\nInterrupted; everything has stopped." : "\nDone; everything has stopped."));
} catch (error) {
  // An interruption shows as whatever was under way failing; only then is that no failure.
  if (!interrupted) throw error;
  console.log(paint("dim", "\nInterrupted; everything has stopped."));
} finally {
  rmSync(generatedFolder, { recursive: true, force: true });
}
if (interrupted) process.exitCode = 130;
