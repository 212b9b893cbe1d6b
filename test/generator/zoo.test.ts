// Definitions as their projects publish them, where a copy lies beside the repository.
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { compile, generate, projectRoot, readTree, temporaryFolder } from "./support/project.js";

const zoo = join(projectRoot, "../shared/crds");
const files = existsSync(zoo)
  ? readdirSync(zoo, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".yaml"))
      .sort()
  : [];

/** Objects as their projects' documentation has them, and each once more with one mistake. */
const examples = `
import type { Certificate, CertificateRequest } from "./generated/cert-manager.io/v1/index.js";
import type { CertificateRequest as OldRequest } from "./generated/cert-manager.io/v1alpha2/index.js";
import type { Composition } from "./generated/apiextensions.crossplane.io/v1/index.js";
import type { EnvironmentConfig } from "./generated/apiextensions.crossplane.io/v1beta1/index.js";
import type { BackendTLSPolicy, GatewayClass, HTTPRoute } from "./generated/gateway.networking.k8s.io/v1/index.js";
import type { GatewayClass as GatewayClassBeta, HTTPRoute as HTTPRouteBeta } from "./generated/gateway.networking.k8s.io/v1beta1/index.js";
import type { NodePool } from "./generated/karpenter.sh/v1/index.js";
import type { Function } from "./generated/pkg.crossplane.io/v1/index.js";
import type { Function as FunctionBeta } from "./generated/pkg.crossplane.io/v1beta1/index.js";
import type { Bucket, GitRepository } from "./generated/source.toolkit.fluxcd.io/v1/index.js";

export const certificate: Certificate = {
  apiVersion: "cert-manager.io/v1",
  kind: "Certificate",
  metadata: { name: "example-com", namespace: "default" },
  spec: {
    secretName: "example-com-tls",
    secretTemplate: { annotations: { "my-secret-annotation-1": "foo" }, labels: { "my-secret-label": "foo" } },
    privateKey: { algorithm: "RSA", encoding: "PKCS1", size: 2048 },
    duration: "2160h",
    renewBefore: "360h",
    isCA: false,
    usages: ["server auth", "client auth"],
    subject: { organizations: ["cert-manager"] },
    dnsNames: ["example.com", "www.example.com"],
    issuerRef: { name: "ca-issuer", kind: "Issuer" },
  },
};
// @ts-expect-error: no such algorithm.
export const wrongCertificate: Certificate = { spec: { secretName: "a", issuerRef: { name: "b" }, privateKey: { algorithm: "DSA" } } };

export const request: CertificateRequest = {
  apiVersion: "cert-manager.io/v1",
  kind: "CertificateRequest",
  metadata: { name: "my-ca-cr" },
  spec: { request: "LS0tLS1CRUdJTg==", isCA: false, usages: ["signing", "digital signature", "server auth"], duration: "2160h", issuerRef: { name: "ca-issuer", kind: "Issuer", group: "cert-manager.io" } },
};
// @ts-expect-error: an issuer is needed.
export const wrongRequest: CertificateRequest = { spec: { request: "LS0tLS1CRUdJTg==" } };

export const oldRequest: OldRequest = {
  apiVersion: "cert-manager.io/v1alpha2",
  kind: "CertificateRequest",
  metadata: { name: "my-ca-cr" },
  spec: { csr: "LS0tLS1CRUdJTg==", isCA: false, duration: "90d", issuerRef: { name: "ca-issuer", kind: "Issuer" } },
};
// @ts-expect-error: in the old version the request is called csr.
export const wrongOldRequest: OldRequest = { spec: { request: "LS0tLS1CRUdJTg==", csr: "", issuerRef: { name: "a" } } };

export const composition: Composition = {
  apiVersion: "apiextensions.crossplane.io/v1",
  kind: "Composition",
  metadata: { name: "example" },
  spec: {
    compositeTypeRef: { apiVersion: "custom-api.example.org/v1alpha1", kind: "AcmeBucket" },
    mode: "Pipeline",
    pipeline: [{ step: "patch-and-transform", functionRef: { name: "function-patch-and-transform" }, input: { apiVersion: "pt.fn.crossplane.io/v1beta1", kind: "Resources", resources: [] } }],
  },
};
// @ts-expect-error: the type of what is composed has a kind.
export const wrongComposition: Composition = { spec: { compositeTypeRef: { apiVersion: "a/v1" } } };

export const environment: EnvironmentConfig = { apiVersion: "apiextensions.crossplane.io/v1beta1", kind: "EnvironmentConfig", metadata: { name: "example" }, data: { locations: { us: "us-east-2" }, key: "value" } };
// @ts-expect-error: data is a map.
export const wrongEnvironment: EnvironmentConfig = { data: "x" };

export const function_: Function = { apiVersion: "pkg.crossplane.io/v1", kind: "Function", metadata: { name: "function-patch-and-transform" }, spec: { package: "xpkg.crossplane.io/crossplane-contrib/function-patch-and-transform:v0.8.2", packagePullPolicy: "IfNotPresent" } };
export const functionBeta: FunctionBeta = { ...function_, apiVersion: "pkg.crossplane.io/v1beta1", spec: { package: "a", packagePullPolicy: "Always", runtimeConfigRef: { name: "default" } } };
// @ts-expect-error: the version is another.
export const wrongFunctionBeta: FunctionBeta = { apiVersion: "pkg.crossplane.io/v1" };
// @ts-expect-error: a limit of revisions is a number.
export const wrongFunction: Function = { spec: { package: "a", revisionHistoryLimit: "1" } };

export const policy: BackendTLSPolicy = {
  metadata: { name: "tls-upstream-auth" },
  spec: { targetRefs: [{ kind: "Service", name: "auth", group: "", sectionName: "https" }], validation: { caCertificateRefs: [{ kind: "ConfigMap", name: "auth-cert", group: "" }], hostname: "auth.example.com" } },
};
// @ts-expect-error: no such well known certificates need a host's name.
export const wrongPolicy: BackendTLSPolicy = { spec: { targetRefs: [{ kind: "Service", name: "auth", group: "" }], validation: { wellKnownCACertificates: "System" } } };

export const gatewayClass: GatewayClass = { metadata: { name: "cluster-gateway" }, spec: { controllerName: "example.net/gateway-controller" } };
export const gatewayClassBeta: GatewayClassBeta = { ...gatewayClass, apiVersion: "gateway.networking.k8s.io/v1beta1" };
// @ts-expect-error: the version is another.
export const wrongGatewayClass: GatewayClass = { apiVersion: "gateway.networking.k8s.io/v1beta1", spec: { controllerName: "a/b" } };

const route = {
  metadata: { name: "http-app-1" },
  spec: {
    parentRefs: [{ name: "my-gateway" }],
    hostnames: ["foo.com"],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/bar" }, headers: [{ type: "Exact", name: "magic", value: "foo" }], method: "GET" }],
        filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { add: [{ name: "my-header", value: "foo" }] } }],
        backendRefs: [{ name: "my-service1", port: 8080, weight: 90 }, { name: "my-service2", port: 8080, weight: 10 }],
      },
    ],
  },
} satisfies HTTPRoute;
export const routes: [HTTPRoute, HTTPRouteBeta] = [route, route];
// @ts-expect-error: no such match of paths.
export const wrongRoute: HTTPRoute = { spec: { rules: [{ matches: [{ path: { type: "Prefix", value: "/" } }] }] } };

export const nodePool: NodePool = {
  apiVersion: "karpenter.sh/v1",
  kind: "NodePool",
  metadata: { name: "default" },
  spec: {
    template: {
      metadata: { labels: { "billing-team": "my-team" } },
      spec: {
        nodeClassRef: { group: "karpenter.k8s.aws", kind: "EC2NodeClass", name: "default" },
        taints: [{ key: "example.com/special-taint", effect: "NoSchedule" }],
        expireAfter: "720h",
        requirements: [{ key: "karpenter.k8s.aws/instance-category", operator: "In", values: ["c", "m", "r"], minValues: 2 }],
      },
    },
    disruption: { consolidationPolicy: "WhenEmptyOrUnderutilized", consolidateAfter: "1m", budgets: [{ nodes: "10%" }, { schedule: "0 9 * * mon-fri", duration: "8h", nodes: "0" }] },
    limits: { cpu: "1000", memory: "1000Gi", "nvidia.com/gpu": 2 },
    weight: 10,
  },
};
// As kubectl prints an object that was never stored, and many a manifest has it since.
export const printed: NodePool = { ...nodePool, metadata: { name: "default", creationTimestamp: null } };
// @ts-expect-error: no such policy.
export const wrongNodePool: NodePool["spec"]["disruption"] = { consolidateAfter: "1m", consolidationPolicy: "Always" };

export const bucket: Bucket = { metadata: { name: "minio-bucket" }, spec: { interval: "5m0s", endpoint: "minio.example.com", insecure: true, secretRef: { name: "minio-bucket-secret" }, bucketName: "example", provider: "generic" } };
// @ts-expect-error: no such provider.
export const wrongBucket: Bucket = { spec: { interval: "5m", endpoint: "a", bucketName: "b", provider: "minio" } };

export const repository: GitRepository = { metadata: { name: "podinfo" }, spec: { interval: "5m0s", url: "https://github.com/stefanprodan/podinfo", ref: { branch: "master" }, verify: { mode: "HEAD", secretRef: { name: "pgp-public-keys" } } } };
// @ts-expect-error: an address is needed.
export const wrongRepository: GitRepository = { spec: { interval: "5m" } };
`;

