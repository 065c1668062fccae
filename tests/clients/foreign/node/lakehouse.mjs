// @lakehouse-rs/flight-sql-client: Rust and tonic under Node; it prepares every query.
// `node lakehouse.mjs '{"host": ...}'` prints one JSON object: what each step saw. It judges nothing;
// the tests do.

import lakehouse from "@lakehouse-rs/flight-sql-client";
import { tableFromIPC } from "apache-arrow";
import { BY_REGION, EVERY_TYPE, LAST, Recorder, TICKS, refused, rows, target, versionOf } from "./recorded.mjs";

const run = new Recorder(versionOf("@lakehouse-rs/flight-sql-client"));
let client;

const table = async (buffer) => tableFromIPC(await buffer);

await run.step("connect", async () => {
  client = await lakehouse.createFlightSqlClient({
    host: target.host,
    port: target.port,
    tls: false,
    headers: [{ key: "x-tenant", value: "corner" }],
  });
});
await run.step("execute", async () => {
  const found = await table(client.query(BY_REGION));
  run.carried("schema metadata of the stream", found.schema.metadata.get("served_from"));
  return rows(found);
});
await run.step("types", async () => {
  const found = await table(client.query(EVERY_TYPE));
  return {
    types: Object.fromEntries(found.schema.fields.map((field) => [field.name, String(field.type)])),
    rows: rows(found),
  };
});
await run.step("metadata", async () => ({
  catalogs: rows(await table(client.getCatalogs())),
  schemas: rows(await table(client.getDbSchemas({ catalog: "corner-shop" }))),
  tables: rows(await table(client.getTables({ dbSchemaFilterPattern: "sh_p" }))),
  narrowed: rows(await table(client.getTables({ tableNameFilterPattern: "st%", tableTypes: ["table"] }))),
}));
await run.step("a million rows", async () => {
  const found = await table(client.query(TICKS));
  let sum = 0n;
  for (const batch of found.batches) {
    for (const value of batch.getChild("reading").data[0].values) sum += value;
  }
  return { rows: found.numRows, sum };
});
await run.step("refusal", async () => {
  try {
    await client.query("SELECT regio AT region");
  } catch (error) {
    return error.message;
  }
});
await run.step("served_from", async () => {
  await client.query(BY_REGION);
  const [newest] = rows(await table(client.query(LAST)));
  run.carried("system.last_queries", newest.served_from);
  return newest.source;
});
// It trusts no certificate but the world's, and takes no other: it is asked for credentials in plain.
async function enter(entered) {
  const another = await lakehouse.createFlightSqlClient({
    host: target.host,
    port,
    tls: false,
    headers: [],
    ...entered,
  });
  return rows(await table(another.query(BY_REGION)));
}

const { plain_port: port, user: username, password, token } = target.secured;
await run.step("user and password", () => enter({ username, password }));
await run.step("token", () => enter({ token }));
// No wrong password: the client panics in its own thread there, and its promise is never kept.
await run.step("no credentials", () => refused(enter({})));
run.write();
