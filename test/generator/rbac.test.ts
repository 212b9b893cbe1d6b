import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { run } from "../../generator/cli.js";

/** A module beside this one, so that it finds the runtime. */
function moduleOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "kube-informers-rbac-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "informers.ts");
  const runtime = JSON.stringify(new URL("../../index.ts", import.meta.url).href);
  writeFileSync(path, `import { InformerFactory, SharedInformerFactory } from ${runtime};\n${KUBE_CONFIG}${text}`);
  return path;
}

const KUBE_CONFIG = `const kubeConfig = {
  getCurrentCluster: () => ({ server: "https://127.0.0.1:1" }),
  applyToHTTPSOptions: async () => {},
};
`;

async function rbac(...args: string[]) {
  let [out, err] = ["", ""];
  const code = await run(["rbac", ...args], {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    columns: 0,
  });
  return { code, out, err };
}

describe("kube-informers rbac", () => {
  test("prints what the informers of an exported factory need, and starts none of them", async () => {
    const module = moduleOf(`
      export const factory = new SharedInformerFactory(kubeConfig, { namespace: "shop" });
      factory.core().v1().pods().informer();
      factory.core().v1().nodes().informer();
      factory.apps().v1().deployments().informer();
      export default factory;`);
    const { code, out } = await rbac(module, "--name", "reader");
    expect(code).toBe(0);
    expect(out).toBe(`---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: reader
rules:
  - apiGroups:
      - ""
    resources:
      - nodes
    verbs:
      - list
      - watch
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: reader
  namespace: shop
rules:
  - apiGroups:
      - ""
    resources:
      - pods
    verbs:
      - list
      - watch
  - apiGroups:
      - apps
    resources:
      - deployments
    verbs:
      - list
      - watch
`);
  });

  test("names the roles of several factories after what they are exported as", async () => {
    const factory = (resource: string) =>
      `new InformerFactory(kubeConfig); ${resource}.forResource({ group: "", version: "v1", resource: "${resource}" }).informer();`;
    const module = moduleOf(`export const pods = ${factory("pods")}\nexport const nodes = ${factory("nodes")}`);
    const { out } = await rbac(module);
    expect(out.match(/name: .*/g)).toEqual(["name: kube-informers-nodes", "name: kube-informers-pods"]);
  });

  test.each([
    ["no factory", "export const one = 1;", "exports no factory"],
    ["a factory without informers", "export const factory = new InformerFactory(kubeConfig);", "no informer"],
    ["what cannot be run", 'throw new Error("not today");', "cannot be run: Error: not today"],
  ])("%s is a mistake that is told of", async (_, text, message) => {
    const { code, out, err } = await rbac(moduleOf(text));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  test("so is a module that is not there", async () => {
    expect(await rbac("/nowhere/informers.js")).toMatchObject({ code: 2, err: expect.stringContaining("no file") });
  });
});
