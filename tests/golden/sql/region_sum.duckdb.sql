-- SELECT region, revenue AT region
SELECT
  "l region" AS "region",
  CAST(SUM("c revenue") AS DECIMAL(38, 2)) AS "m0_value"
FROM (
  SELECT
    "j0"."target" AS "l region",
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
  "l region";
