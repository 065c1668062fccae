-- SELECT txn, region, revenue, COUNT(cost) AS n AT (txn, region) WHERE region = 'East'
SELECT
  "l region" AS "region",
  "l txn" AS "txn",
  FF_TOTAL(SUM((
    "c revenue"
  ) >> 32), SUM((
    "c revenue"
  ) & 4294967295), 38) AS "m0_value",
  COUNT("c cost") AS "m1_value"
FROM (
  SELECT
    "j0"."target" AS "l region",
    (
      CASE
        WHEN TYPEOF("f"."txn") = 'integer'
        THEN "f"."txn"
        WHEN "f"."txn" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.txn', 'integer')
      END
    ) AS "l txn",
    (
      CASE
        WHEN TYPEOF("f"."store") = 'text'
        THEN "f"."store"
        WHEN "f"."store" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.store', 'text')
      END
    ) AS "c store",
    (
      CASE
        WHEN TYPEOF("f"."txn") = 'integer'
        THEN "f"."txn"
        WHEN "f"."txn" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.txn', 'integer')
      END
    ) AS "c txn",
    (
      CASE
        WHEN "f"."revenue" > -100000000
        AND "f"."revenue" < 100000000
        AND ROUND("f"."revenue" * 100.0) / 100.0 = "f"."revenue"
        THEN CAST(ROUND("f"."revenue" * 100.0) AS INTEGER)
        WHEN "f"."revenue" IS NULL
        THEN NULL
        ELSE FF_NUMBER("f"."revenue", 10, 2, 'tx.revenue', f.rowid)
      END
    ) AS "c revenue",
    (
      CASE
        WHEN "f"."cost" > -100000000
        AND "f"."cost" < 100000000
        AND ROUND("f"."cost" * 100.0) / 100.0 = "f"."cost"
        THEN CAST(ROUND("f"."cost" * 100.0) AS INTEGER)
        WHEN "f"."cost" IS NULL
        THEN NULL
        ELSE FF_NUMBER("f"."cost", 10, 2, 'tx.cost', f.rowid)
      END
    ) AS "c cost"
  FROM "tx" AS "f"
  LEFT JOIN (
    SELECT DISTINCT
      (
        CASE
          WHEN TYPEOF("store") = 'text'
          THEN "store"
          WHEN "store" IS NULL
          THEN NULL
          ELSE FF_REFUSE('stores.store', 'text')
        END
      ) AS "source",
      (
        CASE
          WHEN TYPEOF("region") = 'text'
          THEN "region"
          WHEN "region" IS NULL
          THEN NULL
          ELSE FF_REFUSE('stores.region', 'text')
        END
      ) AS "target"
    FROM "stores"
    WHERE
      NOT "store" IS NULL
  ) AS "j0"
    ON (
      CASE
        WHEN TYPEOF("f"."store") = 'text'
        THEN "f"."store"
        WHEN "f"."store" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.store', 'text')
      END
    ) = "j0"."source"
  WHERE
    (
      (
        "j0"."target"
      ) = (
        :p0
      )
    )
  LIMIT -1
) AS "rows"
GROUP BY
  "l region",
  "l txn";
