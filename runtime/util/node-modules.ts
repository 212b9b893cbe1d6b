/**
 * Node's modules that cost time and memory to load, each loaded when it is first used: a program that imports this package may
 * never follow a cluster. And not by `import`: `node:http` as an ES module has a WebSocket, with which comes all of undici.
 */
export const node = {
  get childProcess() {
    return process.getBuiltinModule("node:child_process");
  },
  get crypto() {
    return process.getBuiltinModule("node:crypto");
  },
  get http() {
    return process.getBuiltinModule("node:http");
  },
  get http2() {
    return process.getBuiltinModule("node:http2");
  },
  get https() {
    return process.getBuiltinModule("node:https");
  },
  get tls() {
    return process.getBuiltinModule("node:tls");
  },
  get v8() {
    return process.getBuiltinModule("node:v8");
  },
};
