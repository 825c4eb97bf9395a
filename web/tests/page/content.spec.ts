import { expect, test } from "./page_test.ts";

const markdown = `# Title

A [link](https://example.org/x?a=1&b=2), *soft*, **strong**, ~~gone~~ and \`code\`.

| A | B |
| --- | --- |
| 1 | 2 |

1. one
2. two
   - nested

> quoted

\`\`\`python
def f(x): return x  # one
\`\`\`

$$\\frac{a}{b} + \\color{red}{c}$$

https://example.org/bare
`;

test("Markdown is drawn, with code, tables and formulas", async ({ chat, server }) => {
  server.script = (answer) => {
    answer.say(markdown);
    answer.finish();
  };
  await chat.open();
  await chat.askAndWait("Everything");
  const { answers } = chat;
  await expect(answers.getByRole("heading", { name: "Title" })).toBeVisible();
  await expect(answers.getByRole("cell")).toHaveText(["1", "2"]);
  await expect(answers.locator("ol > li")).toHaveCount(2);
  await expect(answers.locator("ol ul > li")).toHaveText("nested");
  await expect(answers.locator("blockquote")).toHaveText("quoted");
  await expect(answers.locator("pre .hljs-keyword").first()).toHaveText("def");
  await expect(answers.locator("math mfrac")).toBeVisible();
  // Styles of formulas are applied, although the policy allows no style attributes.
  const colour = answers.locator("math mi", { hasText: "c" });
  await expect(colour).toHaveCSS("color", "rgb(255, 0, 0)");
  await expect(answers.locator("math")).toHaveCSS("math-style", "normal");
});

test("links leave in another tab and tell nothing", async ({ chat, server }) => {
  server.script = (answer) => {
    answer.say(markdown);
    answer.finish();
  };
  await chat.open();
  await chat.askAndWait("Everything");
  const links = chat.answers.locator(".prose a");
  await expect(links).toHaveCount(2);
  for (const link of await links.all()) {
    await expect(link).toHaveAttribute("target", "_blank");
    await expect(link).toHaveAttribute("rel", "noopener noreferrer");
  }
  await expect(links.first()).toHaveAttribute("href", "https://example.org/x?a=1&b=2");
});

