-- SELECT txn, region, revenue, COUNT(cost) AS n AT (txn, region) WHERE region = 'East'
SELECT
  "l region" AS "region",
  "l txn" AS "txn",
  CAST("c revenue" AS DECIMAL(38, 2)) AS "m0_value",
  CAST(CASE WHEN NOT "c cost" IS NULL THEN 1 ELSE 0 END AS BIGINT) AS "m1_value"
FROM (
  SELECT
    CAST("j0"."region" AS TEXT) AS "l region",
    CAST("f"."txn" AS BIGINT) AS "l txn",
    "f"."store" AS "c store",
    "f"."txn" AS "c txn",
    "f"."revenue" AS "c revenue",
    "f"."cost" AS "c cost"
  FROM "tx" AS "f"
  LEFT JOIN "stores" AS "j0"
    ON CAST("f"."store" AS TEXT) = CAST("j0"."store" AS TEXT)
  WHERE
    (
      CAST("j0"."region" AS TEXT)
    ) = (
      CAST($p0 AS TEXT)
    )
) AS "rows";
