-- SELECT store, LAST(on_hand) AS stock AT store
SELECT
  "l store" AS "store",
  CAST(MAX(CASE WHEN "r0" = 1 AND "e0" = 1 THEN "c on_hand" END) AS BIGINT) AS "m0_value",
  CAST(MAX(CASE WHEN "r0" = 1 AND "e0" = 1 THEN "l month" END) AS DATE) AS "m0_key0"
FROM (
  SELECT
    CAST("f"."store" AS TEXT) AS "l store",
    CAST("f"."month" AS DATE) AS "l month",
    "f"."store" AS "c store",
    "f"."month" AS "c month",
    "f"."on_hand" AS "c on_hand",
    (
      CASE WHEN NOT CAST("f"."month" AS DATE) IS NULL THEN 1 ELSE 0 END
    ) AS "e0",
    ROW_NUMBER() OVER (
      PARTITION BY CAST("f"."store" AS TEXT)
      ORDER BY (
        CASE WHEN NOT CAST("f"."month" AS DATE) IS NULL THEN 1 ELSE 0 END
      ) DESC, CAST("f"."month" AS DATE) DESC
    ) AS "r0"
  FROM "inv" AS "f"
) AS "rows"
GROUP BY
  "l store";
