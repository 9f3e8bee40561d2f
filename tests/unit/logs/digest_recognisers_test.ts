/**
 * Forms of errors that no captured output of `tests/fixtures/errors` has: older versions, other loggers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digestErrors } from "../../../src/logs/digest/mod.ts";

interface Case {
  readonly name: string;
  readonly output: string;
  /** `KIND MESSAGE @ FILE:LINE:COLUMN (FUNCTION)`, in the order of the output. */
  readonly groups: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "a Python program that was stopped by SIGINT",
    output: `Traceback (most recent call last):
  File "worker.py", line 16, in <module>
    time.sleep(1)
KeyboardInterrupt
done`,
    groups: [],
  },
  {
    name: "an asyncio program that was stopped by SIGINT",
    output: `Traceback (most recent call last):
  File "/usr/lib/python3.11/asyncio/runners.py", line 118, in run
    return self._loop.run_until_complete(task)
  File "worker.py", line 5, in main
    await asyncio.sleep(100)
asyncio.exceptions.CancelledError

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "worker.py", line 7, in <module>
    asyncio.run(main())
  File "/usr/lib/python3.11/asyncio/runners.py", line 123, in run
    raise KeyboardInterrupt()
KeyboardInterrupt
done`,
    groups: [],
  },
  {
    name: "a Python program that was stopped while it handled an error",
    output: `Traceback (most recent call last):
  File "worker.py", line 4, in price
    return 100 / item["qty"]
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "worker.py", line 9, in <module>
    time.sleep(1)
KeyboardInterrupt
done`,
    groups: ["python KeyboardInterrupt @ worker.py:9:null (null)"],
  },
  {
    name: "Rust before 1.73",
    output: `thread 'main' panicked at 'index out of bounds', src/main.rs:4:5
stack backtrace:
   0: rust_begin_unwind
             at /rustc/abc/library/std/src/panicking.rs:584:5
   1: core::panicking::panic_fmt
             at /rustc/abc/library/core/src/panicking.rs:142:14
   2: shop::total
             at ./src/main.rs:4:5
   3: shop::main
             at ./src/main.rs:9:3
note: Some details are omitted, run with \`RUST_BACKTRACE=full\` for a verbose backtrace.
done`,
    groups: ["rust index out of bounds @ src/main.rs:4:5 (shop::total)"],
  },
  {
    name: "Ruby with the innermost frame last",
    output: `Traceback (most recent call last):
\t2: from app.rb:9:in \`<main>'
\t1: from app.rb:6:in \`run'
app.rb:2:in \`/': divided by 0 (ZeroDivisionError)
done`,
    groups: ["ruby ZeroDivisionError: divided by 0 @ app.rb:2:null (/)"],
  },
  {
    name: "Ruby 3.4 with a cause",
    output: `app.rb:6:in 'Object#run': no order (RuntimeError)
\tfrom app.rb:9:in '<main>'
app.rb:2:in 'Integer#/': divided by 0 (ZeroDivisionError)
\tfrom app.rb:4:in 'Object#run'
\tfrom app.rb:9:in '<main>'`,
    groups: ["ruby RuntimeError: no order @ app.rb:6:null (Object#run)"],
  },
  {
    name: "an exception in the layout of Logback",
    output:
      `10:00:00.123 [http-8080-1] ERROR com.acme.web.Orders - order 7 failed
java.lang.IllegalStateException: no stock
\tat org.springframework.web.Filter.doFilter(Filter.java:12)
\tat com.acme.web.Orders.show(Orders.java:41) ~[classes/:na]
\tat java.base/java.lang.Thread.run(Thread.java:840)
\tSuppressed: java.io.IOException: closed
\t\tat com.acme.web.Orders.close(Orders.java:60)
Caused by: java.sql.SQLException: timeout
\tat org.postgresql.Driver.connect(Driver.java:5)
\t... 3 common frames omitted
10:00:00.200 [main] INFO  com.acme.Main - still here`,
    groups: [
      "java java.lang.IllegalStateException: no stock @ com/acme/web/Orders.java:41:null (com.acme.web.Orders.show)",
    ],
  },
  {
    name: "a Python program that cannot be parsed",
    output: `  File "/work/shop/app.py", line 3
    def total(count)
                    ^
SyntaxError: expected ':'
$ `,
    groups: ["python SyntaxError: expected ':' @ app.py:3:null (null)"],
  },
  {
    name: "a stack that pino-pretty prints",
    output: `[10:00:00.123] ERROR (42): request failed
    err: {
      "type": "TypeError",
      "message": "x is not a function",
      "stack":
          TypeError: x is not a function
              at handler (file:///work/shop/src/server.ts:41:7)
    }
[10:00:00.200] INFO (42): request done`,
    groups: [
      "node TypeError: x is not a function @ src/server.ts:41:7 (handler)",
    ],
  },
  {
    name: "an error whose class has another name",
    output: `HttpProblem: 502 from upstream
    at async fetchOrders (/work/shop/src/orders.ts:8:9)
    at async /work/shop/src/main.ts:3:1
done`,
    groups: [
      "node HttpProblem: 502 from upstream @ src/orders.ts:8:9 (fetchOrders)",
    ],
  },
  {
    name: "a rejection in Node before version 15",
    output: `(node:42) UnhandledPromiseRejectionWarning: Error: no database
    at connect (/work/shop/db.js:3:9)
(node:42) UnhandledPromiseRejectionWarning: Unhandled promise rejection.`,
    groups: [
      "node Error: no database @ db.js:3:9 (connect)",
      "log (node:42) UnhandledPromiseRejectionWarning: Unhandled promise rejection. @ null",
    ],
  },
  {
    name: "an assertion whose message has lines",
    output:
      `AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

1 !== 2

    at check (/work/shop/check.js:3:8) {
  generatedMessage: true,
  code: 'ERR_ASSERTION',
  actual: 1
}
done`,
    groups: [
      "node AssertionError [ERR_ASSERTION]: Expected values to be strictly equal: @ check.js:3:8 (check)",
    ],
  },
  {
    name: "webpack",
    output: `ERROR in ./src/index.js 3:0-20
Module not found: Error: Can't resolve './missing' in '/work/shop/src'
 @ ./src/main.js 1:0-17

webpack 5.99.0 compiled with 1 error in 120 ms`,
    groups: [
      "webpack Module not found: Error: Can't resolve './missing' in '/work/shop/src' @ src/index.js:3:0 (null)",
    ],
  },
  {
    name: "Next with an error of a page and one of its compiler",
    output: ` ⨯ Error: no such order
    at Page (app/orders/page.tsx:3:9)
  1 | export default function Page() {
> 3 |   throw new Error("no such order");
    |         ^ {
  digest: '1234567'
}
 GET /orders 500 in 120ms
 ⨯ ./app/page.tsx:4:1
Module not found: Can't resolve './missing'
  2 |
> 4 | import "./missing";
    | ^

https://nextjs.org/docs/messages/module-not-found

 GET / 500 in 12ms`,
    groups: [
      "next Error: no such order @ app/orders/page.tsx:3:9 (Page)",
      "next Module not found: Can't resolve './missing' @ app/page.tsx:4:1 (null)",
    ],
  },
  {
    name: "a place that a bundler wrote around",
    output: `TypeError: x is undefined
    at render (webpack-internal:///(rsc)/./src/app/page.tsx:12:3)
    at next (webpack://shop/./src/next.ts?abcd:1:2)`,
    groups: [
      "node TypeError: x is undefined @ src/app/page.tsx:12:3 (render)",
    ],
  },
  {
    name: "a logger that tells the message, then the stack",
    output:
      `[Nest] 42  - 11/20/2026, 10:00:00 AM   ERROR [ExceptionsHandler] no stock
Error: no stock
    at Orders.show (/work/shop/src/orders.ts:12:11)
[Nest] 42  - 11/20/2026, 10:00:01 AM     LOG [Router] GET /`,
    groups: ["node Error: no stock @ src/orders.ts:12:11 (Orders.show)"],
  },
  {
    name: "log.Fatal of Go",
    output: `2026/11/20 10:00:00 listening
2026/11/20 10:00:01 main.go:12: cannot listen: address in use
exit status 1`,
    groups: ["go cannot listen: address in use @ main.go:12:null (null)"],
  },
  {
    name: "compilers of C",
    output: `main.c:3:12: error: 'x' undeclared
    3 |     return x;
      |            ^
make: *** [Makefile:2: main] Error 1`,
    groups: ["log 'x' undeclared @ main.c:3:12 (null)"],
  },
  {
    name: "a program that is not there",
    output: "sh: 1: vite: not found",
    groups: ["log sh: 1: vite: not found @ null"],
  },
];

