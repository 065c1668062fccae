-- SELECT category, list_price WHERE store = ? AT category
SELECT
  "l category" AS "category",
  CAST(SUM("c list_price") AS DECIMAL(38, 2)) AS "m0_value"
FROM (
  SELECT
    "j1"."target" AS "l category",
    CAST("f"."store" AS TEXT) AS "l store",
    "f"."product" AS "c product",
    "f"."store" AS "c store",
    "k0"."value" AS "c list_price"
  FROM "tx" AS "f"
  LEFT JOIN (
    SELECT DISTINCT
      "price" AS "value",
      CAST("store" AS TEXT) AS "key0",
      CAST("product" AS TEXT) AS "key1"
    FROM "price_list"
  ) AS "k0"
    ON CAST("f"."store" AS TEXT) = "k0"."key0"
    AND CAST("f"."product" AS TEXT) = "k0"."key1"
  LEFT JOIN (
    SELECT DISTINCT
      CAST("product" AS TEXT) AS "source",
      CAST("category" AS TEXT) AS "target"
    FROM "products"
    WHERE
      NOT "product" IS NULL
  ) AS "j1"
    ON CAST("f"."product" AS TEXT) = "j1"."source"
  WHERE
    (
      CAST("f"."store" AS TEXT)
    ) = (
      CAST($p0 AS TEXT)
    )
) AS "rows"
GROUP BY
  "l category";
