-- Beside the published tables: which carrier flew where at all, a table that links carriers and
-- destinations many to many; and a daily summary by airport, as a reporting team would keep it.
CREATE TABLE served AS SELECT DISTINCT carrier, dest FROM flights;
CREATE TABLE daily AS SELECT origin, local_day, COUNT(*) AS planned, SUM(distance)::BIGINT AS miles FROM flights GROUP BY ALL;
-- What the cases' own SQL starts from; nothing of the product reads it.
CREATE SCHEMA by_hand;
CREATE VIEW by_hand.flown AS
SELECT f.*, a.name AS airline, o.name AS origin_name, o.tz AS origin_tz, d.name AS dest_name, d.tz AS dest_tz, d.dst AS dest_dst,
    d.tzone AS dest_zone, p.year AS built, p.type AS kind, p.manufacturer, p.model, p.engines, p.seats, p.engine,
    f.tailnum IS NOT NULL AND p.tailnum IS NULL AS unlisted
FROM flights AS f LEFT JOIN airlines AS a ON a.carrier = f.carrier LEFT JOIN airports AS o ON o.faa = f.origin
LEFT JOIN airports AS d ON d.faa = f.dest LEFT JOIN planes AS p ON p.tailnum = f.tailnum;
