/**
 * The query on the page as code: the same text over the client, ADBC, Polars and curl.
 *
 * What comes in is a text and where the server answers; what goes out are programs. It must never
 * let a text end the string that holds it.
 */

/** One program. */
export interface Snippet {
  readonly name: string;
  readonly language: "python" | "shell" | "text";
  readonly text: string;
}

/** Where a server answers. */
export interface Addresses {
  readonly http: string;
  /** Over Arrow Flight, such as `grpc://127.0.0.1:8815`. */
  readonly flight: string;
}

/** Return the programs that ask a text. */
export function snippets(source: string, { http, flight }: Addresses): Snippet[] {
  const query = source.trim();
  const secure = flight.startsWith("grpc+tls");
  const host = flight.replace(/^grpc(?:\+\w+)?:\/\//, "");
  const adbc = secure ? flight : `grpc+tcp://${host}`;
  return [
    { name: "Python", language: "python", text: pythonClient(query, flight) },
    { name: "ADBC", language: "python", text: adbcClient(query, adbc) },
    { name: "Polars", language: "python", text: polars(query, host, secure) },
    { name: "curl", language: "shell", text: curl(query, http) },
    {
      name: "JDBC", language: "text",
      text: `jdbc:arrow-flight-sql://${host}/?useEncryption=${secure}\n\n${query}`,
    },
  ];
}

function pythonClient(query: string, flight: string): string {
  return `import flightframe

query = ${pythonText(query)}
with flightframe.connect(${pythonText(flight)}) as connection:
    result = connection.query(query)
    print(result.to_polars())
    print(result.served_from)
`;
}

function adbcClient(query: string, address: string): string {
  return `import adbc_driver_flightsql.dbapi

query = ${pythonText(query)}
with adbc_driver_flightsql.dbapi.connect(${pythonText(address)}, autocommit=True) as connection:
    with connection.cursor() as cursor:
        cursor.execute(query)
        table = cursor.fetch_arrow_table()
print(table)
print(table.schema.metadata[b"served_from"].decode())
`;
}

function polars(query: string, host: string, secure: boolean): string {
  const address = `flightsql://${host}?transport=${secure ? "tls" : "tcp"}`;
  return `import polars

query = ${pythonText(query)}
frame = polars.read_database_uri(query, ${pythonText(address)}, engine="adbc")
print(frame)
`;
}

function curl(query: string, http: string): string {
  const body = JSON.stringify({ source: query });
  return `curl -s -X POST ${http}/runtime/query -H 'content-type: application/json' \\
  -d ${shellText(body)}
`;
}

/** Return a text as a string of Python; long ones keep their lines. */
export function pythonText(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return text.includes("\n") ? `"""${escaped}"""` : `"${escaped}"`;
}

/** Return a text as one word of a POSIX shell. */
export function shellText(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
