-- A shop small enough to add up by hand, and ticks enough to fill many batches.
CREATE TABLE stores (store VARCHAR, region VARCHAR);
INSERT INTO stores VALUES ('S1', 'North'), ('S2', 'North'), ('S3', 'South'), ('S4', NULL);
CREATE TABLE sales (
    sale BIGINT, store VARCHAR, day DATE, moment TIMESTAMP, gift BOOLEAN,
    amount DECIMAL(12, 2), weight DOUBLE, pieces BIGINT
);
INSERT INTO sales VALUES
    (1, 'S1', '2024-02-28', '2024-02-28 09:30:00', TRUE, 0.10, 1.5, 1),
    (2, 'S2', '2024-02-29', '2024-02-29 23:59:59.000001', FALSE, 0.20, 0.25, 2),
    (3, 'S3', '2024-03-01', '2024-03-01 00:00:00', NULL, 12345678.90, NULL, 3),
    (4, 'S4', '2024-03-01', NULL, TRUE, NULL, 2.5, NULL);
-- Their sum is 0 + 1 + ... + 1,199,999.
CREATE TABLE ticks AS SELECT range AS tick, range AS reading FROM range(1200000);
