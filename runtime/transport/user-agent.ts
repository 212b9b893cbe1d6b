/** How the runtime names itself to API servers, whose audit logs and metrics show it. No host name, no user name. */
export const VERSION = "0.1.0";
export const USER_AGENT = `kube-informers/${VERSION} (node; ${process.platform})`;
