// Formulas: TeX to MathML, which browsers draw themselves.

import temml from "temml";

const mostCharacters = 5_000;

/** MathML of a formula, or null if it is not TeX that is understood. */
export function mathMl(tex: string, displayMode: boolean): string | null {
  if (tex.length > mostCharacters) return null;
  try {
    const html = temml.renderToString(tex, {
      displayMode,
      throwOnError: true,
      trust: false, // no links, no images, no attributes of the author's
      maxExpand: 500,
      maxSize: [50, 50],
    });
    // The page's policy allows no style attributes; content.ts applies these one by one.
    return html.replaceAll(/ style=(['"])/g, " data-style=$1");
  } catch {
    return null;
  }
}
