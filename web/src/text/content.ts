// From HTML that Markdown made to elements of the page. What is not on the lists below does not get in; then
// links are made to leave safely, code gets its heading, formulas their styles.

import DOMPurify from "dompurify";

const tags =
  "a blockquote br code del div em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong table tbody td th thead tr ul";
const mathTags =
  "math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace " +
  "msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none";
const attributes = "href title class start data-style";
const mathAttributes =
  "accent accentunder columnalign columnlines columnspacing columnspan depth display displaystyle fence form " +
  "height largeop linethickness lspace mathbackground mathcolor mathsize mathvariant maxsize minsize movablelimits " +
  "notation rowalign rowlines rowspacing rowspan rspace scriptlevel separator stretchy symmetric voffset width";

const allowed = {
  ALLOWED_TAGS: `${tags} ${mathTags}`.split(" "),
  ALLOWED_ATTR: `${attributes} ${mathAttributes}`.split(" "),
  ALLOW_DATA_ATTR: false,
  ADD_URI_SAFE_ATTR: ["data-style"], // "color:red" is no address
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true as const,
};

const mathStyles =
  /^(color|background-color|border(-\w+)*|display|font-(size|style|weight|family)|height|margin(-\w+)?|math-(depth|shift|style)|padding(-\w+)?|text-align|vertical-align|width)$/;
const plainValue = /^[\w\s.,%#()+"'-]*$/;

function applyStyles(element: Element): void {
  const styles = element.getAttribute("data-style") ?? "";
  element.removeAttribute("data-style");
  if (!(element instanceof MathMLElement)) return;
  for (const declaration of styles.split(";")) {
    const colon = declaration.indexOf(":");
    const [name, value] = [declaration.slice(0, colon).trim(), declaration.slice(colon + 1).trim()];
    if (!mathStyles.test(name) || !plainValue.test(value) || /url/i.test(value)) continue;
    element.style.setProperty(name, value);
  }
}

function secureLink(link: Element): void {
  // Not scripts, and not addresses of this server, which the model knows nothing of.
  if (!/^(https?|mailto):/i.test(link.getAttribute("href") ?? "")) link.removeAttribute("href");
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", "noopener noreferrer");
}

/** Code with a heading: its language and a button that copies it. */
function frameCode(pre: Element): void {
  const code = pre.querySelector("code");
  const language = /language-(\S+)/.exec(code?.className ?? "")?.[1] ?? "";
  const frame = document.createElement("div");
  frame.className = "code";
  const heading = document.createElement("div");
  heading.className = "code-heading";
  const name = document.createElement("span");
  name.textContent = language;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "code-copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${language || "code"}`);
  heading.append(name, button);
  pre.setAttribute("tabindex", "0"); // it scrolls sideways, so the keyboard must reach it
  pre.setAttribute("role", "region");
  pre.setAttribute("aria-label", language ? `Code, ${language}` : "Code");
  pre.replaceWith(frame);
  frame.append(heading, pre);
}

/** Elements of what `html` says, as far as it is allowed. */
export function contentOf(html: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(html, allowed);
  fragment.querySelectorAll("[data-style]").forEach(applyStyles);
  fragment.querySelectorAll("a").forEach(secureLink);
  fragment.querySelectorAll("pre").forEach(frameCode);
  fragment.querySelectorAll(".table").forEach((table) => {
    table.setAttribute("tabindex", "0");
    table.setAttribute("role", "region");
    table.setAttribute("aria-label", "Table");
  });
  return fragment;
}
