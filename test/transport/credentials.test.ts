import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { CredentialSource, type HttpsOptions } from "../../runtime/transport/credentials.js";
import type { Impersonation } from "../../runtime/transport/impersonation.js";
import { deferred } from "../../runtime/util/abort.js";
import { type FakeKubeConfig, kubeConfigFor } from "../support/kube-config.js";
import { informerErrorOf } from "../support/thrown.js";

/** Made by fixtures/tls/make.sh. */
const pem = (name: string) => readFileSync(new URL(`fixtures/tls/${name}.pem`, import.meta.url));
const SERVER = "https://server:6443";

function source(apply?: FakeKubeConfig["apply"], server = SERVER, cluster = {}) {
  const clock = new VirtualClock();
  const kubeConfig = kubeConfigFor(server, apply, cluster);
  return { clock, kubeConfig, credentials: new CredentialSource(kubeConfig, clock) };
}

const withToken = (token: string) => (options: HttpsOptions) => {
  options.headers = { Authorization: `Bearer ${token}` };
};

describe("asking the kubeconfig", () => {
  test("everybody who asks at one time shares one answer", async () => {
    const answer = deferred();
    const { credentials, kubeConfig } = source(() => answer.promise);
    const asking = Array.from({ length: 61 }, () => credentials.get());
    answer.resolve();
    expect(new Set(await Promise.all(asking)).size).toBe(1);
    expect(kubeConfig.asked).toBe(1);
  });

  test("an answer is good for 60 s of monotonic time, and then asked for anew", async () => {
    const { credentials, kubeConfig, clock } = source(withToken("first"));
    await credentials.get();
    clock.jumpWallClock(86_400_000);
    await clock.advance(59_999);
    kubeConfig.apply = withToken("second");
    expect((await credentials.get()).headers).toEqual({ authorization: "Bearer first" });
    await clock.advance(1);
    expect((await credentials.get()).headers).toEqual({ authorization: "Bearer second" });
    expect(kubeConfig.asked).toBe(2);
  });

  test("a failure is of code credential, told to all who wait, and not kept", async () => {
    const { credentials, kubeConfig } = source(() => Promise.reject(new Error("exec: no such plugin")));
    const errors = await Promise.all([credentials.get(), credentials.get()].map((asking) => informerErrorOf(asking)));
    for (const error of errors) expect(error.code).toBe("credential");
    expect(errors[0]?.message).toContain("https://server:6443: exec: no such plugin");
    expect(kubeConfig.asked).toBe(1);
    kubeConfig.apply = withToken("works");
    expect((await credentials.get()).headers).toEqual({ authorization: "Bearer works" });
  });
});

describe("credentials that the server refused", () => {
  test("are replaced by others, for all who come with the old ones, late or not", async () => {
    const { credentials, kubeConfig } = source(withToken("first"));
    const old = await credentials.get();
    kubeConfig.apply = withToken("second");
    const renewed = await Promise.all([credentials.renew(old), credentials.renew(old)]);
    expect(renewed[0]?.headers).toEqual({ authorization: "Bearer second" });
    expect(renewed[1]).toBe(renewed[0]);
    expect(await credentials.renew(old)).toBe(renewed[0]);
    expect(await credentials.get()).toBe(renewed[0]);
    expect(kubeConfig.asked).toBe(2);
  });

  test("stay what they are when the kubeconfig has no others", async () => {
    const { credentials } = source(withToken("first"));
    expect(await credentials.renew(await credentials.get())).toBeUndefined();
    expect((await credentials.get()).headers).toEqual({ authorization: "Bearer first" });
  });
});

describe("headers", () => {
  const headersOf = async (options: HttpsOptions) =>
    (await source((given) => void Object.assign(given, options)).credentials.get()).headers;

  test("white space around a value goes, as the newline at the end of a token file", async () => {
    expect(await headersOf({ headers: { Authorization: "Bearer abc\r\n" } })).toEqual({ authorization: "Bearer abc" });
  });

  test("names are lower case; what is undefined is left out; numbers and lists are text", async () => {
    const headers = { "Impersonate-User": "jane", "X-Number": 5, "X-List": ["a", "b"], "X-None": undefined };
    expect(await headersOf({ headers })).toEqual({ "impersonate-user": "jane", "x-number": "5", "x-list": "a,b" });
  });

  test.each(["a\r\nX-Injected: yes", "a\nb", "a\u0000b", "jané", "a\u007f"])(
    "a value %j is refused, and not repeated",
    async (value) => {
      const error = await informerErrorOf(headersOf({ headers: { "Impersonate-User": value } }));
      expect(error.code).toBe("credential");
      expect(error.message).toContain("Impersonate-User");
      expect(error.message).not.toContain(value);
    },
  );

  test("user and password become basic authentication, unless there is another", async () => {
    const basic = `Basic ${Buffer.from("jane:pässword").toString("base64")}`;
    expect(await headersOf({ auth: "jane:pässword" })).toEqual({ authorization: basic });
    expect(await headersOf({ auth: "jane:x", headers: { Authorization: "Bearer t" } })).toEqual({
      authorization: "Bearer t",
    });
    expect(await headersOf({ auth: null })).toEqual({});
  });
});

