/**
 * The product's own pages as modules: `virtual:help` lists them, `virtual:help/NAME` is one as HTML.
 *
 * What comes in is the folder of Markdown; what goes out is HTML without styles, scripts or pictures,
 * with links that stay within the workbench. It must never fetch anything.
 */
import { Marked } from "marked";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The pages, in the order of the list beside them. */
const PAGES = [
  "walkthrough", "workbench", "frame-ql", "reducers", "functions", "analytic-collection", "errors",
  "glossary", "laws", "connecting", "flight-sql", "sessions", "operations", "http", "cli", "limits",
  "security", "backends",
];

/** Return the plugin of Vite. */
export function helpPages(folder) {
  const list = "virtual:help";
  const read = (name) => readFileSync(resolve(folder, `${name}.md`), "utf8");
  const exists = (name) => {
    try { return read(name) !== ""; } catch { return false; }
  };
  return {
    name: "help-pages",
    resolveId(id) {
      return id === list || id.startsWith(`${list}/`) ? `\0${id}` : null;
    },
    load(id) {
      if (id === `\0${list}`) return listing(PAGES.filter(exists), read);
      if (!id.startsWith(`\0${list}/`)) return null;
      const name = id.slice(list.length + 2);
      this.addWatchFile(join(resolve(folder), `${name}.md`));
      return `export default ${JSON.stringify(rendered(read(name)))};`;
    },
  };
}

function listing(names, read) {
  const pages = names.map((name) => {
    const title = /^#\s+(.+)$/m.exec(read(name))?.[1] ?? name;
    return `{ name: ${JSON.stringify(name)}, title: ${JSON.stringify(title)},
      load: () => import("virtual:help/${name}") }`;
  });
  return `export const pages = [${pages.join(",\n")}];`;
}

/** Return a page as HTML. */
export function rendered(markdown) {
  const marked = new Marked({ gfm: true });
  const used = new Map();
  marked.use({
    renderer: {
      heading({ tokens, depth }) {
        const text = this.parser.parseInline(tokens);
        return `<h${depth} id="${anchor(text, used)}">${text}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const target = within(href);
        return target === null ? text : `<a href="${escaped(target)}">${text}</a>`;
      },
      html: () => "",
      image: ({ text }) => `<em>${escaped(text)}</em>`,
      code: ({ text, lang }) =>
        `<pre tabindex="0" data-language="${escaped(lang ?? "")}"><code>${escaped(text)}</code></pre>\n`,
      table({ header, rows }) {
        const cells = (row, tag) =>
          row.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("");
        const body = rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n");
        return `<div class="scrolls" tabindex="0" role="region" aria-label="table"><table>
<thead><tr>${cells(header, "th")}</tr></thead>
<tbody>${body}</tbody></table></div>\n`;
      },
    },
  });
  return marked.parse(markdown);
}

/** Return where a link of a page leads within the workbench; null where it leads out of it. */
function within(href) {
  if (href.startsWith("#")) return href;
  const found = /^(?:\.\/)?([\w-]+)\.md(#.*)?$/.exec(href);
  return found && PAGES.includes(found[1]) ? `/help/${found[1]}${found[2] ?? ""}` : null;
}

function anchor(text, used) {
  const base = text.replace(/<[^>]+>/g, "").replace(/&[a-z]+;|&#\d+;/g, "").toLowerCase()
    .replace(/[^\w\s-]/g, "").trim().replace(/\s/g, "-");
  const count = used.get(base) ?? 0;
  used.set(base, count + 1);
  return count === 0 ? base : `${base}-${count}`;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}
