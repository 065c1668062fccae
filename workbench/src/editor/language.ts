/**
 * Frame-QL as a language of the editor: colours, comments, brackets.
 *
 * What comes in is a text; what goes out is its tree. It must never decide whether a text is right:
 * that is what the server's check is for.
 */
import { HighlightStyle, LRLanguage, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
import { styleTags, tags } from "@lezer/highlight";
import { parser } from "./frame_ql.grammar";

/** The language itself. */
export const frameQL = LRLanguage.define({
  name: "frame-ql",
  parser: parser.configure({
    props: [
      styleTags({
        Keyword: tags.keyword, Constant: tags.bool, Text: tags.string, "Moment/Text": tags.string,
        "Integer Number": tags.number, "LineComment BlockComment": tags.comment,
        "Parameter Dollar": tags.special(tags.variableName), "Callee/Word Callee/Quoted": tags.function(tags.variableName),
        "Level/Dotted/Word Level/Dotted/Quoted": tags.propertyName, "AdHocLevel/Alias/Word AdHocLevel/Alias/Quoted": tags.propertyName,
        "Alias/Word Alias/Quoted": tags.definition(tags.variableName),
        "Word Quoted": tags.variableName, "Compare Plus Times Concat": tags.operator,
      }),
    ],
  }),
  languageData: {
    commentTokens: { line: "--", block: { open: "/*", close: "*/" } },
    closeBrackets: { brackets: ["(", "{", "'", '"'] },
  },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, class: "ql-keyword" },
  { tag: tags.bool, class: "ql-keyword" },
  { tag: tags.string, class: "ql-text" },
  { tag: tags.number, class: "ql-number" },
  { tag: tags.comment, class: "ql-comment" },
  { tag: tags.special(tags.variableName), class: "ql-parameter" },
  { tag: tags.function(tags.variableName), class: "ql-function" },
  { tag: tags.propertyName, class: "ql-level" },
]);

/** Return what the editor needs for it. */
export function frameQLSupport(): LanguageSupport {
  return new LanguageSupport(frameQL, [syntaxHighlighting(colours)]);
}

/** What SQL has and Frame-QL has not. */
const SQL_ONLY = /\bGROUP\s+BY\b|\bJOIN\b|\bOVER\s*\(|\bUNION\b|^\s*(EXPLAIN\s+)?(WITH|SHOW|VALUES)\b/i;

/**
 * Whether a text is of Frame-QL: it has an AT, or it has mistakes and nothing that only SQL has.
 *
 * A text of SQL is one with mistakes here; the server says what is wrong with it, if anything is.
 */
export function isFrameQL(text: string): boolean {
  const tree = frameQL.parser.parse(text);
  let found = false;
  let mistakes = false;
  tree.iterate({
    enter(node) {
      if (node.name === "At") found = true;
      if (node.type.isError) mistakes = true;
    },
  });
  return mistakes ? !SQL_ONLY.test(text) : found;
}
