/** What chips are called. */
import { expect, test } from "vitest";
import { isOf, nameOf } from "../src/shelf/chips.ts";

test("a chip is called by its alias, else by itself", () => {
  expect(nameOf("LOWER(stall) AS small")).toBe("small");
  expect(nameOf('revenue / 2 AS "half AS much"')).toBe('"half AS much"');
  expect(nameOf("region")).toBe("region");
  expect(nameOf("CAST(x AS text)")).toBe("CAST(x AS text)");
  expect(nameOf("COALESCE(x, ' AS y')")).toBe("COALESCE(x, ' AS y')");
});

test("a column is found among levels by its name, however that is written", () => {
  const levels = ["month", "LOWER(stall) AS small", '"odd name"', "first"];
  for (const column of ["month", "small", "odd name", "first"]) expect(isOf(levels, column)).toBe(true);
  for (const column of ["stall", "Small thing", "odd"]) expect(isOf(levels, column)).toBe(false);
});
