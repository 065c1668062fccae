-- SELECT region, AVG(revenue) AS mean, VAR(revenue) AS spread AT region
SELECT
  "l region" AS "region",
  CAST(SUM("c revenue") AS DECIMAL(38, 2)) AS "m0_value",
  CAST(COUNT("c revenue") AS BIGINT) AS "m1_value",
  CAST(COUNT("c revenue") AS BIGINT) AS "m2_count",
  CAST(AVG(CAST("c revenue" AS DOUBLE)) AS DOUBLE) AS "m2_mean",
  CAST(VAR_POP(CAST("c revenue" AS DOUBLE)) * COUNT("c revenue") AS DOUBLE) AS "m2_m2"
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
