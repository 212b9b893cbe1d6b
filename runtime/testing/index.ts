/** Published as `kube-informers/testing`: an API server in the test's own process, and a clock that the test moves. */
export {
  EmbeddedApiServer,
  type EmbeddedApiServerOptions,
  type LoggedRequest,
  type ObjectPlace,
  type ObjectSelection,
  type PatchOptions,
  type ServerBackup,
  type WatchFacts,
} from "./embedded-api-server.js";
export type { TlsOptions } from "./http-listener.js";
export type { InterceptedRequest, Interception, InterceptionEnd, Interceptor } from "./interception.js";
export type { EmbeddedKubeConfig } from "./kube-config.js";
export type { DeleteOptions, WriteOptions } from "./object-api.js";
export type { ApiObject } from "./object-store.js";
export type { PatchType } from "./patch.js";
export { ApiError, isApiError, type Status, type StatusCause, type StatusDetails } from "./status.js";
export { VirtualClock } from "./virtual-clock.js";
