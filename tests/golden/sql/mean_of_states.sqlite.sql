-- SELECT region, AVG(revenue) AS mean, VAR(revenue) AS spread AT region
SELECT
  "l region" AS "region",
  FF_TOTAL(SUM((
    "c revenue"
  ) >> 32), SUM((
    "c revenue"
  ) & 4294967295), 38) AS "m0_value",
  COUNT("c revenue") AS "m1_value",
  COUNT("c revenue") AS "m2_count",
  FF_MEAN(FF_REAL("c revenue", 2)) AS "m2_mean",
  FF_SPREAD(FF_REAL("c revenue", 2)) AS "m2_m2"
FROM (
  SELECT
    "j0"."target" AS "l region",
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
        WHEN "f"."revenue" > -100000000
        AND "f"."revenue" < 100000000
        AND ROUND("f"."revenue" * 100.0) / 100.0 = "f"."revenue"
        THEN CAST(ROUND("f"."revenue" * 100.0) AS INTEGER)
        WHEN "f"."revenue" IS NULL
        THEN NULL
        ELSE FF_NUMBER("f"."revenue", 10, 2, 'tx.revenue', f.rowid)
      END
    ) AS "c revenue"
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
  LIMIT -1
) AS "rows"
GROUP BY
  "l region";
