import type { HttpsOptions, KubeConfigLike } from "../../runtime/transport/credentials.js";

export interface FakeKubeConfig extends KubeConfigLike {
  /** What `applyToHTTPSOptions` fills in from now on; what it throws is thrown. */
  apply: (options: HttpsOptions) => void | Promise<void>;
  /** How often it was asked. */
  asked: number;
}

/** A KubeConfig for one server, with credentials that a test sets and counts. */
export function kubeConfigFor(
  server: string,
  apply: FakeKubeConfig["apply"] = () => {},
  cluster: { skipTLSVerify?: boolean; proxyUrl?: string } = {},
): FakeKubeConfig {
  return {
    apply,
    asked: 0,
    getCurrentCluster: () => ({ server, ...cluster }),
    async applyToHTTPSOptions(options: HttpsOptions) {
      this.asked++;
      await this.apply(options);
    },
  };
}
