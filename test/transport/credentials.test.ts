import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { CredentialSource, type HttpsOptions } from "../../runtime/transport/credentials.js";
import { deferred } from "../../runtime/util/abort.js";
import { type FakeKubeConfig, kubeConfigFor } from "../support/kube-config.js";
import { informerErrorOf } from "../support/thrown.js";

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

  test("invalidation makes the next one ask, and only the next", async () => {
    const { credentials, kubeConfig } = source(withToken("first"));
    await credentials.get();
    kubeConfig.apply = withToken("second");
    credentials.invalidate();
    expect((await credentials.get()).headers).toEqual({ authorization: "Bearer second" });
    await credentials.get();
    expect(kubeConfig.asked).toBe(2);
  });

  test("a failure is of code credential, told to all who wait, and not kept", async () => {
    const cause = new Error("exec: no such plugin");
    const { credentials, kubeConfig } = source(() => Promise.reject(cause));
    const errors = await Promise.all([credentials.get(), credentials.get()].map((asking) => informerErrorOf(asking)));
    for (const error of errors) expect(error).toMatchObject({ code: "credential", cause });
    expect(errors[0]?.message).toContain("https://server:6443: exec: no such plugin");
    expect(kubeConfig.asked).toBe(1);
    kubeConfig.apply = withToken("works");
    expect((await credentials.get()).headers).toEqual({ authorization: "Bearer works" });
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

describe("TLS", () => {
  test("takes what connections are made with, and nothing else", async () => {
    const agent = {};
    const { credentials } = source((options) => {
      Object.assign(options, { ca: "CA", cert: "CERT", key: "KEY", servername: "api", rejectUnauthorized: false });
      Object.assign(options, { agent, method: "DELETE", headers: {} });
    });
    expect(await credentials.get()).toEqual({
      headers: {},
      tls: { ca: "CA", cert: "CERT", key: "KEY", servername: "api", rejectUnauthorized: false },
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
