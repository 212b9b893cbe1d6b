/** What a real server stores and tells of objects, and what informers make of it. */
import { SharedInformerFactory } from "kube-informers";
import { expect, test } from "vitest";
import { follow, RECOVERY } from "./support/follow.js";
import { client, kubeConfigPath, loadKubeConfig, temporaryNamespace } from "./support/harness.js";

const HOSTILE = "\u0000\u202e\u2028\u001b[31m</script><img src=x onerror=alert(1)>*/";

test("M1, M2, M3, M4, M6 names, keys, characters and markup that a real server takes are data", async () => {
  const namespace = await temporaryNamespace();
  const { api, subjects, start, expectWell } = await follow({ kubeConfigPath }, { namespace });
  const metadata = {
    name: "constructor",
    labels: { constructor: "a", toString: "b", valueOf: "c", hasOwnProperty: "d" },
    annotations: { hostile: HOSTILE },
  };
  // As text: a member of this name in an object literal would be its prototype.
  const data = JSON.parse('{"__proto__":"own","constructor":"c","hasOwnProperty":"h","then":"t","toJSON":"j"}');
  for (const { path, object } of subjects) await api.create(path, { ...object("constructor"), metadata, data });
  await start();
  await expectWell();
  for (const { informer } of subjects) {
    const cached = await Promise.resolve(informer.lister.namespace(namespace).get("constructor"));
    expect(cached).toMatchObject({ metadata: { labels: metadata.labels, annotations: metadata.annotations } });
    expect(JSON.stringify((cached as { data?: object }).data)).toContain('"__proto__":"own"');
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("S14 a namespace whose two thousand objects go at once: each is told of, once", async () => {
  const namespace = await temporaryNamespace();
  const { api, subjects, start, expectWell } = await follow({ kubeConfigPath }, { namespace });
  const [{ path, object, recorder, cached }] = subjects;
  await start();
  const names = Array.from({ length: 2_000 }, (_, index) => `object-${index}`);
  for (let at = 0; at < names.length; at += 50)
    await Promise.all(names.slice(at, at + 50).map((name) => api.create(path, object(name))));
  await expect.poll(() => cached().size, RECOVERY).toBeGreaterThanOrEqual(names.length);
  await api.delete(path);
  await expect.poll(() => cached().size, RECOVERY).toBe(0);
  await expectWell();
  const told = new Map<string, string>();
  for (const { type, key } of recorder.events) told.set(key, `${told.get(key) ?? ""} ${type}`);
  for (const name of names) expect(told.get(`${namespace}/${name}`)).toBe(" add delete");
});

test("S15 an object that leaves the selector is told as deleted, and as added when it returns", async () => {
  const namespace = await temporaryNamespace();
  await using factory = new SharedInformerFactory(loadKubeConfig(), {
    namespace,
    tweakListOptions: (options) => ({ ...options, labelSelector: "tier=front" }),
  });
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const tier = (name: string) => client.patch(`${path}/one`, { metadata: { labels: { tier: name } } });
  await client.create(path, { metadata: { name: "one", labels: { tier: "front" } } });
  const told: string[] = [];
  const informer = factory.core().v1().configMaps().informer();
  informer.addEventHandler(({ type, object }) => void told.push(`${type} ${object.metadata.labels?.["tier"]}`));
  factory.start();
  await factory.waitForCacheSync();
  await tier("back");
  await expect.poll(() => told.length, RECOVERY).toBe(2);
  await tier("front");
  // The server sends what is deleted as it was when it still matched.
  await expect.poll(() => told, RECOVERY).toEqual(["add front", "delete front", "add front"]);
});

test("H20 a warning of the server is told once", async () => {
  const namespace = await temporaryNamespace();
  const warnings: string[] = [];
  await using factory = new SharedInformerFactory(loadKubeConfig(), {
    namespace,
    reflector: { streaming: false },
    onWarning: ({ message }) => warnings.push(message),
  });
  const informer = factory.core().v1().endpoints().informer();
  factory.start();
  await factory.waitForCacheSync();
  // A list and a watch were both answered with it.
  await expect.poll(() => informer.health().phase, RECOVERY).toBe("watching");
  expect(warnings).toEqual([expect.stringContaining("v1 Endpoints is deprecated")]);
});
