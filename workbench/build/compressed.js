/**
 * Compresses what was built, once: the server sends `name.gz` to browsers that take gzip.
 *
 * What comes in are the files of a bundle; what goes out is a second file beside each text. It must
 * never compress what a name does not change with, but for index.html, which is built anew with it.
 */
import { gzipSync } from "node:zlib";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TEXTS = /\.(?:js|css|html|svg|json)$/;

/** Return the plugin of Vite. */
export function compressed() {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
      if (config.build.outDir.startsWith("/")) folder = config.build.outDir;
    },
    closeBundle() {
      for (const path of filesOf(folder)) {
        if (TEXTS.test(path)) writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

function filesOf(folder) {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesOf(path) : [path]));
}
