import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// The system's Chromium where there is one; else the one that `npx playwright install chromium` leaves.
const system = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);

export default defineConfig({
  testDir: "tests/page",
  outputDir: "test-results",
  fullyParallel: true,
  workers: 2,
  reporter: "list",
  // On a machine that also does other work a second try is allowed; the report names every test that needed it.
  retries: process.env.CI ? 1 : 0,
  // What a machine with other work may take; no test is about time.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    browserName: "chromium",
    viewport: { width: 1360, height: 860 },
    contextOptions: { reducedMotion: "reduce" },
    launchOptions: {
      executablePath: system,
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [], // Chromium's sandbox refuses root
    },
  },
});
