-- SELECT region, balance AT region
SELECT
  "l region" AS "region",
  CAST(SUM((
    CASE WHEN "l day" = "s0" THEN "c balance" END
  )) AS DECIMAL(38, 2)) AS "m0_value"
FROM (
  SELECT
    CAST("f"."region" AS TEXT) AS "l region",
    CAST("f"."account" AS TEXT) AS "l account",
    CAST("f"."day" AS DATE) AS "l day",
    "f"."region" AS "c region",
    "f"."account" AS "c account",
    "f"."day" AS "c day",
    "f"."balance" AS "c balance",
    MAX(CAST("f"."day" AS DATE)) OVER (PARTITION BY CAST("f"."region" AS TEXT), CAST("f"."account" AS TEXT)) AS "s0"
  FROM "balances" AS "f"
) AS "rows"
GROUP BY
  "l region";
