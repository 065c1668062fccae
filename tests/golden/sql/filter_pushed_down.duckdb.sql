-- SELECT month, revenue WHERE region IN ('East', 'O''West') AND day >= '2024-01-31' AT month
SELECT
  "l month" AS "month",
  CAST(SUM("c revenue") AS DECIMAL(38, 2)) AS "m0_value"
FROM (
  SELECT
    CAST(DATE_TRUNC('MONTH', CAST("f"."day" AS DATE)) AS DATE) AS "l month",
    CAST("f"."day" AS DATE) AS "l day",
    "j0"."target" AS "l region",
    "f"."day" AS "c day",
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
  WHERE
    (
      CAST("f"."day" AS DATE)
    ) >= (
      CAST($p0 AS DATE)
    )
    AND (
      "j0"."target"
    ) IN (CAST($p1 AS TEXT), CAST($p2 AS TEXT))
) AS "rows"
GROUP BY
  "l month";
