/**
 * How the editor looks. It lives in a shadow root, where the page's style sheet does not reach and
 * CodeMirror may add its own rules under a policy that forbids inline styles; the colours are the
 * page's variables.
 */
import { EditorView } from "@codemirror/view";

export const appearance = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--ground)", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.5rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--dim)", border: "0", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  ".cm-placeholder": { color: "var(--dim)" },
  ".cm-tooltip": { backgroundColor: "var(--ground)", color: "var(--ink)", border: "1px solid var(--strong-line)", borderRadius: "0.375rem", boxShadow: "var(--shadow)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16rem", maxWidth: "min(34rem, 90vw)" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "0.125rem 0.5rem", display: "flex", gap: "0.5rem" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent) !important", color: "var(--on-accent) !important" },
  ".cm-tooltip-autocomplete > ul > li.illegal": { color: "var(--dim)", textDecoration: "line-through" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.8", marginLeft: "auto" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-tooltip.cm-completionInfo": { padding: "0.375rem 0.625rem", maxWidth: "22rem", fontFamily: "system-ui, sans-serif" },
  ".cm-diagnostic": { padding: "0.375rem 0.625rem", fontFamily: "system-ui, sans-serif", whiteSpace: "pre-wrap", maxWidth: "34rem" },
  ".cm-diagnostic-error": { borderLeft: "0.25rem solid var(--bad)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--accent)", color: "var(--on-accent)", borderRadius: "0.25rem", font: "inherit", padding: "0.125rem 0.5rem", cursor: "pointer" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "0.2em" },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft) !important", outline: "1px solid var(--accent)" },
  ".ql-keyword": { color: "var(--ql-keyword)", fontWeight: "600" },
  ".ql-text": { color: "var(--ql-text)" },
  ".ql-number": { color: "var(--ql-number)" },
  ".ql-comment": { color: "var(--dim)", fontStyle: "italic" },
  ".ql-parameter": { color: "var(--ql-number)", fontWeight: "600" },
  ".ql-function": { color: "var(--ql-function)" },
  ".ql-level": { color: "var(--ql-level)" },
});
