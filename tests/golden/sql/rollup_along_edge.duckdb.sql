-- SELECT coast, revenue AT coast
SELECT
  "l coast" AS "coast",
  CAST(SUM("c revenue") AS DECIMAL(38, 2)) AS "m0_value"
FROM (
  SELECT
    (
      CASE
        WHEN "j0"."target" IS NULL
        THEN CAST(NULL AS TEXT)
        WHEN "j0"."target" = CAST($p0 AS TEXT)
        THEN CAST($p1 AS TEXT)
        WHEN "j0"."target" = CAST($p2 AS TEXT)
        THEN CAST($p3 AS TEXT)
        ELSE CAST($p4 AS TEXT)
      END
    ) AS "l coast",
    "f"."store" AS "c store",
    "f"."revenue" AS "c revenue"
  FROM "tx" AS "f"
  LEFT JOIN (
    SELECT DISTINCT
      CAST("store" AS TEXT) AS "source",
      CAST("region" AS TEXT) AS "target"
    FROM "stores"
    WHERE
      NOT "store" IS NULL
  ) AS "j0"
    ON CAST("f"."store" AS TEXT) = "j0"."source"
) AS "rows"
GROUP BY
  "l coast";
