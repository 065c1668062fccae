/** The page starts here. */
import { mount } from "svelte";
import "./styles/page.css";
import App from "./App.svelte";

mount(App, { target: document.getElementById("workbench") as HTMLElement });

// Once the editor stands, what decodes answers is fetched: the first question need not wait for it.
setTimeout(() => import("./api/decode.ts").catch(() => undefined), 1000);
