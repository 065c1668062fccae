-- The corner shop: names that read like keywords, numbers that do not add up carelessly, bounds that
-- fall between two members, stock that is not summed over time under any name for time.
CREATE TABLE calls (id INTEGER, date DATE, "order" INTEGER, island VARCHAR, nothing INTEGER, truecount INTEGER);
INSERT INTO calls VALUES
    (1, '2024-01-05', 10, 'Oahu', 1, 3), (2, '2024-01-20', 10, 'O''ahu', -1, 5),
    (3, '2024-02-10', 11, NULL, 1, 7), (4, NULL, NULL, 'Oahu', 0, NULL);
-- 50 in January, of which 20 after the 20th, and 40 in February.
CREATE TABLE trips (trip INTEGER, instant TIMESTAMP, amount INTEGER);
INSERT INTO trips VALUES
    (1, '2024-01-05 09:00:00', 30), (2, '2024-01-25 12:30:00', 20), (3, '2024-02-10 18:45:10', 40);
-- Two Januaries, and a week that lies in two years.
CREATE TABLE fares (fare INTEGER, day DATE, amount DECIMAL(10, 4));
INSERT INTO fares VALUES
    (1, '2023-01-10', 1.2345), (2, '2024-01-10', 2.0000), (3, '2024-12-31', 0.0005),
    (4, '2025-01-01', 0.0000), (5, '2025-01-02', NULL);
CREATE TABLE samples (batch VARCHAR, day DATE, x DOUBLE, n BIGINT);
INSERT INTO samples VALUES
    ('far', '2024-01-01', 1000000000.0, 4611686018427387904),
    ('far', '2024-01-02', 1000000001.0, 4611686018427387904),
    ('far', '2024-01-03', 1000000002.0, 4611686018427387904),
    ('nan', '2024-01-01', 'NaN', 1), ('nan', '2024-01-02', 1.0, 1),
    ('none', '2024-01-01', NULL, NULL), ('none', '2024-01-02', NULL, NULL),
    ('pair', '2024-01-01', 1.0, 4), ('pair', '2024-01-02', 2.0, 3);
-- Doubles whose sum depends on the order in which they are added.
CREATE TABLE floats (i INTEGER, day DATE, v DOUBLE);
INSERT INTO floats
SELECT i, DATE '2024-01-01' + (i % 60)::INTEGER, (i * 7919 % 10007) * 0.01 + 0.0037 * (i % 13)
FROM generate_series(1, 20000) AS n(i);
-- Of two parcels to the West none was late, which is 0 and not unknown.
CREATE TABLE parcels (parcel INTEGER, region VARCHAR, late BOOLEAN);
INSERT INTO parcels VALUES
    (1, 'East', true), (2, 'East', false), (3, 'East', NULL), (4, 'West', false), (5, 'West', false);
-- Stock by store, product and month; each month is in a season and is counted in a month of its own.
CREATE TABLE stock (store VARCHAR, product VARCHAR, month DATE, counted DATE, on_hand INTEGER);
INSERT INTO stock VALUES
    ('S1', 'P1', '2024-01-01', '2024-03-01', 100), ('S1', 'P1', '2024-02-01', '2024-03-01', 80),
    ('S1', 'P2', '2024-01-01', '2024-03-01', 7), ('S1', 'P2', '2024-02-01', '2024-03-01', 5),
    ('S2', 'P1', '2024-01-01', '2024-03-01', 50), ('S2', 'P1', '2024-02-01', '2024-03-01', NULL);
CREATE TABLE seasons (month DATE, season VARCHAR);
INSERT INTO seasons VALUES ('2024-01-01', 'winter'), ('2024-02-01', 'winter');
