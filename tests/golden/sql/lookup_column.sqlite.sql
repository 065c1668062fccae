-- SELECT category, list_price WHERE store = ? AT category
SELECT
  "l category" AS "category",
  FF_TOTAL(SUM((
    "c list_price"
  ) >> 32), SUM((
    "c list_price"
  ) & 4294967295), 38) AS "m0_value"
FROM (
  SELECT
    "j1"."target" AS "l category",
    (
      CASE
        WHEN TYPEOF("f"."store") = 'text'
        THEN "f"."store"
        WHEN "f"."store" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.store', 'text')
      END
    ) AS "l store",
    (
      CASE
        WHEN TYPEOF("f"."product") = 'text'
        THEN "f"."product"
        WHEN "f"."product" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.product', 'text')
      END
    ) AS "c product",
    (
      CASE
        WHEN TYPEOF("f"."store") = 'text'
        THEN "f"."store"
        WHEN "f"."store" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.store', 'text')
      END
    ) AS "c store",
    "k0"."value" AS "c list_price"
  FROM "tx" AS "f"
  LEFT JOIN (
    SELECT DISTINCT
      (
        CASE
          WHEN "price" > -100000000
          AND "price" < 100000000
          AND ROUND("price" * 100.0) / 100.0 = "price"
          THEN CAST(ROUND("price" * 100.0) AS INTEGER)
          WHEN "price" IS NULL
          THEN NULL
          ELSE FF_NUMBER("price", 10, 2, 'price_list.price', rowid)
        END
      ) AS "value",
      (
        CASE
          WHEN TYPEOF("store") = 'text'
          THEN "store"
          WHEN "store" IS NULL
          THEN NULL
          ELSE FF_REFUSE('price_list.store', 'text')
        END
      ) AS "key0",
      (
        CASE
          WHEN TYPEOF("product") = 'text'
          THEN "product"
          WHEN "product" IS NULL
          THEN NULL
          ELSE FF_REFUSE('price_list.product', 'text')
        END
      ) AS "key1"
    FROM "price_list"
  ) AS "k0"
    ON (
      CASE
        WHEN TYPEOF("f"."store") = 'text'
        THEN "f"."store"
        WHEN "f"."store" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.store', 'text')
      END
    ) = "k0"."key0"
    AND (
      CASE
        WHEN TYPEOF("f"."product") = 'text'
        THEN "f"."product"
        WHEN "f"."product" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.product', 'text')
      END
    ) = "k0"."key1"
  LEFT JOIN (
    SELECT DISTINCT
      (
        CASE
          WHEN TYPEOF("product") = 'text'
          THEN "product"
          WHEN "product" IS NULL
          THEN NULL
          ELSE FF_REFUSE('products.product', 'text')
        END
      ) AS "source",
      (
        CASE
          WHEN TYPEOF("category") = 'text'
          THEN "category"
          WHEN "category" IS NULL
          THEN NULL
          ELSE FF_REFUSE('products.category', 'text')
        END
      ) AS "target"
    FROM "products"
    WHERE
      NOT "product" IS NULL
  ) AS "j1"
    ON (
      CASE
        WHEN TYPEOF("f"."product") = 'text'
        THEN "f"."product"
        WHEN "f"."product" IS NULL
        THEN NULL
        ELSE FF_REFUSE('tx.product', 'text')
      END
    ) = "j1"."source"
  WHERE
    (
      (
        (
          CASE
            WHEN TYPEOF("f"."store") = 'text'
            THEN "f"."store"
            WHEN "f"."store" IS NULL
            THEN NULL
            ELSE FF_REFUSE('tx.store', 'text')
          END
        )
      ) = (
        :p0
      )
    )
  LIMIT -1
) AS "rows"
GROUP BY
  "l category";
