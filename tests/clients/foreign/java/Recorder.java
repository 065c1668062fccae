import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the program writes down: per step what it saw, or how it failed, and how long it took; at the
 * end one JSON object on stdout. It judges nothing; the tests do.
 */
final class Recorder {
  /** One step: what it returns is what it saw. */
  interface Step {
    Object take() throws Exception;
  }

  private final Map<String, Object> steps = new LinkedHashMap<>();
  private final Map<String, Object> failed = new LinkedHashMap<>();
  private final Map<String, Object> carriers = new LinkedHashMap<>();
  private final Map<String, Object> seconds = new LinkedHashMap<>();

  /** Take a step and write down what it returns, or how it fails; the next one goes on. */
  void step(String name, Step step) {
    long started = System.nanoTime();
    try {
      steps.put(name, step.take());
    } catch (Throwable failure) {
      failed.put(name, told(failure));
    }
    seconds.put(name, (System.nanoTime() - started) / 1_000_000 / 1000.0);
  }

  /** Write down the label that came by one carrier. */
  void carried(String carrier, Object label) {
    carriers.put(carrier, label);
  }

  /** Print all of it. */
  void write(String version) {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("version", version);
    report.put("steps", steps);
    report.put("failed", failed);
    report.put("served_from", carriers);
    report.put("seconds", seconds);
    StringBuilder text = new StringBuilder();
    json(text, report);
    System.out.println(text);
  }

  /** A map of names and values, in their order: name, value, name, value, ... */
  static Map<String, Object> map(Object... pairs) {
    Map<String, Object> made = new LinkedHashMap<>();
    for (int at = 0; at < pairs.length; at += 2) {
      made.put((String) pairs[at], pairs[at + 1]);
    }
    return made;
  }

  private static String told(Throwable failure) {
    List<String> lines = new ArrayList<>();
    for (Throwable one = failure; one != null; one = one.getCause()) {
      lines.add(one.toString());
      for (StackTraceElement frame : one.getStackTrace()) {
        lines.add("  at " + frame);
      }
    }
    return String.join("\n", lines.subList(0, Math.min(lines.size(), 40)));
  }

  /** Numbers and flags as JSON has them, lists, maps; every other value as its text. */
  private static void json(StringBuilder to, Object value) {
    if (value == null || value instanceof Boolean || value instanceof Integer
        || value instanceof Long || value instanceof Short || value instanceof Byte) {
      to.append(value);
    } else if (value instanceof Double || value instanceof Float) {
      double number = ((Number) value).doubleValue();
      if (Double.isFinite(number)) {
        to.append(number);
      } else {
        quoted(to, String.valueOf(number));
      }
    } else if (value instanceof Map<?, ?> items) {
      to.append('{');
      for (Map.Entry<?, ?> item : items.entrySet()) {
        quoted(to.append(to.charAt(to.length() - 1) == '{' ? "" : ","), (String) item.getKey());
        json(to.append(':'), item.getValue());
      }
      to.append('}');
    } else if (value instanceof Iterable<?> items) {
      to.append('[');
      String between = "";
      for (Object item : items) {
        json(to.append(between), item);
        between = ",";
      }
      to.append(']');
    } else {
      quoted(to, value.toString());
    }
  }

  private static void quoted(StringBuilder to, String text) {
    to.append('"');
    for (char letter : text.toCharArray()) {
      if (letter == '"' || letter == '\\') {
        to.append('\\').append(letter);
      } else if (letter < ' ') {
        to.append(String.format("\\u%04x", (int) letter));
      } else {
        to.append(letter);
      }
    }
    to.append('"');
  }
}
