import { defineConfig } from "vitest/config";
import { singleFile } from "./build/single_file.ts";

export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    outDir: process.env.PAGE_OUT ?? "../src/serve/page",
    emptyOutDir: false, // page.cc and its neighbours live there
    target: "es2022",
    cssTarget: "chrome123",
    modulePreload: false,
    assetsInlineLimit: 0,
  },
  plugins: [singleFile()],
  // The page asks for no other host, so in development the server is reached through this one.
  server: { proxy: { "/v1": "http://127.0.0.1:8080", "/api": "http://127.0.0.1:8080" } },
  test: { include: ["tests/unit/**/*.test.ts"], setupFiles: ["tests/unit/setup.ts"] },
});
