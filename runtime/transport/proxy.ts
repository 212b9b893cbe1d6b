/**
 * Ways through proxies: which one is between here and the server, and the tunnel through it. Counterpart:
 * golang.org/x/net/http/httpproxy, which client-go uses.
 */
import { BlockList, isIP, type Socket } from "node:net";
import { InformerError, messageOf } from "../api/informer-error.js";
import { node } from "../util/node-modules.js";
import { hostOf } from "./connections.js";

/** What is looked at of the environment, each also in lower case. */
export type ProxyEnvironment = Readonly<Partial<Record<string, string>>>;

/**
 * The proxy to tunnel through to an https server: the kubeconfig's `proxy-url`, else `HTTPS_PROXY`. Loopback addresses, the API
 * server of the cluster that this process runs in, and what `NO_PROXY` names are reached directly, unless the kubeconfig says
 * otherwise. `undefined` for none, and for a SOCKS proxy, through which client-node's agent goes.
 * @throws InformerError `usage` when it is no URL
 */
export function proxyFor(server: URL, proxyUrl: string | undefined, env: ProxyEnvironment): URL | undefined {
  if (server.protocol !== "https:") return undefined;
  const named = proxyUrl || (isExempt(server, env) ? undefined : variable(env, "HTTPS_PROXY"));
  if (!named) return undefined;
  const url = named.includes("://") ? named : `http://${named}`;
  if (!URL.canParse(url))
    throw new InformerError("usage", "the proxy of the kubeconfig or of HTTPS_PROXY is not a URL");
  const proxy = new URL(url);
  if (proxy.protocol === "http:" || proxy.protocol === "https:") return proxy;
  if (proxy.protocol.startsWith("socks") && proxyUrl) return undefined;
  throw new InformerError("usage", `a proxy of protocol ${proxy.protocol} is not supported`);
}

function variable(env: ProxyEnvironment, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()];
}

function isExempt(server: URL, env: ProxyEnvironment): boolean {
  const host = hostOf(server).toLowerCase();
  if (host === "localhost" || host.endsWith(".localhost") || isLoopbackAddress(host)) return true;
  if (host === env["KUBERNETES_SERVICE_HOST"]?.toLowerCase()) return true;
  const port = server.port || "443";
  return (variable(env, "NO_PROXY") ?? "")
    .split(",")
    .map((rule) => rule.trim().toLowerCase())
    .some((rule) => rule !== "" && matches(rule, host, port));
}

export function isLoopbackAddress(host: string): boolean {
  return /^127(?:\.\d+){3}$/.test(host) || host === "::1";
}

/** `*`, an address, a range of them, or a name that stands for those below it too; each but the range with or without a port. */
function matches(rule: string, host: string, port: string): boolean {
  if (rule === "*") return true;
  if (rule.includes("/")) return isIP(host) !== 0 && isInRange(rule, host);
  const [, name = "", rulePort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(isIP(rule) === 6 ? `[${rule}]` : rule) ?? [];
  if (rulePort !== undefined && rulePort !== port) return false;
  if (name.startsWith(".") || name.startsWith("*.")) return host.endsWith(name.slice(name.indexOf(".")));
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isInRange(range: string, host: string): boolean {
  const [network = "", bits] = range.split("/");
  const family = isIP(network) === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  try {
    list.addSubnet(network, Number(bits), family);
  } catch {
    return false;
  }
  return isIP(host) === (family === "ipv6" ? 6 : 4) && list.check(host, family);
}

/**
 * A connection to the server through the proxy, by CONNECT (RFC 9110 9.3.6).
 * @throws InformerError `connection`, which names the proxy without its password
 */
export function openTunnel(proxy: URL, server: URL, signal: AbortSignal): Promise<Socket> {
  const target = `${server.hostname}:${server.port || "443"}`;
  const headers: Record<string, string> = { host: target };
  if (proxy.username !== "" || proxy.password !== "") {
    const userInfo = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers["proxy-authorization"] = `Basic ${Buffer.from(userInfo).toString("base64")}`;
  }
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new InformerError("connection", `the proxy ${proxy.origin}: ${why}`, { cause }));
    const request = (proxy.protocol === "https:" ? node.https : node.http).request({
      method: "CONNECT",
      host: hostOf(proxy),
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      path: target,
      headers,
      agent: false,
      signal,
    });
    request.on("error", (error) => fail(messageOf(error), error));
    request.on("connect", (response, socket, head) => {
      if (response.statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket as Socket);
        return;
      }
      socket.destroy();
      fail(`it refused with ${response.statusCode}`);
    });
    request.on("response", (response) => {
      response.destroy();
      fail(`it refused with ${response.statusCode}`);
    });
    request.end();
  });
}
