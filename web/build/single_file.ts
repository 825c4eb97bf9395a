// Puts script and style into the page itself and writes, beside it, what the server has to send with it: an
// entity tag and a Content-Security-Policy that allows exactly this script and this style, by their hashes.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Plugin } from "vite";

const sha256 = (text: string, form: "base64" | "hex") =>
  createHash("sha256").update(text, "utf8").digest(form);

/** The policy of a page with one inline script and one inline style. */
export function contentSecurityPolicy(script: string, style: string): string[] {
  return [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script, "base64")}'`,
    "script-src-attr 'none'",
    `style-src 'sha256-${sha256(style, "base64")}'`,
    "style-src-attr 'none'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types dompurify",
  ];
}

function policyHeader(page: string, policy: string[]): string {
  const lines = policy.map((line, i) => `    "${line}${i + 1 < policy.length ? "; " : ""}"`);
  return [
    "// What the server sends with the page, made together with index.html by the build of web/ (docs/page.md).",
    "// Called by page.cc. Constants; not to be edited by hand.",
    "#pragma once",
    "",
    "#include <string_view>",
    "",
    "namespace cistern::serve::page {",
    "",
    `inline constexpr std::string_view kEntityTag = "\\"${sha256(page, "hex").slice(0, 32)}\\"";`,
    "inline constexpr std::string_view kContentSecurityPolicy =",
    `${lines.join("\n")};`,
    "",
    "}  // namespace cistern::serve::page",
    "",
  ].join("\n");
}

/** `script` without the texts that would end its element or change how HTML reads it. They stand in strings and
 * regular expressions, where \x3C is the same character. */
export const inScriptElement = (script: string): string =>
  script.replaceAll(/<(?=!--|\/?script)/gi, "\\x3C");

/** The text of a page with `script` and `style` in place of their tags. */
export function inlined(html: string, script: string, style: string): string {
  return html
    .replace(/\s*<script type="module"[^>]*><\/script>/, "")
    .replace(/\s*<link rel="stylesheet"[^>]*>/, "")
    .replace("</head>", () => `<style>${style}</style>\n  </head>`)
    .replace("</body>", () => `<script type="module">${script}</script>\n  </body>`);
}

/** What the libraries in the page want said with every copy: name, version, licence and copyright. */
function notices(modules: Iterable<string>): string {
  const folders = new Set<string>();
  for (const id of modules) {
    const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
    if (folder) folders.add(folder.replace("\0", ""));
  }
  const lines = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(`${folder}/${file}`, "utf8") : "";
    const copyright =
      /^\W*copyright (?!notice|owner|holder|law|and|licen).*$/im.exec(text)?.[0].trim() ?? "";
    return `  ${name} ${version}, ${license}. ${copyright}`.trimEnd();
  });
  return ["<!--", "  Contains:", ...lines.sort(), "-->"].join("\n");
}

export function singleFile(): Plugin {
  return {
    name: "single-file",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      let script = "";
      let style = "";
      const modules: string[] = [];
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === "chunk") {
          script += inScriptElement(file.code.trim());
          modules.push(...Object.keys(file.modules));
          delete bundle[name];
        } else if (name.endsWith(".css")) {
          style += String(file.source).trim();
          delete bundle[name];
        }
      }
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("no index.html in the bundle");
      const others = Object.keys(bundle).filter((name) => name !== "index.html");
      if (others.length > 0) throw new Error(`not part of one file: ${others.join(", ")}`);
      const text = inlined(String(page.source), script, style).replace(
        "<head>",
        () => `${notices(modules)}\n  <head>`,
      );
      page.source = text;
      const policy = policyHeader(text, contentSecurityPolicy(script, style));
      this.emitFile({ type: "asset", fileName: "policy.h", source: policy });
    },
  };
}
