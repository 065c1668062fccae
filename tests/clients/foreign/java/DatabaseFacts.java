import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a tool learns of the database from DatabaseMetaData: every getter, and every listing. */
final class DatabaseFacts {
  private final Connection connection;

  DatabaseFacts(Connection connection) {
    this.connection = connection;
  }

  /** Every getter of the interface that takes nothing, and those that take one number. */
  Object getters() throws Exception {
    DatabaseMetaData facts = connection.getMetaData();
    Map<String, Object> found = new TreeMap<>();
    Method[] methods = DatabaseMetaData.class.getMethods();
    Arrays.sort(methods, Comparator.comparing(Method::toString));
    for (Method method : methods) {
      Class<?>[] takes = method.getParameterTypes();
      if (takes.length == 0) {
        found.put(method.getName(), value(facts, method));
      } else if (takes.length == 1 && takes[0] == int.class) {
        found.put(method.getName() + "(1)", value(facts, method, 1));
      }
    }
    return found;
  }

  private static Object value(DatabaseMetaData facts, Method method, Object... arguments)
      throws Exception {
    try {
      Object value = method.invoke(facts, arguments);
      if (value instanceof ResultSet rows) {
        try (rows) {
          return "rows: " + JdbcClient.read(rows).size();
        }
      }
      return value instanceof Connection ? "the connection" : value;
    } catch (InvocationTargetException failed) {
      return "failed: " + failed.getCause();
    }
  }

  Object listings() throws SQLException {
    DatabaseMetaData facts = connection.getMetaData();
    return Recorder.map(
        "catalogs", rows(facts.getCatalogs()),
        "schemas", rows(facts.getSchemas()),
        "schemas by pattern", rows(facts.getSchemas("corner-shop", "sh%")),
        "schemas elsewhere", rows(facts.getSchemas("nowhere", null)),
        "table types", rows(facts.getTableTypes()),
        "tables", names(facts.getTables(null, null, "%", null)),
        "tables by pattern", names(facts.getTables("corner-shop", "shop", "st%", null)),
        "tables by type", names(facts.getTables(null, null, null, new String[] {"TABLE"})),
        "views", names(facts.getTables(null, null, null, new String[] {"VIEW"})),
        "one table", rows(facts.getTables(null, null, "stores", null)));
  }

  Object columns() throws SQLException {
    DatabaseMetaData facts = connection.getMetaData();
    return Recorder.map(
        "stores", rows(facts.getColumns(null, "shop", "stores", null)),
        "by pattern", rows(facts.getColumns("corner-shop", "shop", "sales", "%m%")),
        "metrics", rows(facts.getColumns(null, null, "metrics", "%")));
  }

  Object keys() throws SQLException {
    DatabaseMetaData facts = connection.getMetaData();
    return Recorder.map(
        "primary", rows(facts.getPrimaryKeys(null, "shop", "stores")),
        "imported", rows(facts.getImportedKeys(null, "shop", "sales")),
        "exported", rows(facts.getExportedKeys(null, "shop", "stores")),
        "between", rows(facts.getCrossReference(null, "shop", "stores", null, "shop", "sales")));
  }

  Object others() throws SQLException {
    DatabaseMetaData facts = connection.getMetaData();
    return Recorder.map(
        "types", rows(facts.getTypeInfo()).size(),
        "procedures", rows(facts.getProcedures(null, null, "%")).size(),
        "functions", rows(facts.getFunctions(null, null, "%")).size(),
        "indices", rows(facts.getIndexInfo(null, "shop", "stores", true, true)).size());
  }

  private static List<Object> rows(ResultSet rows) throws SQLException {
    try (rows) {
      return JdbcClient.read(rows);
    }
  }

  private static List<Object> names(ResultSet rows) throws SQLException {
    List<Object> found = new ArrayList<>();
    try (rows) {
      while (rows.next()) {
        found.add(rows.getString("TABLE_NAME"));
      }
    }
    return found;
  }
}
