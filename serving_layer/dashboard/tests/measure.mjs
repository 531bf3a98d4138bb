// Measures pages in a real Chromium: `node measure.mjs CHROMIUM`, a command as JSON on each line of standard input, an answer on each of standard output.
// {load: url} loads it with empty caches, and looks seldom, as looking takes time too: milliseconds until the first chart and until all is there, and what was asked;
// {open: url} keeps it open; then {has: [texts]} tells those that stand on it, {memory: true} its heap after a collection, in bytes, and its nodes.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: process.argv[2], args: [...QUIET, ...sandbox] });
let page;
let cdp;

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await taken(JSON.parse(line))));
await browser.close();
process.exit(0);

async function taken({ load, open, has, memory }) {
  if (load) return await loaded(load);
  if (open) return await opened(open);
  if (has) return await page.evaluate((texts) => texts.filter((text) => document.getElementById("content").innerText.includes(text)), has);
  if (memory) {
    await cdp.send("HeapProfiler.collectGarbage");
    const { metrics } = await cdp.send("Performance.getMetrics");
    const of = (name) => metrics.find((metric) => metric.name === name).value;
    return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
  }
  return null;
}

async function fresh() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en", timezoneId: "UTC" });
  const one = await context.newPage();
  await one.addInitScript(watch);
  return one;
}

async function loaded(url) {
  const one = await fresh();
  const asked = [];
  one.on("request", (request) => asked.push(request.url()));
  await one.goto(url);
  await one.waitForFunction(() => globalThis.seen.done && performance.now() - globalThis.seen.done > 300, undefined, { timeout: 120_000, polling: 200 });
  const seen = await one.evaluate(() => globalThis.seen);
  const trouble = await one.evaluate(() => document.querySelectorAll(".trouble").length);
  await one.context().close();
  return { ...seen, asked, trouble };
}

async function opened(url) {
  page = await fresh();
  cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  await page.goto(url);
  await page.waitForFunction(() => globalThis.seen.done, undefined, { timeout: 120_000 });
  return {};
}

// Notes when the first chart was painted, and when nothing was waited for any more; it runs in the page from its beginning.
function watch() {
  const seen = (globalThis.seen = {});
  const look = () => {
    if (!seen.chart && document.querySelector(".chart svg path")) requestAnimationFrame(() => (seen.chart ??= performance.now()));
    const waits = !document.querySelector("[data-view]") || document.querySelector('[aria-busy="true"], .waiting');
    if (waits) delete seen.done;
    else seen.done ??= performance.now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-busy"] });
}
