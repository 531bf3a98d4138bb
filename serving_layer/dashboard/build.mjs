// Builds the dashboard: `node build.mjs [FOLDER]` writes index.html, one script and one style sheet, named by their content
// and compressed beside it.
// `node build.mjs --tests` bundles the unit tests for Node instead.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

async function app(target) {
  const made = await build({
    entryPoints: [join(here, "src/main.tsx")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    write: false,
  });
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const script = await named(target, "app", "js", made.outputFiles[0].contents);
  const style = await named(target, "style", "css", await readFile(join(here, "src/style.css")));
  const page = (await readFile(join(here, "src/index.html"), "utf-8")).replace("SCRIPT", script).replace("STYLE", style);
  await writeFile(join(target, "index.html"), page);
}

async function named(target, name, ending, content) {
  const file = `${name}-${createHash("sha256").update(content).digest("hex").slice(0, 12)}.${ending}`;
  await writeFile(join(target, file), content);
  await writeFile(join(target, `${file}.gz`), gzipSync(content, { level: 9 }));
  return file;
}

async function tests() {
  const files = (await readdir(join(here, "tests"))).filter((name) => name.endsWith(".test.ts"));
  await rm(join(here, "built-tests"), { recursive: true, force: true });
  await build({
    entryPoints: files.map((name) => join(here, "tests", name)),
    bundle: true,
    platform: "node",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    outdir: join(here, "built-tests"),
  });
}

if (process.argv[2] === "--tests") await tests();
else await app(process.argv[2] ?? join(here, "built"));