describe("impersonation", () => {
  const headersOf = async (impersonate: Impersonation) => {
    const kubeConfig = kubeConfigFor(SERVER, withToken("t"));
    return (await new CredentialSource(kubeConfig, new VirtualClock(), impersonate).get()).headers;
  };

  test("sends user, uid, each group and each value of an extra as a header", async () => {
    const extra = { scopes: ["view", "edit"], "example.com/Team (x)": ["a"] };
    expect(await headersOf({ user: "jane", uid: "7", groups: ["dev", "ops"], extra })).toEqual({
      authorization: "Bearer t",
      "impersonate-user": "jane",
      "impersonate-uid": "7",
      "impersonate-group": ["dev", "ops"],
      "impersonate-extra-scopes": ["view", "edit"],
      "impersonate-extra-example.com%2fteam%20%28x%29": ["a"],
    });
  });

  test.each<Impersonation>([
    { user: "" },
    { user: "a\r\nX-Injected: yes" },
    { user: "a", groups: ["b\n"] },
    { user: "a", uid: "\u0000" },
    { user: "a", extra: { k: ["é"] } },
  ])("M10 %j is refused", async (impersonate) => {
    expect(await informerErrorOf(headersOf(impersonate))).toMatchObject({ code: "usage" });
  });
});

describe("TLS", () => {
  test("takes what connections are made with, and nothing else", async () => {
    const agent = {};
    const [ca, cert, key] = ["ca", "client", "client-key"].map(pem);
    const { credentials } = source((options) => {
      Object.assign(options, { ca, cert, key, servername: "api", rejectUnauthorized: false });
      Object.assign(options, { agent, method: "DELETE", headers: {} });
    });
    expect(await credentials.get()).toEqual({
      headers: {},
      tls: { ca, cert, key, servername: "api", rejectUnauthorized: false },
      proxyAgent: undefined,
    });
  });

  test("an agent is taken from a kubeconfig that names a proxy, from no other", async () => {
    const agent = {};
    const apply = (options: HttpsOptions) => {
      options.agent = agent;
    };
    const { credentials } = source(apply, SERVER, { proxyUrl: "socks5://localhost" });
    expect((await credentials.get()).proxyAgent).toBe(agent);
  });
});

describe("a plain http server", () => {
  const refuse = (options: HttpsOptions) => {
    options.headers = { Authorization: "Bearer t" };
    throw new Error("Protocol http not allowed");
  };

  test("works although client-node refuses it, with what was filled in before", async () => {
    const { credentials } = source(refuse, "http://localhost:8001");
    expect((await credentials.get()).headers).toEqual({ authorization: "Bearer t" });
  });

  test("with skipTLSVerify client-node takes it, so a failure is a failure", async () => {
    const { credentials } = source(refuse, "http://localhost:8001", { skipTLSVerify: true });
    expect((await informerErrorOf(credentials.get())).code).toBe("credential");
  });
});

describe("in the clear", () => {
  const bearer = withToken("t");

  test("credentials go to this machine alone, unless the kubeconfig waives verification", async () => {
    const error = await informerErrorOf(source(bearer, "http://10.0.0.1:8080").credentials.get());
    expect(error).toMatchObject({ code: "credential", message: expect.stringContaining("use https") });
    for (const [server, cluster] of [
      ["http://[::1]:8001", {}],
      ["http://localhost:8001", {}],
      ["http://10.0.0.1:8080", { skipTLSVerify: true }],
    ] as const) {
      await expect(source(bearer, server, cluster).credentials.get()).resolves.toBeDefined();
    }
    await expect(source(undefined, "http://10.0.0.1:8080").credentials.get()).resolves.toBeDefined();
  });
});

describe("which server", () => {
  test("a kubeconfig without a current cluster is refused, with what to do", async () => {
    const kubeConfig = { getCurrentCluster: () => null, applyToHTTPSOptions: async () => {} };
    const error = await informerErrorOf(() => new CredentialSource(kubeConfig, new VirtualClock()));
    expect(error).toMatchObject({ code: "usage", message: expect.stringContaining("loadFromDefault") });
  });

  test("a server that is no URL is refused by its name", async () => {
    const error = await informerErrorOf(() => source(undefined, "localhost"));
    expect(error).toMatchObject({ code: "usage", message: expect.stringContaining('"localhost"') });
  });
});
