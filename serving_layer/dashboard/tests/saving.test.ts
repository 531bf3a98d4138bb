import assert from "node:assert/strict";
import { test } from "node:test";
import { csv } from "../src/panels/saving.ts";

test("a table becomes CSV that no spreadsheet takes for formulas", () => {
  assert.equal(csv([["a", "b,c"], ["=1+1", 'x"y'], ["-2.5", "@x"]]), '\uFEFFa,"b,c"\r\n\'=1+1,"x""y"\r\n-2.5,\'@x\r\n');
});
