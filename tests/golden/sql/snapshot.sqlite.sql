-- SELECT region, balance AT region
SELECT
  "l region" AS "region",
  FF_TOTAL(
    SUM((
      (
        CASE WHEN "l day" = "s0" THEN "c balance" END
      )
    ) >> 32),
    SUM((
      (
        CASE WHEN "l day" = "s0" THEN "c balance" END
      )
    ) & 4294967295),
    38
  ) AS "m0_value"
FROM (
  SELECT
    (
      CASE
        WHEN TYPEOF("f"."region") = 'text'
        THEN "f"."region"
        WHEN "f"."region" IS NULL
        THEN NULL
        ELSE FF_REFUSE('balances.region', 'text')
      END
    ) AS "l region",
    (
      CASE
        WHEN TYPEOF("f"."account") = 'text'
        THEN "f"."account"
        WHEN "f"."account" IS NULL
        THEN NULL
        ELSE FF_REFUSE('balances.account', 'text')
      END
    ) AS "l account",
    (
      CASE
        WHEN DATE("f"."day", '+0 days') = "f"."day" AND "f"."day" >= '0001-01-01'
        THEN "f"."day"
        WHEN "f"."day" IS NULL
        THEN NULL
        ELSE FF_REFUSE('balances.day', 'date')
      END
    ) AS "l day",
    (
      CASE
        WHEN TYPEOF("f"."region") = 'text'
        THEN "f"."region"
        WHEN "f"."region" IS NULL
        THEN NULL
        ELSE FF_REFUSE('balances.region', 'text')
      END
    ) AS "c region",
    (
      CASE
        WHEN TYPEOF("f"."account") = 'text'
        THEN "f"."account"
        WHEN "f"."account" IS NULL
        THEN NULL
        ELSE FF_REFUSE('balances.account', 'text')
      END
    ) AS "c account",
    (
      CASE
        WHEN DATE("f"."day", '+0 days') = "f"."day" AND "f"."day" >= '0001-01-01'
        THEN "f"."day"
        WHEN "f"."day" IS NULL
        THEN NULL
        ELSE FF_REFUSE('balances.day', 'date')
      END
    ) AS "c day",
    (
      CASE
        WHEN "f"."balance" > -100000000
        AND "f"."balance" < 100000000
        AND ROUND("f"."balance" * 100.0) / 100.0 = "f"."balance"
        THEN CAST(ROUND("f"."balance" * 100.0) AS INTEGER)
        WHEN "f"."balance" IS NULL
        THEN NULL
        ELSE FF_NUMBER("f"."balance", 10, 2, 'balances.balance', f.rowid)
      END
    ) AS "c balance",
    MAX(
      (
        CASE
          WHEN DATE("f"."day", '+0 days') = "f"."day" AND "f"."day" >= '0001-01-01'
          THEN "f"."day"
          WHEN "f"."day" IS NULL
          THEN NULL
          ELSE FF_REFUSE('balances.day', 'date')
        END
      )
    ) OVER (
      PARTITION BY (
        CASE
          WHEN TYPEOF("f"."region") = 'text'
          THEN "f"."region"
          WHEN "f"."region" IS NULL
          THEN NULL
          ELSE FF_REFUSE('balances.region', 'text')
        END
      ), (
        CASE
          WHEN TYPEOF("f"."account") = 'text'
          THEN "f"."account"
          WHEN "f"."account" IS NULL
          THEN NULL
          ELSE FF_REFUSE('balances.account', 'text')
        END
      )
    ) AS "s0"
  FROM "balances" AS "f"
  LIMIT -1
) AS "rows"
GROUP BY
  "l region";
