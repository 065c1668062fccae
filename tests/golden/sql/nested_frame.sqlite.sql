-- SELECT region, AVG(revenue @ day) AS mean_day AT region ORDER BY mean_day DESC LIMIT 2
SELECT
  "l day" AS "day",
  "l region" AS "region",
  FF_TOTAL(SUM((
    "c revenue"
  ) >> 32), SUM((
    "c revenue"
  ) & 4294967295), 38) AS "m0_value"
FROM (
  SELECT
    (
      CASE
        WHEN DATE("f"."day", '+0 days') = "f"."day" AND "f"."day" >= '0001-01-01'
        THEN "f"."day"
        WHEN "f"."day" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.day', 'date')
      END
    ) AS "l day",
    "j0"."target" AS "l region",
    (
      CASE
        WHEN DATE("f"."day", '+0 days') = "f"."day" AND "f"."day" >= '0001-01-01'
        THEN "f"."day"
        WHEN "f"."day" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.day', 'date')
      END
    ) AS "c day",
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
  "l day",
  "l region";
