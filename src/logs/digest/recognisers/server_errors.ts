/**
 * What servers that are no program of the project log in forms of their own: nginx, Redis.
 *
 * @module
 */

import { type ErrorFacts, numberOf, type Recogniser } from "../error_block.ts";

const NGINX =
  /^(?:\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d |nginx: )\[(?:error|crit|alert|emerg)\] (?:\d+#\d+: )?(?:\*\d+ )?(.+)$/;

/** Who has asked for what, which is another one each time. */
const NGINX_REQUEST = /, client: .*$/;
const NGINX_PLACE = / in (\S+):(\d+)$/;

const REDIS =
  /^\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ # (?:Warning: )?((?:Could not|Can't|Failed|Fatal|Error|Unrecoverable|Out [Oo]f [Mm]emory|Bad )\b.*)$/;

/** See the module. */
export const serverErrors: Recogniser = {
  opens(text) {
    return NGINX.test(text) || REDIS.test(text) ? 0 : -1;
  },
  belongs() {
    return false;
  },
  read(lines) {
    const nginx = NGINX.exec(lines[0]!)?.[1];
    return nginx === undefined
      ? readRedis(lines)
      : readNginx(lines, nginx.replace(NGINX_REQUEST, ""));
  },
};

function readNginx(lines: readonly string[], message: string): ErrorFacts {
  const [, file, line] = NGINX_PLACE.exec(message) ?? [];
  return {
    kind: "log",
    message,
    // Any other file that is not there is the same error.
    identity: file === undefined ? message.replace(/"[^"]*"/g, '"…"') : message,
    frames: file === undefined ? [] : [{
      file,
      line: numberOf(line),
      column: null,
      function: null,
      at: 0,
    }],
    lines,
  };
}

function readRedis(lines: readonly string[]): ErrorFacts {
  const message = REDIS.exec(lines[0]!)?.[1] ?? lines[0]!;
  return {
    kind: "log",
    message,
    frames: [],
    lines,
    isWeak: message.endsWith(", aborting."),
  };
}
