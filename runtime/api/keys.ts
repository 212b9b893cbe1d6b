/** Cache keys. Counterpart: `MetaNamespaceKeyFunc` and `SplitMetaNamespaceKey` of tools/cache/store.go. */

/** `namespace/name`, or `name` for a cluster-scoped object. A name never holds a slash, so a key is unambiguous. */
export function metaNamespaceKey(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/** The inverse; `namespace` is `""` for a cluster-scoped object. */
export function splitMetaNamespaceKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf("/");
  return slash === -1 ? { namespace: "", name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
