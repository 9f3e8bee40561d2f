/**
 * Exceptions of the JVM: Java, Kotlin, Scala and the rest.
 *
 * @module
 */

import {
  findBack,
  isIndented,
  numberOf,
  type RawFrame,
  type Recogniser,
} from "../error_block.ts";

const FRAME =
  /^\s+at (?:[\w.@-]+\/)*([\w$.<>]+)\.([\w$<>-]+)\((?:([\w$-]+\.\w+)(?::(\d+))?|Native Method|Unknown Source|<generated>)\)(?: ~?\[.*\])?$/;

const HEAD =
  /^(?:Exception in thread "[^"]*" )?((?:[\w$]+\.)+[\w$]+|[A-Z][\w$]*(?:Exception|Error|Throwable))(?:: (.*))?$/;

/** An exception at the end of a line that a logger made. */
const LOGGED =
  /((?:[a-z][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)(?:: .*)?)$/;

const PART =
  /^\s*(?:Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames))/;

/** Where no project has its classes. */
const FOREIGN =
  /^(?:java|javax|jdk|sun|com\.sun|jakarta|kotlin|kotlinx|scala|groovy|clojure|org\.(?:springframework|apache|hibernate|junit|eclipse|gradle|codehaus|jboss|postgresql|slf4j|testng|mockito|assertj)|io\.(?:netty|micrometer|reactivex|vertx|undertow|quarkus|ktor)|com\.(?:fasterxml|zaxxer|mysql|google\.common)|ch\.qos|reactor|akka|play|net\.bytebuddy)\./;

/** Whether a line is a frame, as nothing else prints it. */
export function isJavaFrame(text: string): boolean {
  return FRAME.test(text);
}

/** See the module. */
export const javaErrors: Recogniser = {
  opens(text, before) {
    if (!FRAME.test(text)) return -1;
    const head = findBack(before, HEAD, 8);
    if (head !== -1) {
      return before.length - head;
    }
    const logged = findBack(before, LOGGED, 8);
    return logged === -1 ? 0 : before.length - logged;
  },
  belongs(text, block) {
    if (FRAME.test(text)) {
      block.phase = "";
      return true;
    }
    if (PART.test(text)) {
      // Frames that are left out have no message.
      block.phase = /^\s*\.\.\. /.test(text) ? "" : "message";
      block.depth = 0;
      return true;
    }
    // A message of several lines.
    return block.phase === "message" && ++block.depth < 6 &&
      (isIndented(text) || block.depth < 3);
  },
  read(lines) {
    const head = HEAD.exec(lines[0]!);
    const message = head === null
      ? LOGGED.exec(lines[0]!)?.[1]
      : head[2] === undefined
      ? head[1]
      : `${head[1]}: ${head[2]}`;
    if (message === undefined) return null;
    return { kind: "java", message, frames: framesOf(lines), lines };
  },
};

function framesOf(lines: readonly string[]): RawFrame[] {
  const frames: RawFrame[] = [];
  for (const [at, text] of lines.entries()) {
    const match = FRAME.exec(text);
    if (match === null) continue;
    const [, type = "", method, file, line] = match;
    if (file === undefined || FOREIGN.test(`${type}.`)) continue;
    const folders = type.split(".").slice(0, -1);
    frames.push({
      // The package is all that is known of the folder.
      file: [...folders, file].join("/"),
      line: numberOf(line),
      column: null,
      function: `${type}.${method}`,
      at,
    });
  }
  return frames;
}
