import assert from "node:assert/strict";
import {
  formatDuration,
  parseDuration,
  parseTime,
} from "../../../src/kit/duration.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 10, 0, 0);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

Deno.test("parseDuration reads units, sums and bare seconds", () => {
  const check = (text: string, expected: number | null) =>
    assert.equal(parseDuration(text), expected, text);
  check("500ms", 500);
  check("90", 90 * SECOND);
  check("0.25", 250);
  check("5m", 5 * MINUTE);
  check("1h30m", 90 * MINUTE);
  check("1h 30m", 90 * MINUTE);
  check(" 2d4h ", 2 * DAY + 4 * HOUR);
  check("1w", 7 * DAY);
  check("1.5h", 90 * MINUTE);
  check("1m1ms", MINUTE + 1);
  check("0s", 0);
  check("", null);
  check("   ", null);
  check("abc5m", null);
  check("5m!", null);
  check("5 m", null);
  check("m", null);
  check("-5m", null);
  check("5x", null);
  check("1h90", null);
  check("99999999999999999d", null);
  check("5M", null);
});

Deno.test("parseTime reads a duration as ago", () => {
  assert.equal(parseTime("5m", NOW_MS), NOW_MS - 5 * MINUTE);
  assert.equal(parseTime("90", NOW_MS), NOW_MS - 90 * SECOND);
  assert.equal(parseTime("0s", NOW_MS), NOW_MS);
});

Deno.test("parseTime reads a time without a zone as local", () => {
  const check = (
    text: string,
    ...parts: [number, number, number, ...number[]]
  ) => {
    const [year, month, day, ...rest] = parts;
    const [hour = 0, minute = 0, second = 0, milli = 0] = rest;
    assert.equal(
      parseTime(text, NOW_MS),
      new Date(year, month - 1, day, hour, minute, second, milli).getTime(),
      text,
    );
  };
  check("2026-11-20", 2026, 11, 20);
  check("2024-02-29", 2024, 2, 29);
  check("2026-01-31T23:59", 2026, 1, 31, 23, 59);
  check("2026-11-20 09:08:07", 2026, 11, 20, 9, 8, 7);
  check("2026-11-20T09:08:07.5", 2026, 11, 20, 9, 8, 7, 500);
  check("2026-11-20T09:08:07.123456", 2026, 11, 20, 9, 8, 7, 123);
  check("2026-11-20t09:08:07,250", 2026, 11, 20, 9, 8, 7, 250);
});

Deno.test("parseTime takes local from the zone of the process", async () => {
  const module = new URL("../../../src/kit/duration.ts", import.meta.url).href;
  const code = `import { parseTime } from "${module}";
    console.log(parseTime("2026-01-15T12:00", 0), parseTime("2026-07-15", 0));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", code],
    env: { TZ: "America/New_York", NO_COLOR: "1" },
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout).trim(),
    `${Date.UTC(2026, 0, 15, 17)} ${Date.UTC(2026, 6, 15, 4)}`,
  );
});

Deno.test("parseTime obeys a zone", () => {
  const check = (text: string, expected: number | null) =>
    assert.equal(parseTime(text, NOW_MS), expected, text);
  check("2026-11-20T10:00:00Z", NOW_MS);
  check("2026-11-20T10:00z", NOW_MS);
  check("2026-11-20T12:30+02:30", NOW_MS);
  check("2026-11-20T05:00-0500", NOW_MS);
  check("2026-11-20T11:00+01", NOW_MS);
  check("2026-11-20T10:00:00.000Z", NOW_MS);
  check("2026-11-20T10:00+25:00", null);
});

Deno.test("parseTime refuses what is no time", () => {
  for (
    const text of [
      "yesterday",
      "2026-02-29",
      "2026-13-01",
      "2026-00-10",
      "2026-04-31T10:00",
      "2026-11-20T24:00",
      "2026-11-20T10:60",
      "2026-11-20T10",
      "2026-11-20Z",
      "10:00",
      "",
    ]
  ) assert.equal(parseTime(text, NOW_MS), null, text);
});

Deno.test("formatDuration shows at most two units", () => {
  const check = (ms: number, expected: string) =>
    assert.equal(formatDuration(ms), expected);
  check(-5, "0ms");
  check(0, "0ms");
  check(999.9, "999ms");
  check(1000, "1s");
  check(4249, "4.2s");
  check(59_999, "59.9s");
  check(MINUTE, "1m");
  check(65 * SECOND, "1m 5s");
  check(HOUR - 1, "59m 59s");
  check(HOUR + 3 * MINUTE + 9 * SECOND, "1h 3m");
  check(DAY, "1d");
  check(2 * DAY + 4 * HOUR + 59 * MINUTE, "2d 4h");
});

Deno.test("parseDuration reads what formatDuration writes", () => {
  for (const ms of [0, 350, 4200, 65_000, 3_780_000, 187_200_000]) {
    assert.equal(parseDuration(formatDuration(ms)), ms);
  }
});
