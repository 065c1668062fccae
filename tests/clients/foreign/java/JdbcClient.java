import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * Every call of JDBC that a tool makes, through the Arrow driver on the class path.
 *
 * <p>{@code java JdbcClient VERSION URL} prints one JSON object: what each step saw.
 */
public final class JdbcClient {
  static final String BY_REGION = "SELECT region, SUM(amount) AS total AT region";
  static final String EVERY_TYPE =
      "SELECT sale, moment, day, gift, amount, weight, pieces AT (sale, moment, day, gift)"
          + " ORDER BY sale";
  static final String TICKS = "SELECT tick, reading AT tick";
  static final String LAST = "SELECT * FROM system.last_queries";

  private final Recorder run = new Recorder();
  private final String url;
  private Connection connection;

  private JdbcClient(String url) {
    this.url = url;
  }

  public static void main(String[] arguments) {
    JdbcClient client = new JdbcClient(arguments[1]);
    client.queries();
    client.secured(arguments[2], arguments[3], arguments[4], arguments[5]);
    client.run.step("close", client::close);
    client.run.write(arguments[0]);
    // The driver's event loops would hold the process.
    System.exit(0);
  }

  private void queries() {
    run.step("connect", this::connect);
    run.step("execute", () -> answer(BY_REGION));
    run.step("types", this::types);
    run.step("result set metadata", this::resultSetMetadata);
    run.step("parameters", this::parameters);
    run.step("moments as parameters", this::moments);
    run.step("parameter metadata", this::parameterMetadata);
    DatabaseFacts facts = new DatabaseFacts(connection);
    run.step("database metadata", facts::getters);
    run.step("catalogs, schemas and tables", facts::listings);
    run.step("columns", facts::columns);
    run.step("keys", facts::keys);
    run.step("probes", this::probes);
    run.step("promises", this::promises);
    run.step("other listings", facts::others);
    run.step("statement again", this::statementAgain);
    run.step("max rows", this::maxRows);
    run.step("a million rows", this::million);
    run.step("early close", this::earlyClose);
    run.step("cancel", this::cancel);
    run.step("refusal", () -> refusal("SELECT regio AT region"));
    run.step("update refused", () -> refusal("DROP TABLE stores"));
    run.step("served_from", this::servedFrom);
    Properties named = properties("user", "alice", "password", "secret");
    run.step("user and password", () -> answerOver(url, named));
    run.step("catalog", () -> answerInCatalog(url + "&catalog=corner-shop", named));
    run.step("another catalog", () -> turnedAway(url + "&catalog=nowhere", named));
    String more = url + "&tenant=corner&environmentId=7";
    run.step("unknown properties", () -> answerOver(more, new Properties()));
  }

  private void secured(String overTls, String user, String password, String token) {
    Properties named = properties("user", user, "password", password);
    run.step("tls, user and password", () -> answerOver(overTls, named));
    run.step("tls, token", () -> answerOver(overTls, properties("token", token)));
    Properties wrong = properties("user", user, "password", "no");
    run.step("wrong password", () -> turnedAway(overTls, wrong));
    run.step("no credentials", () -> turnedAway(overTls, new Properties()));
  }

  private static Properties properties(String... pairs) {
    Properties made = new Properties();
    for (int at = 0; at < pairs.length; at += 2) {
      made.setProperty(pairs[at], pairs[at + 1]);
    }
    return made;
  }

  private Object connect() throws SQLException {
    connection = DriverManager.getConnection(url);
    return Recorder.map(
        "valid", connection.isValid(5),
        "read only", connection.isReadOnly(),
        "auto commit", connection.getAutoCommit(),
        "isolation", connection.getTransactionIsolation(),
        "closed", connection.isClosed());
  }

