/** How the page is built: into the server's package, with nothing inline and nothing from elsewhere. */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { lezer } from "@lezer/generator/rollup";
import { defineConfig } from "vitest/config";
import { compressed } from "./build/compressed.js";
import { helpPages } from "./build/help_pages.js";

const server = process.env.FLIGHTFRAME_URL ?? "http://127.0.0.1:8000";
const answered = ["/runtime", "/sessions", "/healthz", "/readyz", "/openapi.json", "/docs"];

export default defineConfig({
  plugins: [lezer(), helpPages("../docs"), svelte(), compressed()],
  build: {
    outDir: process.env.FLIGHTFRAME_PAGE ?? "../server/flightframe_server/web/page",
    emptyOutDir: true,
    // A data: URI in a style sheet would be inline content, which the page's policy forbids.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 700,
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(
      answered.map((path) => [path, { target: server, changeOrigin: true }]),
    ),
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