describe.skipIf(files.length === 0)("definitions of other projects", () => {
  it.each(files)("%s, alone", async (file) => {
    const folder = temporaryFolder();
    expect(await generate("--crd", join(zoo, file), "--out", join(folder, "generated"))).toMatchObject({ code: 0 });
    expect(compile(folder)).toEqual([]);
  });

  it("all together compile in a strict project, and are used", async () => {
    const folder = temporaryFolder();
    const { code, out } = await generate("--crd", zoo, "--out", join(folder, "generated"));
    expect(code).toBe(0);
    expect(out).toContain("6 groups, 15 resources");
    const consumer = `
import { SharedInformerFactory } from "./generated/factory.js";
import type { Function } from "./generated/pkg.crossplane.io/v1/index.js";
declare const source: ConstructorParameters<typeof SharedInformerFactory>[0];
const factory = new SharedInformerFactory(source);
export const issuer: string | undefined = factory.certManagerIo().v1().certificates().lister().namespace("a").get("b")?.spec?.issuerRef.name;
export const mode: "head" | "HEAD" | "Tag" | "TagAndHEAD" | undefined = factory.sourceToolkitFluxcdIo().v1().gitRepositories().lister().namespace("a").get("b")?.spec?.verify?.mode;
export const pool = factory.karpenterSh().v1().nodePools().lister().get("default");
export const made: Function = { spec: { package: "x" } };
export const born: string | undefined = pool?.metadata.creationTimestamp;
`;
    expect(compile(folder, consumer)).toEqual([]);
    expect(compile(folder, examples)).toEqual([]);
    for (const [path, text] of Object.entries(readTree(join(folder, "generated")))) {
      expect(relative(folder, path)).not.toContain(" ");
      expect(text).not.toContain(projectRoot);
    }
  });
});
