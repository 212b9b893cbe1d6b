/** Regular expressions of a schema are Go's (RE2): never compiled here, and refused for what RE2 does not know. */

const classes = new Set(
  "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split(" "),
);

export function patternProblem(pattern: string): string | undefined {
  let depth = 0;
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    if (pattern[at] === "\\") {
      if (at + 1 === pattern.length) return "pattern ends with a backslash";
      if (rest.startsWith("\\Q")) {
        const end = pattern.indexOf("\\E", at);
        at = end < 0 ? pattern.length : end + 1;
        continue;
      }
      if (/^\\(?:[89]|[1-7](?![0-7]))/.test(rest)) return "pattern has a back-reference";
      const unknown = inClass ? /^\\(?![DEPQSWadfnprstvwx])[A-Za-z]/ : /^\\(?![ABDEPQSWabdfnprstvwxz])[A-Za-z]/;
      if (unknown.test(rest)) return `pattern has \\${pattern[at + 1]}, which is no escape of RE2`;
      at += 1;
    } else if (inClass) {
      const [named, name = ""] = /^\[:\^?([a-z]+):\]/.exec(rest) ?? [];
      if (named !== undefined && !classes.has(name)) return `pattern has the class ${name}, which is not known`;
      if (named !== undefined) at += named.length - 1;
      else inClass = pattern[at] !== "]";
    } else if (pattern[at] === "[") {
      inClass = true;
      // A bracket that comes first is one of the class.
      at += /^\[\^?\]?/.exec(rest)![0].length - 1;
    } else if ("*+?".includes(pattern[at]!)) {
      if (at === 0 || /[(|]$/.test(pattern.slice(0, at).replace(/\\./g, "x"))) {
        if (!/\(\?$/.test(pattern.slice(0, at + 1))) return "pattern repeats nothing";
      }
      if (/^[*+?][*+]/.test(rest)) return "pattern repeats a repetition";
    } else if (pattern[at] === "{") {
      const [, least, most] = /^\{(\d+)(?:,(\d*))?\}/.exec(rest) ?? [];
      const bounds = [least, most].map((bound) => Number(bound || 0));
      if (bounds.some((bound) => bound > 1000)) return "pattern repeats more than 1000 times";
      if (most && bounds[0]! > bounds[1]!) return "pattern repeats at least more often than at most";
    } else if (pattern[at] === "(") {
      if (/^\(\?(?:[=!]|<[=!])/.test(rest)) return "pattern looks ahead or behind";
      if (rest.startsWith("(?") && !/^\(\?(?:P?<\w+>|[imsU]*(?:-[imsU]+)?[:)])/.test(rest)) {
        return "pattern has a group of an unknown kind";
      }
      depth += 1;
    } else if (pattern[at] === ")") {
      depth -= 1;
      if (depth < 0) return "pattern closes a group that is not open";
    }
  }
  if (inClass) return "pattern leaves a class open";
  return depth > 0 ? "pattern leaves a group open" : undefined;
}