test("code is copied by its button, an answer by its own", async ({ chat, server, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  server.script = (answer) => {
    answer.say("```c\nint a = 1 < 2;\n```\n");
    answer.finish();
  };
  await chat.open();
  await chat.askAndWait("Code");
  const clipboard = () => chat.page.evaluate(() => navigator.clipboard.readText());
  await chat.page.getByRole("button", { name: "Copy c", exact: true }).click();
  expect(await clipboard()).toBe("int a = 1 < 2;\n");
  await chat.page.getByRole("button", { name: "Copy answer" }).click();
  expect(await clipboard()).toBe("```c\nint a = 1 < 2;\n```\n");
});

const attacks = [
  "<script>attack()</script>",
  "<img src=x onerror=attack()>",
  "<svg onload=attack()><script>attack()</script></svg>",
  '<iframe src="javascript:parent.attack()"></iframe>',
  '<a href="javascript:attack()">x</a>',
  "[x](javascript:attack())",
  "[x](JAVASCRIPT:attack())",
  "[x](java\nscript:attack())",
  "[x](&#106;avascript:attack())",
  "[x](data:text/html,<script>attack()</script>)",
  "[x](vbscript:attack())",
  '[x](https://example.org "onclick=attack() x=")',
  '[x](https://example.org"onclick="attack())',
  '<https://example.org/" onclick=attack()>',
  "![x](javascript:attack())",
  '![x](https://example.org/x.png "a" onerror="attack())',
  '![" onerror=attack() x="](https://example.org/x.png)',
  "![x](data:image/svg+xml,<svg onload=attack()>)",
  '```"><img src=x onerror=attack()>\ncode\n```',
  "```html\n<img src=x onerror=attack()>\n```",
  "`<img src=x onerror=attack()>`",
  "$\\href{javascript:attack()}{x}$",
  "$\\text{</mtext><img src=x onerror=attack()>}$",
  "$\\unicode{<img src=x onerror=attack()>}$",
  "$</math><img src=x onerror=attack()>$",
  "$\\includegraphics{https://example.org/x.png}$",
  "$\\style{background:url(https://example.org/x)}{x}$",
  '$\\htmlData{x="><img src=x onerror=attack()>}{x}$',
  "$\\color{red;background:url(https://example.org/x)}x$",
  "$$\\begin{matrix}<img src=x onerror=attack()>\\end{matrix}$$",
  "<math><mtext><table><mglyph><style><img src=x onerror=attack()></style></mglyph></table></mtext></math>",
  "<form action=https://example.org><button>x</button></form>",
  '<meta http-equiv="refresh" content="0;url=https://example.org">',
  '<base href="https://example.org/">',
  "<style>@import url(https://example.org/x.css);</style>",
  '<div style="background:url(https://example.org/x)">x</div>',
  "<details open ontoggle=attack()>x</details>",
  "<template><img src=x onerror=attack()></template>",
  '<noscript><p title="</noscript><img src=x onerror=attack()>">',
  "| <img src=x onerror=attack()> |\n| --- |\n| <img src=x onerror=attack()> |",
  "# <img src=x onerror=attack()>",
  "[^1]: <img src=x onerror=attack()>",
  "[x]: javascript:attack()\n\n[x]",
  "<!--><img src=x onerror=attack()>-->",
  "<![CDATA[<img src=x onerror=attack()>]]>",
  "</div></article><img src=x onerror=attack()>",
];

// What may stand in an answer; anything else would have come from the model's text.
const harmless =
  "a,article,blockquote,br,button,code,dd,del,details,div,dl,dt,em,footer,h1,h2,h3,h4,h5,h6,hr,li,ol,p,path,pre," +
  "s,span,strong,summary,svg,table,tbody,td,th,thead,tr,ul,math,math *";

test("nothing that a model writes is executed, sent or loaded", async ({ chat, server }) => {
  server.script = (answer) => {
    const text = attacks[server.requests.length - 1]!;
    for (const character of text.match(/[\s\S]{1,7}/g)!) answer.delta({ content: character });
    answer.delta({ reasoning_content: text });
    answer.delta({
      tool_calls: [{ index: 0, id: text, function: { name: text, arguments: text } }],
    });
    answer.finish();
  };
  await chat.page.addInitScript(() => {
    Object.assign(window, {
      attacks: 0,
      attack: () => (window as { attacks?: number }).attacks!++,
    });
  });
  await chat.open();
  for (const attack of attacks) await chat.askAndWait(attack);
  const found = await chat.page.evaluate((allowed) => {
    const elements = [...document.querySelectorAll("article *")];
    return {
      strange: elements.filter((e) => !e.matches(allowed)).map((e) => e.outerHTML),
      handlers: elements.filter((e) => e.getAttributeNames().some((n) => n.startsWith("on")))
        .length,
      addresses: elements
        .flatMap((e) =>
          ["href", "src", "action", "formaction", "xlink:href"].map((n) => e.getAttribute(n)),
        )
        .filter((address) => address !== null && !/^(https?|mailto):/.test(address)),
      executed: (window as { attacks?: number }).attacks,
    };
  }, harmless);
  expect(found).toEqual({ strange: [], handlers: 0, addresses: [], executed: 0 });
  for (const link of await chat.answers.locator(".prose a[href]").all())
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer");
  // Titles and file names come from text too.
  await expect(
    chat.conversations.getByRole("button").filter({ hasText: attacks[0]! }),
  ).toBeVisible();
});

test("the policy would stop a script that got in", async ({ page, server }) => {
  await page.goto(await server.start());
  const stopped = await page.evaluate(async () => {
    const results: string[] = [];
    document.addEventListener("securitypolicyviolation", (e) => results.push(e.effectiveDirective));
    const tries = [
      () => document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=alert(1)>"),
      () => document.body.append(Object.assign(new Image(), { src: "https://example.org/x.png" })),
      () => {
        const style = document.createElement("style");
        style.textContent = "body { color: red }";
        document.head.append(style);
      },
    ];
    for (const attempt of tries) {
      try {
        attempt();
      } catch (error) {
        results.push((error as Error).name);
      }
    }
    await fetch("https://example.org/").catch(() => results.push("fetch"));
    await new Promise((resolve) => setTimeout(resolve, 0));
    return results.sort();
  });
  expect(new Set(stopped)).toEqual(
    new Set([
      "TypeError",
      "connect-src",
      "fetch",
      "img-src",
      "require-trusted-types-for",
      "style-src-elem",
    ]),
  );
});

test("text files are attached, shown and sent; others are refused by name", async ({
  chat,
  server,
}) => {
  await chat.open();
  const files = chat.page.getByLabel("Text files", { exact: true });
  await files.setInputFiles([
    { name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("# Water\n") },
    {
      name: "photo.png",
      mimeType: "image/png",
      buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]),
    },
  ]);
  await expect(chat.page.getByText("photo.png is not a text")).toBeVisible();
  await expect(chat.page.getByRole("list", { name: "Files of this message" })).toContainText(
    "notes.md",
  );
  await files.setInputFiles({
    name: "big.txt",
    mimeType: "text/plain",
    buffer: Buffer.alloc(1024 * 1024 + 1, "a"),
  });
  await expect(chat.page.getByText("big.txt is larger than 1 MB")).toBeVisible();
  await chat.askAndWait("Sum it up");
  await expect(chat.questions.getByRole("list", { name: "Files" })).toContainText("notes.md");
  expect(server.requests[0]!.messages[0]!.content).toBe(
    "File: notes.md\n```\n# Water\n```\n\nSum it up",
  );
});
