// @gizmodata/gizmosql-client: CommandStatementQuery over grpc-js. `node gizmosql.mjs '{"host": ...}'`
// prints one JSON object: what each step saw. It judges nothing; the tests do.

import gizmosql from "@gizmodata/gizmosql-client";
import { BY_REGION, EVERY_TYPE, LAST, Recorder, TICKS, refused, rows, target, versionOf } from "./recorded.mjs";

const run = new Recorder(versionOf("@gizmodata/gizmosql-client"));
const client = new gizmosql.FlightSQLClient({ host: target.host, port: target.port, plaintext: true });

await run.step("connect", () => client.connect());
await run.step("execute", async () => {
  const table = await client.execute(BY_REGION);
  run.carried("schema metadata of the stream", table.schema.metadata.get("served_from"));
  return rows(table);
});
await run.step("types", async () => {
  const table = await client.execute(EVERY_TYPE);
  return {
    types: Object.fromEntries(table.schema.fields.map((field) => [field.name, String(field.type)])),
    rows: rows(table),
  };
});
await run.step("metadata", async () => ({
  catalogs: await client.getCatalogs(),
  schemas: await client.getSchemas("corner-shop"),
  tables: await client.getTables("corner-shop", "shop"),
  narrowed: await client.getTables(undefined, undefined, "st%", ["table"]),
  types: await client.getTableTypes(),
}));
await run.step("get_info", async () => Object.fromEntries(await client.getSqlInfo([0, 3, 8, 504, 557])));
await run.step("get_info of all", async () => (await client.getSqlInfo()).size);
await run.step("a million rows", async () => {
  const table = await client.execute(TICKS);
  let sum = 0n;
  for (const batch of table.batches) {
    for (const value of batch.getChild("reading").data[0].values) sum += value;
  }
  return { rows: table.numRows, sum };
});
await run.step("refusal", async () => {
  try {
    await client.execute("SELECT regio AT region");
  } catch (error) {
    return error.message;
  }
});
await run.step("served_from", async () => {
  await client.execute(BY_REGION);
  const [newest] = rows(await client.execute(LAST));
  run.carried("system.last_queries", newest.served_from);
  return newest.source;
});
async function overTls(entered) {
  const another = new gizmosql.FlightSQLClient({ host: target.host, port, ...entered });
  await another.connect();
  try {
    return rows(await another.execute(BY_REGION));
  } finally {
    await another.close();
  }
}

const { port, user: username, password, token } = target.secured;
await run.step("tls, user and password", () => overTls({ username, password }));
await run.step("tls, token", () => overTls({ token }));
await run.step("wrong password", () => refused(overTls({ username, password: "no" })));
await run.step("no credentials", () => refused(overTls({})));
await run.step("close", () => client.close());
run.write();
