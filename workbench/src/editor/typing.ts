/**
 * Text typed over a selection, put into the document without the browser's own editing.
 *
 * What comes in are events of typing; what goes out are changes of the document. Left to itself the
 * browser keeps the look of what it replaces by an inline style, which the page's policy forbids. It
 * must never take part in a composition: an input method writes by itself.
 */
import { EditorView } from "@codemirror/view";

export const typedOverSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    const text = event.data;
    if (empty || event.isComposing || event.inputType !== "insertText" || text === null) return false;
    const change = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
    const taken = view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, text, change));
    if (!taken) view.dispatch(change());
    event.preventDefault();
    return true;
  },
});
