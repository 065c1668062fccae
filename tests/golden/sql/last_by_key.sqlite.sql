-- SELECT store, LAST(on_hand) AS stock AT store
SELECT
  "l store" AS "store",
  MAX(CASE WHEN "r0" = 1 AND "e0" = 1 THEN "c on_hand" END) AS "m0_value",
  MAX(CASE WHEN "r0" = 1 AND "e0" = 1 THEN "l month" END) AS "m0_key0"
FROM (
  SELECT
    (
      CASE
        WHEN TYPEOF("f"."store") = 'text'
        THEN "f"."store"
        WHEN "f"."store" IS NULL
        THEN NULL
        ELSE FF_REFUSE('inv.store', 'text')
      END
    ) AS "l store",
    (
      CASE
        WHEN DATE("f"."month", '+0 days') = "f"."month" AND "f"."month" >= '0001-01-01'
        THEN "f"."month"
        WHEN "f"."month" IS NULL
        THEN NULL
        ELSE FF_REFUSE('inv.month', 'date')
      END
    ) AS "l month",
    (
      CASE
        WHEN TYPEOF("f"."store") = 'text'
        THEN "f"."store"
        WHEN "f"."store" IS NULL
        THEN NULL
        ELSE FF_REFUSE('inv.store', 'text')
      END
    ) AS "c store",
    (
      CASE
        WHEN DATE("f"."month", '+0 days') = "f"."month" AND "f"."month" >= '0001-01-01'
        THEN "f"."month"
        WHEN "f"."month" IS NULL
        THEN NULL
        ELSE FF_REFUSE('inv.month', 'date')
      END
    ) AS "c month",
    (
      CASE
        WHEN TYPEOF("f"."on_hand") = 'integer'
        THEN "f"."on_hand"
        WHEN "f"."on_hand" IS NULL
        THEN NULL
        ELSE FF_REFUSE('inv.on_hand', 'integer')
      END
    ) AS "c on_hand",
    (
      CASE
        WHEN NOT (
          CASE
            WHEN DATE("f"."month", '+0 days') = "f"."month" AND "f"."month" >= '0001-01-01'
            THEN "f"."month"
            WHEN "f"."month" IS NULL
            THEN NULL
            ELSE FF_REFUSE('inv.month', 'date')
          END
        ) IS NULL
        THEN 1
        ELSE 0
      END
    ) AS "e0",
    ROW_NUMBER() OVER (
      PARTITION BY (
        CASE
          WHEN TYPEOF("f"."store") = 'text'
          THEN "f"."store"
          WHEN "f"."store" IS NULL
          THEN NULL
          ELSE FF_REFUSE('inv.store', 'text')
        END
      )
      ORDER BY (
        CASE
          WHEN NOT (
            CASE
              WHEN DATE("f"."month", '+0 days') = "f"."month" AND "f"."month" >= '0001-01-01'
              THEN "f"."month"
              WHEN "f"."month" IS NULL
              THEN NULL
              ELSE FF_REFUSE('inv.month', 'date')
            END
          ) IS NULL
          THEN 1
          ELSE 0
        END
      ) DESC, (
        CASE
          WHEN DATE("f"."month", '+0 days') = "f"."month" AND "f"."month" >= '0001-01-01'
          THEN "f"."month"
          WHEN "f"."month" IS NULL
          THEN NULL
          ELSE FF_REFUSE('inv.month', 'date')
        END
      ) DESC
    ) AS "r0"
  FROM "inv" AS "f"
  LIMIT -1
) AS "rows"
GROUP BY
  "l store";
