import { describe, expect, test } from "vitest";
import { blocksOf, htmlOf } from "../../src/text/markdown.ts";

describe("Markdown", () => {
  test("HTML in the text stays text", () => {
    expect(htmlOf("<img src=x onerror=alert(1)>")).toBe(
      "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n",
    );
  });

  test("an image becomes a link: nothing is loaded from elsewhere", () => {
    const html = htmlOf('![a "cat"](https://example.org/cat.png)');
    expect(html).toBe('<p><a href="https://example.org/cat.png">a &quot;cat&quot;</a></p>\n');
  });

  test.each(["javascript:alert(1)", "vbscript:x", "data:text/html,x", "JaVaScRiPt:alert(1)"])(
    "%s is no address",
    (address) => {
      expect(htmlOf(`[x](${address})`)).not.toContain("<a");
      expect(htmlOf(`![x](${address})`)).not.toContain("<a");
    },
  );

  test("code is coloured where its language is known and escaped where it is not", () => {
    expect(htmlOf("```js\nlet a = '<b>';\n```")).toContain('<span class="hljs-keyword">let</span>');
    expect(htmlOf("```js\nlet a = '<b>';\n```")).toContain("&lt;b&gt;");
    expect(htmlOf("```nope\n<b>\n```")).toBe(
      '<pre><code class="language-nope">&lt;b&gt;\n</code></pre>\n',
    );
  });

  test("the name of a language cannot leave its attribute", () => {
    expect(htmlOf('```x"onclick="y\n1\n```')).toContain('class="language-xonclicky"');
  });

  test("a growing text changes its last blocks alone", () => {
    const text = "# One\n\nTwo and\nthree.\n\n- four\n- five\n\n```c\nint six;\n```\n\nSeven";
    const final = blocksOf(text).map((block) => block.key);
    for (let length = 1; length < text.length; length++) {
      const keys = blocksOf(text.slice(0, length)).map((block) => block.key);
      const same = keys.filter((key, i) => key === final[i]).length;
      expect(same).toBeGreaterThanOrEqual(keys.length - 1);
    }
  });

  test("a link that is defined later is a link", () => {
    const before = blocksOf("See [it][1].\n\nMore.");
    const after = blocksOf("See [it][1].\n\nMore.\n\n[1]: https://example.org");
    expect(after[0]!.key).not.toBe(before[0]!.key);
    expect(after[0]!.html()).toContain('href="https://example.org"');
  });

  test("nesting has a bound", () => {
    const depth = htmlOf(`${">".repeat(5000)} x`).split("<blockquote>").length;
    expect(depth).toBeLessThanOrEqual(101);
    expect(htmlOf(`${"[".repeat(5000)}x`)).toContain("x");
  });
});

const isFormula = (text: string): boolean => htmlOf(text).includes("<math");

describe("formulas", () => {
  test.each(["$x$", "$a+b$.", "\\(x\\)", "\\[x\\]", "$$x$$", "so $$x$$ too", "**$x$**", "- $x$"])(
    "%s is one",
    (text) => expect(isFormula(text)).toBe(true),
  );

  test.each([
    "$5 and $6",
    "$ x $",
    "a $5 b",
    "`$x$`",
    "\\$x$",
    "$x$5",
    "$$",
    "$$$$",
    "\\[\\]",
    "$x",
  ])("%s is none", (text) => expect(isFormula(text)).toBe(false));

  test("those on their own lines are displayed, also in a list", () => {
    for (const text of ["$$\nx\n=1\n$$", "\\[\nx\n\\]", "- a\n\n  $$\n  x\n  $$"])
      expect(htmlOf(text)).toMatch(/<div class="formula"><math display="block"/);
  });

  test("one that is not closed yet is text", () => {
    expect(htmlOf("$$\nx = ")).toBe("<p>$$\nx =</p>\n");
  });

  test("what is not TeX is shown as it is", () => {
    expect(htmlOf("$\\nonsense{<b>}$")).toBe(
      '<p><code class="tex">\\nonsense{&lt;b&gt;}</code></p>\n',
    );
  });

  test("no styles, no links, no scripts come out of TeX", () => {
    const html = htmlOf(
      "$\\color{red}x$ $\\href{javascript:alert(1)}{x}$ $\\text{<script>}$ $\\style{x}{y}$",
    );
    expect(html).not.toMatch(/ style=|<a |<script|href=/);
    expect(html).toContain("data-style");
  });

  test("macros that grow without end are stopped", () => {
    expect(isFormula("$\\def\\a{\\a\\a}\\a$")).toBe(false);
  });
});
