// Proves that the page in src/serve/page/ is what its source here builds: builds it again, elsewhere, and compares
// byte by byte.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const committed = resolve(root, "../src/serve/page");
const outDir = mkdtempSync(join(tmpdir(), "cistern-page-"));
try {
  await build({ root, logLevel: "error", build: { outDir } });
  const stale = ["index.html", "policy.h"].filter(
    (name) => !readFileSync(join(outDir, name)).equals(readFileSync(join(committed, name))),
  );
  if (stale.length > 0) {
    console.error(`src/serve/page/{${stale.join(",")}} is not what web/ builds: npm run build`);
    process.exitCode = 1;
  } else {
    console.log("src/serve/page is what web/ builds");
  }
} finally {
  rmSync(outDir, { recursive: true, force: true });
}
