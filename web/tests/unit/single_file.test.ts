import { expect, test } from "vitest";
import { contentSecurityPolicy, inlined, inScriptElement } from "../../build/single_file.ts";

test("no text of a script ends its element", () => {
  const script = 'const a = "</script><!--<script>", b = /<\\/SCRIPT/;';
  const safe = inScriptElement(script);
  expect(safe).not.toMatch(/<!--|<\/?script/i);
  expect(new Function(`${safe} return a`)()).toBe("</script><!--<script>");
});

test("script and style take the places of their tags, whatever they hold", () => {
  const html =
    '<head>\n<link rel="stylesheet" href="a.css"><script type="module" src="a.js"></script></head><body></body>';
  expect(inlined(html, "$&", "$`")).toBe(
    '<head><style>$`</style>\n  </head><body><script type="module">$&</script>\n  </body>',
  );
});

// echo -n | sha256sum, in base64: the hash of nothing.
const ofNothing = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";

test("the policy allows one script and one style by their hashes and no other source", () => {
  const policy = contentSecurityPolicy("", "");
  expect(policy).toContain(`script-src ${ofNothing}`);
  expect(policy).toContain(`style-src ${ofNothing}`);
  expect(policy.join(";")).not.toMatch(/unsafe|http|\*|data:/);
});
