import assert from "node:assert/strict";
import { ResetBudget } from "../../../src/proxy/reset_budget.ts";

Deno.test("answers 304 stop long before a session ends, and come back with time", () => {
  let now = 0;
  const budget = new ResetBudget(() => now);
  let answers = 0;
  while (budget.allowsNotModified) {
    budget.spend();
    answers += 1;
    assert(answers < 1_000);
  }
  assert.equal(answers, 551);
  now += 1_000;
  assert.equal(budget.allowsNotModified, true);
});

Deno.test("a budget never grows beyond what it began with", () => {
  let now = 0;
  const budget = new ResetBudget(() => now);
  now += 3_600_000;
  for (let count = 0; count < 551; count++) budget.spend();
  assert.equal(budget.allowsNotModified, false);
});
