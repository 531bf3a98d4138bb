// What @xapi/xapi and @xapi/cmi5 do with a store: `node run.mjs ENDPOINT MODULES`. Ends with status 1 where it differs.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";

const [endpoint, modules] = process.argv.slice(2);
const load = createRequire(`${modules}/x.js`);
const loaded = load("@xapi/xapi");
const XAPI = loaded.default ?? loaded;
const agent = { objectType: "Agent", account: { homePage: "https://lms.example", name: randomUUID() } };
const activityId = `https://lms.example/activities/${randomUUID()}`;
const key = { agent, activityId, stateId: "bookmark" };

const etagOf = (answer) => answer.headers.etag ?? answer.headers.get?.("etag");

async function xapi(version, adapter) {
  const auth = XAPI.toBasicAuth("anyone", "x");
  const store = new XAPI({ endpoint, auth, version, adapter });
  const about = await store.getAbout();
  assert.ok(about.data.version.includes(version));
  const statement = { actor: agent, verb: XAPI.Verbs.COMPLETED, object: { objectType: "Activity", id: activityId } };
  const [id] = (await store.sendStatement({ statement })).data;
  assert.deepEqual((await store.getStatement({ statementId: id })).data.actor, agent);
  const ids = (await store.sendStatements({ statements: [statement, statement, statement] })).data;
  assert.equal(new Set(ids).size, 3);
  const page = await store.getStatements({ agent, limit: 2 });
  assert.equal(page.data.statements.length, 2);
  const rest = await store.getMoreStatements({ more: page.data.more });
  assert.ok(rest.data.statements.length >= 1);
  await store.voidStatement({ actor: agent, statementId: id });
  assert.equal((await store.getVoidedStatement({ voidedStatementId: id })).data.id, id);
  await store.createState({ ...key, state: { page: 1 } });
  const bookmark = etagOf(await store.getState(key));
  await store.setState({ ...key, state: { page: 2 }, etag: bookmark, matchHeader: "If-Match" });
  assert.deepEqual((await store.getState(key)).data, { page: 2 });
  assert.deepEqual((await store.getStates({ agent, activityId })).data, ["bookmark"]);
  await store.deleteState(key);
  const profile = { activityId, profileId: `p-${version}-${adapter}` };
  await store.createActivityProfile({ ...profile, profile: { a: 1 }, etag: "*", matchHeader: "If-None-Match" });
  const kept = await store.getActivityProfile(profile);
  assert.deepEqual(kept.data, { a: 1 });
  await store.setActivityProfile({ ...profile, profile: { b: 2 }, etag: etagOf(kept), matchHeader: "If-Match" });
  assert.deepEqual((await store.getActivityProfile(profile)).data, { b: 2 });
  assert.equal((await store.getAgent({ agent })).data.objectType, "Person");
  assert.equal((await store.getActivity({ activityId })).data.id, activityId);
}

// What the client takes from a browser and Node lacks.
globalThis.XMLHttpRequest = class {
  upload = { addEventListener() {} };
  headers = {};
  onloadend = null;
  open(method, url) { Object.assign(this, { method: method.toUpperCase(), url }); }
  setRequestHeader(name, value) { this.headers[name] = value; }
  addEventListener() {}
  abort() {}
  getAllResponseHeaders() { return [...this.answered].map(([name, value]) => `${name}: ${value}`).join("\r\n"); }
  async send(body) {
    const answer = await fetch(this.url, { method: this.method, headers: this.headers, body: body ?? undefined });
    this.response = this.responseText = await answer.text();
    Object.assign(this, { status: answer.status, answered: answer.headers, readyState: 4, responseURL: this.url });
    this.onloadend();
  }
};

async function cmi5() {
  const made = load("@xapi/cmi5/dist/Cmi5.umd.js");
  const Cmi5 = made.default ?? made;
  const registration = randomUUID();
  const headers = { "X-Experience-API-Version": "1.0.3", "Content-Type": "application/json" };
  const place = new URLSearchParams({ activityId, agent: JSON.stringify(agent), registration, stateId: "LMS.LaunchData" });
  const launch = {
    contextTemplate: { extensions: { "https://w3id.org/xapi/cmi5/context/extensions/sessionid": randomUUID() } },
    launchMode: "Normal", moveOn: "Completed", masteryScore: 0.5,
  };
  const put = await fetch(`${endpoint}activities/state?${place}`, { method: "PUT", headers, body: JSON.stringify(launch) });
  assert.equal(put.status, 204);
  const profile = new URLSearchParams({ agent: JSON.stringify(agent), profileId: "cmi5LearnerPreferences" });
  const wanted = { languagePreference: "en", audioPreference: "on" };
  await fetch(`${endpoint}agents/profile?${profile}`,
    { method: "PUT", headers: { ...headers, "If-None-Match": "*" }, body: JSON.stringify(wanted) });
  const tokens = createServer((_, answer) => answer.end(JSON.stringify({ "auth-token": "YW55b25lOng=" })));
  await new Promise((ready) => tokens.listen(0, "127.0.0.1", ready));
  const au = new Cmi5({ fetch: `http://127.0.0.1:${tokens.address().port}/`, endpoint, actor: agent, registration, activityId });
  await au.initialize();
  await au.progress(50);
  await au.pass({ scaled: 0.9 });
  await au.complete();
  await au.terminate();
  tokens.close();
  const asked = new URLSearchParams({ registration, ascending: "true" });
  const found = await (await fetch(`${endpoint}statements?${asked}`, { headers })).json();
  const verbs = found.statements.map((one) => one.verb.id.split("/").pop());
  assert.deepEqual(verbs, ["initialized", "progressed", "passed", "completed", "terminated"]);
}

// The clients are minified: Node would show the line, which is the whole of them, and not the error.
process.on("uncaughtException", (error) => {
  console.error(error.message, error.response?.status, error.response?.data, `${error.stack}`.slice(0, 2000));
  process.exit(1);
});
for (const adapter of ["fetch", "axios"]) for (const version of ["1.0.3", "2.0.0"]) await xapi(version, adapter);
await cmi5();
console.log("well");
