import assert from "node:assert/strict";
import { test } from "node:test";
import { linkTo, parseRoute } from "../src/route.ts";

test("a link leads back to what it was made of, whatever an id holds", () => {
  for (const id of ["COURSE001", "course-v1:X+Y+Z", "a/b?c=d#e&f", "<script>", "Đại số 50%", "\u202Eabc"]) {
    const parameters = { run: "r 1", "video.q": "a+b&c" };
    assert.deepEqual(parseRoute(linkTo("course", id, parameters)), { screen: "course", id, parameters });
  }
});

test("an address that nobody made is no error", () => {
  assert.equal(parseRoute("").screen, "courses");
  assert.equal(parseRoute("#/course/%E0%A4%A").id, "%E0%A4%A");
});