for (const { name, output, groups } of CASES) {
  Deno.test(`digestErrors() understands ${name}`, async () => {
    const lines = output.split("\n").map((text, index) => ({
      task: "t",
      ts: new Date(Date.UTC(2026, 10, 20) + index).toISOString(),
      text,
    }));
    const digest = await digestErrors(lines, { root: "/work/shop" });
    const told = [...digest.groups]
      .sort((a, b) => a.first < b.first ? -1 : 1)
      .map(({ kind, message, frame }) => {
        const place = frame === null
          ? "null"
          : `${frame.file}:${frame.line}:${frame.column} (${frame.function})`;
        return `${kind} ${message} @ ${place}`;
      });
    assert.deepEqual(told, groups);
    assert.ok(digest.groups.every(({ count }) => count === 1));
  });
}

Deno.test("digestErrors() takes only the project's own source for the place", async () => {
  const stack = (file: string) => [
    { task: "t", ts: "", text: "Error: x" },
    { task: "t", ts: "", text: `    at f (${file}:1:2)` },
  ];
  const cases: readonly [file: string, expected: string | null][] = [
    ["/work/shop/src/a.ts", "src/a.ts"],
    ["file:///work/shop/src/a%20b.ts", "src/a b.ts"],
    ["./src/a.ts", "api/src/a.ts"],
    ["../src/a.ts", "src/a.ts"],
    ["/work/shop/api/../src/a.ts", "src/a.ts"],
    ["/work/shop/dist/a.js", "dist/a.js"],
    ["../../other/a.ts", null],
    ["/work/shopping/a.ts", null],
    ["/work/shop/node_modules/x/a.js", null],
    ["/work/shop/.venv/lib/a.py", null],
    ["/work/shop/vendor/x/a.php", null],
    ["node:fs", null],
    ["ext:core/01_core.js", null],
    ["https://deno.land/std/a.ts", null],
  ];
  for (const [file, expected] of cases) {
    const { groups: [group] } = await digestErrors(stack(file), {
      root: "/work/shop/",
      folders: new Map([["t", "/work/shop/api"]]),
    });
    assert.equal(group?.frame?.file ?? null, expected, file);
  }
});

Deno.test("digestErrors() prefers a place in the source to one in built code", async () => {
  const texts = [
    "Error: x",
    "    at f (/work/shop/dist/a.js:1:2)",
    "    at g (/work/shop/src/a.ts:3:4)",
  ];
  const { groups: [group] } = await digestErrors(
    texts.map((text) => ({ task: "t", ts: "", text })),
    { root: "/work/shop" },
  );
  assert.equal(group?.frame?.file, "src/a.ts");
});
