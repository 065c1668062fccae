/** The page starts here. */
import { mount } from "svelte";
import "./styles/page.css";
import App from "./App.svelte";

mount(App, { target: document.getElementById("workbench") as HTMLElement });
