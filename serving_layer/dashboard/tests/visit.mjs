// Visits pages in a real Chromium and tells what it saw: `node visit.mjs CHROMIUM`, visits as JSON on standard input, one answer
// a line on standard output. A visit is {url, language, theme, width, height, steps, picture, headers}, a picture of the whole page without a height;
// a step is {press}, {click}, {mark: selector}, which clicks the marks of a chart until one leads somewhere, {type: [where, text]}, {keys: text}, which types where the focus is,
// {wait: selector}, {reach: selector}, which presses Tab until that has the focus, or {say: text}, which prints the text and goes on with the steps that the next line of input holds.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const visits = JSON.parse((await lines.next()).value);
const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: process.argv[2], args: [...QUIET, ...sandbox] });

for (const { url, language = "en", theme = "light", width = 1280, height, steps = [], picture, headers = {} } of visits) {
  const context = await browser.newContext({ viewport: { width, height: height ?? 900 }, colorScheme: theme, locale: language, timezoneId: "UTC", extraHTTPHeaders: headers });
  const page = await context.newPage();
  const errors = [];
  const isOurs = (address) => URL.canParse(address) && new URL(address).origin === new URL(url).origin;
  page.on("console", (message) => message.type() === "error" && isOurs(message.location().url || url) && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  // What our pages ask of others, and where they lead; an issuer's own page may ask for what it likes, and gets it from this machine alone.
  const elsewhere = [];
  page.on("request", (request) => !isOurs(request.url()) && (request.isNavigationRequest() || isOurs(request.frame().url())) && elsewhere.push(request.url()));
  await context.route((address) => address.protocol.startsWith("http") && !["127.0.0.1", "localhost"].includes(address.hostname), (route) => route.abort());
  await page.goto(url);
  await settled(page);
  for (const step of steps) await take(page, step);
  await settled(page);
  if (picture) await page.screenshot({ path: picture, fullPage: !height });
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  const violations = found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  console.log(JSON.stringify({ ...(await page.evaluate(seen)), errors, elsewhere, violations }));
  await context.close();
}
await browser.close();
process.exit(0);

async function settled(page) {
  await page.waitForSelector("h1");
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"], .waiting'), undefined, { timeout: 90_000 });
}

async function take(page, step) {
  if (step.press) await page.keyboard.press(step.press);
  else if (step.click) await page.click(step.click);
  else if (step.mark) await mark(page, step.mark);
  else if (step.type) await page.fill(step.type[0], step.type[1]);
  else if (step.keys) await page.keyboard.type(step.keys);
  else if (step.reach) await reach(page, step.reach);
  else if (step.wait) await page.waitForSelector(step.wait, { state: "attached", timeout: 60_000 });
  else if (step.say) {
    console.log(JSON.stringify({ said: step.say }));
    for (const further of JSON.parse((await lines.next()).value)) await take(page, further);
  }
  await page.waitForTimeout(50);
}

async function mark(page, selector) {
  const before = page.url();
  const chart = page.locator(`${selector} .chart`);
  await chart.scrollIntoViewIfNeeded();
  await page.waitForSelector(`${selector} .chart svg path`, { state: "attached" });
  const places = await chart.evaluate((place) => {
    const marksBegin = place.getBoundingClientRect().top + 36; // above stands the legend
    const boxes = [...place.querySelectorAll("svg path")].map((path) => path.getBoundingClientRect());
    const drawn = boxes.filter(({ width, height }) => width > 2 && height > 2); // the rest are lines of the grid
    return drawn.map(({ x, y, width, height }) => [x + width / 2, y + height / 2]).filter(([, y]) => y > marksBegin);
  });
  for (const [x, y] of places) {
    await page.mouse.click(x, y);
    if (page.url() !== before) return;
  }
  throw new Error(`${selector}: a mark must lead somewhere`);
}

async function reach(page, selector) {
  for (let pressed = 0; pressed < 120; pressed++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  throw new Error(`no Tab reaches ${selector}`);
}

// What a person finds on the page; it runs there.
function seen() {
  const text = (node) => node.innerText.trim();
  const panels = [...document.querySelectorAll("[data-view]")].map((panel) => ({
    view: panel.dataset.view,
    title: panel.querySelector("h2") ? text(panel.querySelector("h2")) : "",
    charts: panel.querySelectorAll(".chart svg").length,
    head: [...panel.querySelectorAll("thead th")].map(text),
    rows: [...panel.querySelectorAll("tbody tr")].map((row) => [...row.children].map(text)),
    figures: Object.fromEntries([...panel.querySelectorAll(".figures > div, dl.figures > div, :scope > div"), ...(panel.querySelector(":scope > dt") ? [panel] : [])].filter((d) => d.querySelector("dt")).map((d) => [text(d.querySelector("dt")), text(d.querySelector("dd"))])),
    items: [...panel.querySelectorAll(".timeline li, .events li")].map(text),
    trouble: [...panel.querySelectorAll(".trouble")].map(text),
    count: panel.querySelector(".count") ? text(panel.querySelector(".count")) : "",
  }));
  return {
    title: document.title, language: document.documentElement.lang, heading: text(document.querySelector("h1")), address: location.hash,
    menu: [...document.querySelectorAll("nav a")].map((link) => link.getAttribute("href")),
    focused: document.activeElement ? `${document.activeElement.tagName} ${text(document.activeElement).slice(0, 60)}` : "",
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth, panels,
  };
}