  private Object answer(String query) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      return read(rows);
    }
  }

  private Object answerOver(String url, Properties properties) throws SQLException {
    try (Connection another = DriverManager.getConnection(url, properties);
        Statement statement = another.createStatement();
        ResultSet rows = statement.executeQuery(BY_REGION)) {
      return read(rows);
    }
  }

  /** What a connection with a catalog answers, and what its driver says when it is closed. */
  private Object answerInCatalog(String url, Properties properties) throws SQLException {
    Connection another = DriverManager.getConnection(url, properties);
    Object found;
    try (Statement statement = another.createStatement();
        ResultSet rows = statement.executeQuery(BY_REGION)) {
      found = read(rows);
    }
    String said = null;
    try {
      another.close();
    } catch (SQLException late) {
      said = late.getMessage();
    }
    return Recorder.map("rows", found, "closing", said);
  }

  private Object turnedAway(String url, Properties properties) {
    try {
      answerOver(url, properties);
    } catch (SQLException refused) {
      return refused.getMessage();
    }
    return null;
  }

  /** The rows that are left, each as a map from label to value. */
  static List<Object> read(ResultSet rows) throws SQLException {
    ResultSetMetaData columns = rows.getMetaData();
    List<Object> found = new ArrayList<>();
    while (rows.next()) {
      Map<String, Object> row = new LinkedHashMap<>();
      for (int at = 1; at <= columns.getColumnCount(); at++) {
        row.put(columns.getColumnLabel(at), rows.getObject(at));
      }
      found.add(row);
    }
    return found;
  }

  private Object types() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(EVERY_TYPE)) {
      List<Object> found = new ArrayList<>();
      while (rows.next()) {
        BigDecimal amount = rows.getBigDecimal("amount");
        long pieces = rows.getLong("pieces");
        boolean noPieces = rows.wasNull();
        boolean gift = rows.getBoolean("gift");
        boolean noGift = rows.wasNull();
        found.add(
            Recorder.map(
                "sale", rows.getLong(1),
                "moment", rows.getTimestamp("moment"),
                "day", rows.getDate("day"),
                "gift", noGift ? null : gift,
                "amount", amount,
                "weight", rows.getObject("weight"),
                "pieces", noPieces ? null : pieces,
                "text", rows.getString("day")));
      }
      return found;
    }
  }

  private Object resultSetMetadata() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(EVERY_TYPE)) {
      ResultSetMetaData columns = rows.getMetaData();
      List<Object> found = new ArrayList<>();
      for (int at = 1; at <= columns.getColumnCount(); at++) {
        found.add(
            Recorder.map(
                "label", columns.getColumnLabel(at),
                "type", columns.getColumnType(at),
                "type name", columns.getColumnTypeName(at),
                "class", columns.getColumnClassName(at),
                "precision", columns.getPrecision(at),
                "scale", columns.getScale(at),
                "nullable", columns.isNullable(at),
                "catalog", columns.getCatalogName(at),
                "schema", columns.getSchemaName(at),
                "table", columns.getTableName(at),
                "signed", columns.isSigned(at),
                "read only", columns.isReadOnly(at),
                "searchable", columns.isSearchable(at),
                "case sensitive", columns.isCaseSensitive(at)));
      }
      return found;
    }
  }

  /** The labels of a result without rows, prepared and not. */
  private Object empty(String query) throws SQLException {
    try (PreparedStatement prepared = connection.prepareStatement(query);
        ResultSet ofPrepared = prepared.executeQuery();
        Statement statement = connection.createStatement();
        ResultSet ofStatement = statement.executeQuery(query)) {
      return Recorder.map(
          "prepared", labels(ofPrepared),
          "statement", labels(ofStatement),
          "rows", read(ofPrepared).size() + read(ofStatement).size());
    }
  }

  private static List<Object> labels(ResultSet rows) throws SQLException {
    List<Object> labels = new ArrayList<>();
    for (int at = 1; at <= rows.getMetaData().getColumnCount(); at++) {
      labels.add(rows.getMetaData().getColumnLabel(at));
    }
    return labels;
  }

  /** What tools send beside queries: a whole table, its columns, the information schema. */
  private Object probes() throws SQLException {
    String tables = "SELECT table_name FROM information_schema.tables ORDER BY table_name";
    String columns =
        "SELECT column_name AS name FROM information_schema.columns"
            + " WHERE 1 >= 1 AND lower(table_name) IN ('stores') ORDER BY column_name";
    return Recorder.map(
        "table", answer("SELECT * FROM \"stores\""),
        "columns alone", empty("SELECT * FROM \"shop\".\"stores\" WHERE 1 = 0"),
        "no rows", empty("SELECT region, amount AT region WHERE region = 'Nowhere'"),
        "columns", answer(columns),
        "tables", answer(tables),
        "session", answer("SELECT current_catalog AS c, current_schema() AS s, {fn user()} AS u"));
  }

  /** For getters of DatabaseMetaData, whether each text that they promise is answered. */
  private Object promises() {
    String total = "SELECT SUM(amount) AS total FROM metrics";
    String regions = "SELECT region, SUM(amount) AS total FROM metrics";
    String joined = "SELECT t.region, SUM(s.amount) AS total FROM sales s ";
    String on = " JOIN stores t ON s.store = t.store GROUP BY t.region";
    String stores = "SELECT store FROM stores";
    String inUnion = "SELECT region FROM stores UNION ";
    return Recorder.map(
        "supportsGroupBy", answered(regions + " GROUP BY region"),
        "supportsGroupByUnrelated", answered(total + " GROUP BY region"),
        "supportsGroupByBeyondSelect", answered(regions + " GROUP BY region, store"),
        "supportsColumnAliasing", answered(total),
        "supportsTableCorrelationNames", answered("SELECT x.store FROM stores x"),
        "supportsExpressionsInOrderBy", answered(regions + " GROUP BY region ORDER BY total * -1"),
        "supportsOrderByUnrelated", answered(stores + " ORDER BY region"),
        "supportsLimitedOuterJoins", answered(joined + "LEFT OUTER" + on),
        "supportsFullOuterJoins", answered(joined + "FULL OUTER" + on),
        "supportsUnion", answered(inUnion + stores),
        "supportsUnionAll", answered(inUnion + "ALL " + stores),
        "supportsSubqueriesInIns",
            answered(regions + " WHERE store IN (" + stores + ") GROUP BY region"),
        "supportsSubqueriesInExists",
            answered(regions + " WHERE EXISTS (" + stores + ") GROUP BY region"),
        "supportsSubqueriesInComparisons",
            answered(regions + " WHERE store = (SELECT MAX(store) FROM stores) GROUP BY region"),
        "supportsSubqueriesInQuantifieds", answered(stores + " WHERE store >= ALL (" + stores + ")"),
        "supportsSelectForUpdate", answered(stores + " FOR UPDATE"),
        "supportsTransactions", answered("BEGIN"),
        "supportsNonNullableColumns",
            answered("SELECT 1 WHERE 'NO' IN (SELECT is_nullable FROM information_schema.columns)"));
  }

  private boolean answered(String query) {
    return refusal(query) == null;
  }

  private Object parameters() throws SQLException {
    List<Object> found = new ArrayList<>();
    try (PreparedStatement prepared = connection.prepareStatement(BY_REGION + " WHERE region = ?")) {
      for (String region : List.of("North", "South")) {
        prepared.setString(1, region);
        try (ResultSet rows = prepared.executeQuery()) {
          found.addAll(read(rows));
        }
      }
    }
    String several = "SELECT sale, amount AT sale WHERE day >= ? AND sale < ? AND gift = ?";
    try (PreparedStatement prepared = connection.prepareStatement(several)) {
      prepared.setDate(1, Date.valueOf("2024-02-29"));
      prepared.setLong(2, 4);
      prepared.setBoolean(3, false);
      try (ResultSet rows = prepared.executeQuery()) {
        found.addAll(read(rows));
      }
    }
    return found;
  }

  /** The sales after a moment, for one within the year, one years later, and none at all. */
  private Object moments() throws SQLException {
    Map<String, Object> found = new LinkedHashMap<>();
    String later = "SELECT sale, pieces AT sale WHERE moment > ? AND day >= ?";
    try (PreparedStatement prepared = connection.prepareStatement(later)) {
      prepared.setDate(2, Date.valueOf("2024-02-28"));
      for (String moment : List.of("2024-02-29 23:59:59", "2024-03-01 00:00:00", "2030-01-01 00:00:00")) {
        prepared.setTimestamp(1, Timestamp.valueOf(moment));
        try (ResultSet rows = prepared.executeQuery()) {
          found.put(moment, read(rows));
        }
      }
      prepared.setNull(1, Types.TIMESTAMP);
      try (ResultSet rows = prepared.executeQuery()) {
        found.put("null", read(rows));
      }
    }
    return found;
  }

  private Object parameterMetadata() throws SQLException {
    String several = "SELECT sale, amount AT sale WHERE day >= ? AND sale < ? AND gift = ?";
    try (PreparedStatement prepared = connection.prepareStatement(several)) {
      ParameterMetaData parameters = prepared.getParameterMetaData();
      List<Object> found = new ArrayList<>();
      for (int at = 1; at <= parameters.getParameterCount(); at++) {
        found.add(parameters.getParameterTypeName(at));
      }
      return Recorder.map(
          "parameters", found, "columns", prepared.getMetaData().getColumnCount());
    }
  }

  private Object statementAgain() throws SQLException {
    List<Object> found = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      for (String query : List.of(BY_REGION, BY_REGION, "SELECT 1")) {
        boolean rows = statement.execute(query);
        found.add(rows ? read(statement.getResultSet()).size() : "no rows");
      }
    }
    return found;
  }

  private Object maxRows() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setMaxRows(2);
      try (ResultSet rows = statement.executeQuery(BY_REGION)) {
        return read(rows).size();
      }
    }
  }

  private Object million() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(TICKS)) {
      long count = 0;
      long sum = 0;
      while (rows.next()) {
        count++;
        sum += rows.getLong(2);
      }
      return Recorder.map("rows", count, "sum", sum);
    }
  }

  private Object earlyClose() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(TICKS)) {
      rows.next();
    }
    return answer(BY_REGION);
  }

  private Object cancel() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(TICKS)) {
      rows.next();
      statement.cancel();
      long more = 0;
      try {
        while (rows.next()) {
          more++;
        }
      } catch (SQLException stopped) {
        return Recorder.map("stopped", true, "answers still", answer("SELECT 1"));
      }
      return Recorder.map("stopped", more < 1_199_999, "answers still", answer("SELECT 1"));
    }
  }

  private Object refusal(String query) {
    try {
      answer(query);
    } catch (SQLException refused) {
      return refused.getMessage();
    }
    return null;
  }

  private Object servedFrom() throws Exception {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(BY_REGION)) {
      run.carried("getAppMetadata of the result set", label(rows));
    }
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(LAST)) {
      rows.next();
      run.carried("system.last_queries", rows.getString("served_from"));
      return rows.getString("source");
    }
  }

  private static String label(ResultSet rows) throws Exception {
    byte[] carried = (byte[]) rows.getClass().getMethod("getAppMetadata").invoke(rows);
    String text = carried == null ? "" : new String(carried, StandardCharsets.UTF_8);
    String key = "\"served_from\":";
    int from = text.indexOf(key);
    return from < 0 ? null : text.substring(from + key.length()).replaceAll("^\\s*\"([^\"]*)\".*", "$1");
  }

  private Object close() throws SQLException {
    connection.close();
    return connection.isClosed();
  }
}
