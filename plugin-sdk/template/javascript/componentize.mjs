// `node componentize.mjs OUT.wasm`: makes the component. All sources are put into one text, because a component has no files.
// No WASI feature is enabled: it imports no clock, randomness, stdio or network.
import { readFile, writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

const schema = JSON.stringify(JSON.parse(await readFile("config-schema.json", "utf8")));
const decides = (await readFile("decides.js", "utf8")).replace(/^export /gm, "");
const plugin = (await readFile("plugin.js", "utf8")).replace(/^import .* from "\.\/decides\.js";$/m, "");
const source = `${plugin}\nconst CONFIG_SCHEMA = ${JSON.stringify(schema)};\n${decides}`;

const { component, imports } = await componentize(source, {
  witPath: "wit",
  worldName: "plugin",
  disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
});
const foreign = imports.map(([from]) => from).filter((from) => from.startsWith("wasi:"));
if (foreign.length > 0) throw new Error(`the component would import ${foreign.join(", ")}`);
await writeFile(process.argv[2], component);
