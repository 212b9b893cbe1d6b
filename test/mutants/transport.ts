/** Bugs between the runtime and the wire, and of what is said of it. */
import { type Mutant, mutantsOf } from "./mutant.js";

export const TRANSPORT: readonly Mutant[] = [
  ...mutantsOf("transport/lines", [
    {
      bug: "a line that is cut by a chunk is lost",
      text: "if (start < chunk.length) this.#keep(chunk, start, chunk.length);",
      becomes: "",
    },
    {
      bug: "a line that grows loses its beginning",
      text: "this.#carry.copy(grown, 0, 0, this.#carried);",
      becomes: "",
    },
    {
      bug: "letters that are cut by a chunk are spoilt in a line",
      text: "chunk.copy(this.#carry, this.#carried, start, end);",
      becomes: 'this.#carry.write(chunk.toString("utf8", start, end), this.#carried);',
    },
    { bug: "a line may fill the memory", text: "if (needed > MAX_LINE_BYTES) {", becomes: "if (needed < 0) {" },
  ]),
  ...mutantsOf("transport/list-items", [
    {
      bug: "letters that are cut by a chunk are spoilt in a list",
      text: "return Buffer.from(chunk.subarray(start, end));",
      becomes: 'return Buffer.from(chunk.toString("utf8", start, end));',
    },
    {
      bug: "a part that waits is a view of what is written over",
      text: "return Buffer.from(chunk.subarray(start, end));",
      becomes: "return chunk.subarray(start, end);",
    },
    { bug: "an escape ends a string", text: "this.#escaped = true;", becomes: "" },
    {
      bug: "any array of a list is its items",
      text: '&& this.#lastKey === "items") {',
      becomes: ") {",
    },
    {
      bug: "an item may fill the memory",
      text: 'limit("an item of the list", this.#itemBytes, MAX_ITEM_BYTES);',
      becomes: "",
    },
  ]),
  ...mutantsOf("transport/api-client", [
    {
      bug: "half an event at the end passes for a clean close",
      text: "if (!isWhole(rest)) {",
      becomes: "if (!isWhole(rest)) return false;\n        if (rest.length === 0) {",
    },
    { bug: "a last line without its newline is lost", text: "onLine(rest, 0, rest.length);", becomes: "" },
    {
      bug: "a page of HTML is read as a list",
      text: 'if (response.status === 200 && type.startsWith("application/json")) return response;',
      becomes: "if (response.status === 200) return response;",
    },
    {
      bug: "a list leaves its body open",
      text: "} finally {\n      response.body.close();\n    }",
      becomes: "} finally {\n    }",
    },
    {
      bug: "Retry-After is not read",
      text: 'parseRetryAfter(String(response.headers["retry-after"] ?? ""), this.#clock.wallNow())',
      becomes: 'parseRetryAfter("", this.#clock.wallNow())',
    },
  ]),
  ...mutantsOf("transport/http-body", [
    {
      bug: "a connection that broke is an end",
      text: 'this.#stream.on("error", (error) => this.#finish(error));',
      becomes: 'this.#stream.on("error", () => this.#finish(undefined));',
    },
    {
      bug: "the server is not held back",
      text: "this.#isPaused = true;\n    this.#stream.pause();",
      becomes: "",
    },
    {
      bug: "a server that was held back is not read on",
      text: "this.#stream.resume();",
      becomes: "",
    },
    {
      bug: "a stop leaves a socket",
      text: "this.#finish(abortError(signal));\n      cancel();",
      becomes: "this.#finish(abortError(signal));",
    },
    {
      bug: "a bomb is unzipped",
      text: "bytes <= zippedBytes * MAX_UNZIPPED_RATIO) return;",
      becomes: "bytes > 0) return;",
      killedBy: ["transport/http-body", "faults/resources"],
    },
  ]),
  ...mutantsOf("transport/http-transport", [
    {
      bug: "a 401 is not answered with other credentials",
      text: "if (response.status !== 401) return response;",
      becomes: "if (response.status > 0) return response;",
      killedBy: ["faults/credentials"],
    },
    {
      bug: "a request that a server refused to look at is not sent again",
      text: "if (!(error instanceof UnprocessedRequest)) throw error;",
      becomes: "throw error;",
      killedBy: ["transport/http2"],
    },
  ]),
  ...mutantsOf("transport/credentials", [
    {
      bug: "a token that was rotated is not read",
      text: "if (known !== undefined && this.#clock.now() - known.at < FRESH_MS) return known.credentials;",
      becomes: "if (known !== undefined) return known.credentials;",
    },
    {
      bug: "credentials are asked for by each request",
      text: "this.#clock.now() - known.at < FRESH_MS",
      becomes: "this.#clock.now() - known.at < 0",
    },
    {
      bug: "credentials are asked for by each that waits",
      text: "this.#asking ??= this.#ask()",
      becomes: "this.#asking = this.#ask()",
    },
    {
      bug: "a plugin is started for each refusal",
      text: "nowMs - this.#renewedAt < MIN_RENEWAL_MS) return undefined;",
      becomes: "nowMs - this.#renewedAt < 0) return undefined;",
      killedBy: ["transport/credentials", "faults/credentials"],
    },
    {
      bug: "a plugin's credential is used after its end",
      text: "const isOver = expiresAtMs !== undefined && ",
      becomes: "const isOver = expiresAtMs === 0 && ",
      killedBy: ["faults/credential-plugins"],
    },
    {
      bug: "a plugin that fails is started at once again",
      text: "this.#clock.now() - failure.at < PLUGIN_PAUSE_MS",
      becomes: "this.#clock.now() - failure.at < 0",
      killedBy: ["faults/credential-plugins"],
    },
    { bug: "secrets travel in the clear", text: "this.#checkPlain(headers, cluster);", becomes: "" },
    {
      bug: "certificates are not verified unless asked for",
      text: "rejectUnauthorized: options.rejectUnauthorized !== false",
      becomes: "rejectUnauthorized: options.rejectUnauthorized === true",
      killedBy: ["transport/https", "transport/credentials"],
    },
    {
      bug: "the newline of a token file is sent",
      text: "const text = String(value).trim();",
      becomes: "const text = String(value);",
      killedBy: ["transport/credentials", "faults/credentials"],
    },
  ]),
  ...mutantsOf("transport/exec-plugin", [
    {
      bug: "a plugin that hangs is waited for",
      text: "giveUp(new Error(`no answer within ${TIMEOUT_MS} ms`))",
      becomes: "undefined",
      killedBy: ["faults/credential-plugins"],
    },
    {
      bug: "a plugin may print without end",
      text: "if (bytes > MAX_OUTPUT_BYTES) giveUp(",
      becomes: "if (bytes < 0) giveUp(",
      killedBy: ["faults/credential-plugins"],
    },
  ]),
  ...mutantsOf("transport/http1-connections", [
    {
      bug: "a request that met a closed connection fails",
      text: "if (!(error instanceof StaleConnection)) throw connectionError(error, this.#server.origin);",
      becomes: "throw connectionError(error, this.#server.origin);",
      killedBy: ["transport/http1-transport"],
    },
    {
      bug: "any number of lists at a time",
      text: "maxSockets: MAX_LIST_SOCKETS }",
      becomes: "maxSockets: MAX_LIST_SOCKETS * 1000 }",
      killedBy: ["transport/http1-transport"],
    },
    {
      bug: "connecting may take for ever",
      text: "limitConnecting();\n        socket.once",
      becomes: "socket.once",
      killedBy: ["transport/https"],
    },
    {
      bug: "certificates that were rotated are not used",
      text: "if (this.#agents?.fingerprint !== fingerprint) {",
      becomes: "if (this.#agents === undefined) {",
      killedBy: ["transport/https", "transport/credentials"],
    },
    {
      bug: "a request that is called off in the pool stays there",
      text: "onAbort(request.signal, () => callOff(abortError(request.signal)));",
      becomes: "onAbort(request.signal, () => {});",
      killedBy: ["transport/http1-transport"],
    },
  ]),
  ...mutantsOf("transport/http2-connections", [
    {
      bug: "GOAWAY is not obeyed",
      text: 'session.on("goaway", () => this.#retire(known));',
      becomes: "",
      killedBy: ["transport/http2"],
    },
    {
      bug: "a connection that answers no ping is kept",
      text: "this.#session.destroy(new InformerError(",
      becomes: "void (new InformerError(",
      killedBy: ["transport/http2"],
    },
    {
      bug: "a stream that was refused fails",
      text: 'messageOf(error).includes("NGHTTP2_REFUSED_STREAM")',
      becomes: 'messageOf(error) === ""',
      killedBy: ["transport/http2"],
    },
    {
      bug: "more streams than the server allows",
      text: "http2.remoteSettings.maxConcurrentStreams || MAX_STREAMS",
      becomes: "MAX_STREAMS",
      killedBy: ["transport/http2"],
    },
    {
      bug: "a server that allows no stream is connected to without end",
      text: "maxConcurrentStreams || MAX_STREAMS",
      becomes: "maxConcurrentStreams ?? MAX_STREAMS",
      killedBy: ["transport/http2"],
    },
    {
      bug: "a connection is closed when its server closes it",
      text: 'socket.on("finish", () => socket.destroy());',
      becomes: "",
      killedBy: ["transport/http2"],
    },
    {
      bug: "a connection that nobody waits for is left open",
      text: "if (connecting.waiting === 0) socket?.destroy();",
      becomes: "",
      killedBy: ["transport/https"],
    },
    {
      bug: "a stream that was reset looks whole",
      text: "return stream.rstCode === 0 || stream.rstCode === undefined",
      becomes: "return stream.rstCode !== -1",
      killedBy: ["transport/http2"],
    },
    {
      bug: "a stream that nobody reads on is reset without a code",
      text: "stream.close(node.http2.constants.NGHTTP2_CANCEL);\n  stream.destroy();",
      becomes: "stream.destroy();",
      killedBy: ["transport/http2"],
    },
    {
      bug: "a shutdown leaves a heartbeat",
      text: "if (session.streams === 0) session.heartbeat.stop();",
      becomes: "",
      killedBy: ["transport/http2"],
    },
  ]),
  ...mutantsOf("api/status-error", [
    { bug: "a bare 410 is no expiry", text: 'case 410:\n      return "expired";', becomes: "" },
    {
      bug: "a server may send clients away for ever",
      text: "Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS)",
      becomes: "Math.max(delayMs, 0)",
    },
    {
      bug: "a resourceVersion that is too large is not known by its cause",
      text: 'reason === "ResourceVersionTooLarge" || says(message)',
      becomes: 'reason === "" || says(message)',
    },
    {
      bug: "what a server says may be any length",
      text: ".slice(0, MAX_MESSAGE_CHARACTERS)\n    .trim()",
      becomes: ".trim()",
    },
  ]),
  ...mutantsOf("api/redact", [
    {
      bug: "a bearer token is shown",
      text: "[/\\b(Bearer|Basic) +[\\w.~+/=-]+/gi, `$1 ${REDACTED}`],",
      becomes: "",
      killedBy: ["faults/hostile"],
    },
    {
      bug: "a JSON Web Token is shown",
      text: "[/eyJ[\\w-]{8,}(?:\\.[\\w-]*){0,2}/g, REDACTED],",
      becomes: "",
      killedBy: ["faults/hostile"],
    },
    {
      bug: "a password in a URL is shown",
      text: "[/(:\\/\\/)[^\\s/@\"']+@/g, `$1${REDACTED}@`],",
      becomes: "",
      killedBy: ["faults/hostile"],
    },
    {
      bug: "terminal sequences reach the terminal",
      text: "return open.replace(INVISIBLE,",
      becomes: "return open.replace(/\\0/g,",
      killedBy: ["faults/hostile"],
    },
  ]),
];
