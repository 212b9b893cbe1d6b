/** Resources that are questions: they are answered and not stored. Everything is allowed, as this server has no authorization. */
import type { JsonObject } from "./json.js";

const USER = { username: "system:anonymous", groups: ["system:masters", "system:authenticated"] };

const STATUS: ReadonlyMap<string, object> = new Map<string, object>([
  ["selfsubjectaccessreviews", { allowed: true }],
  ["subjectaccessreviews", { allowed: true }],
  ["localsubjectaccessreviews", { allowed: true }],
  [
    "selfsubjectrulesreviews",
    {
      resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
      nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
      incomplete: false,
    },
  ],
  ["selfsubjectreviews", { userInfo: USER }],
  ["tokenreviews", { authenticated: true, user: USER }],
]);

/** The question with its answer; undefined for what is no question. */
export function reviewed(resource: string, question: JsonObject): JsonObject | undefined {
  const status = STATUS.get(resource);
  return status === undefined ? undefined : { metadata: {}, ...question, status };
}
