-- SELECT region, AVG(revenue @ day) AS mean_day AT region ORDER BY mean_day DESC LIMIT 2
SELECT
  "l day" AS "day",
  "l region" AS "region",
  CAST(SUM("c revenue") AS DECIMAL(38, 2)) AS "m0_value"
FROM (
  SELECT
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
) AS "rows"
GROUP BY
  "l day",
  "l region";
