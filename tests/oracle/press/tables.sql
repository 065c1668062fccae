-- A publishing house: long chains of keys, keys that lead nowhere, and text of every kind. Made by
-- arithmetic on row numbers alone, so that it is the same everywhere.
CREATE TABLE continents (continent_id INTEGER, continent VARCHAR);
INSERT INTO continents VALUES (1, 'Europe'), (2, 'Asia'), (3, 'Americas'), (4, NULL);
-- 12 has no continent, 17 one that does not exist, 16 no name; Georgia is two nations, France two
-- spellings on two continents.
CREATE TABLE nations (nation_id INTEGER, nation VARCHAR, continent_id INTEGER);
INSERT INTO nations VALUES
    (10, 'Österreich', 1), (11, 'Türkiye', 2), (12, 'Côte d''Ivoire', NULL), (13, 'France', 1),
    (14, 'france', 3), (15, 'Japan', 2), (16, NULL, 1), (17, 'Atlantis', 9), (18, 'Georgia', 2),
    (19, 'Georgia', 3), (20, '', 4);
-- Two cities are called Paris; Nemo lies in a nation that does not exist, Drift in none.
CREATE TABLE cities (city_id INTEGER, city VARCHAR, nation_id INTEGER);
INSERT INTO cities VALUES
    (100, 'Wien', 10), (101, 'Graz', 10), (102, 'Paris', 13), (103, 'Paris', 14), (104, 'Tōkyō', 15),
    (105, 'Tbilisi', 18), (106, 'Atlanta', 19), (107, 'Abidjan', 12), (108, '', 16), (109, NULL, 17),
    (110, 'Nemo', 99), (111, 'Drift', NULL), (112, 'Blank', 20);
-- Each customer also carries the nation of its city, so that two ways lead there and agree. City 113
-- does not exist.
CREATE TABLE customers (customer_id INTEGER, name VARCHAR, city_id INTEGER, nation_id INTEGER, segment VARCHAR);
INSERT INTO customers
SELECT i, 'Customer ' || i, c.lives, cities.nation_id,
    CASE i % 5 WHEN 0 THEN 'retail' WHEN 1 THEN 'Retail' WHEN 2 THEN 'RETAIL' WHEN 3 THEN '' END
FROM (SELECT i, CASE WHEN i % 11 <> 0 THEN 100 + i % 14 END AS lives FROM generate_series(1, 30) AS n(i)) AS c
LEFT JOIN cities ON city_id = c.lives;
-- Orders 31 and 32 of customers who do not exist; some of nobody; one without a moment or a due day.
CREATE TABLE orders (order_id INTEGER, customer_id INTEGER, placed TIMESTAMP, due DATE, channel VARCHAR, rush BOOLEAN);
INSERT INTO orders
SELECT i, CASE WHEN i % 13 <> 0 THEN 1 + (i * 7) % 32 END,
    CASE WHEN i <> 40 THEN TIMESTAMP '2023-11-27 08:15:00' + i * INTERVAL '17 hours 23 minutes 11 seconds' END,
    CASE WHEN i <> 41 THEN DATE '2023-12-20' + (i * 2)::INTEGER END,
    CASE i % 4 WHEN 0 THEN 'web' WHEN 1 THEN 'Web' WHEN 2 THEN 'fair' ELSE 'post' END,
    CASE WHEN i % 10 <> 0 THEN i % 3 = 0 END
FROM generate_series(1, 90) AS n(i);
CREATE TABLE imprints (imprint_id INTEGER, imprint VARCHAR, nation_id INTEGER);
INSERT INTO imprints VALUES (1, 'Anker', 10), (2, 'Bookmark', 13), (3, 'Cygne', 14), (4, 'Delta', NULL), (6, 'Zed', 19);
CREATE TABLE genres (genre VARCHAR, field VARCHAR);
INSERT INTO genres VALUES ('novel', 'fiction'), ('poems', 'fiction'), ('atlas', 'reference'), ('Novel', NULL);
-- Imprint 5 does not exist, nor does the genre 'essay'; title 213 is sold and not listed.
CREATE TABLE titles (title_id INTEGER, title VARCHAR, imprint_id INTEGER, genre VARCHAR, pages INTEGER);
INSERT INTO titles VALUES
    (200, 'The Whale', 1, 'novel', 635), (201, 'the whale', 2, 'Novel', 640),
    (202, 'O''Brien''s "Own" Way', 1, 'poems', 96), (203, 'Straße', 3, 'atlas', 120),
    (204, 'STRASSE', 3, 'atlas', -1), (205, '☃ & 😀', 4, 'essay', 88), (206, '', 5, 'novel', 301),
    (207, NULL, 1, NULL, NULL), (208, 'x AND y', 6, 'poems', 100), (209, '100%', 6, 'atlas', 199),
    (210, '100_', 2, 'atlas', 200), (211, 'na' || chr(239) || 've', NULL, 'novel', 250),
    (212, 'nai' || chr(776) || 've', 4, 'novel', 250);
CREATE TABLE authors (author_id INTEGER, author VARCHAR, nation_id INTEGER);
INSERT INTO authors VALUES
    (1, 'Ada', 10), (2, 'Béla', 18), (3, 'Chinua', 12), (4, 'D''Arcy', NULL), (5, 'Émile', 13), (6, 'émile', 14);
-- The bridge: who wrote what, for which fee.
CREATE TABLE bylines (title_id INTEGER, author_id INTEGER, fee DECIMAL(10, 4));
INSERT INTO bylines VALUES
    (200, 1, 1000.0001), (200, 2, 500.5000), (201, 2, 0.0001), (202, 4, -20.2500), (203, 5, NULL),
    (204, 5, 10.0000), (204, 6, 10.0000), (205, 3, 333.3333), (206, 9, 7.0000), (213, 1, 0.1234);
-- Order 99 does not exist. Quantities below zero are returns; discounts keep four places.
CREATE TABLE lines (order_id INTEGER, line INTEGER, title_id INTEGER, quantity INTEGER, price DECIMAL(12, 4), discount DECIMAL(5, 4));
INSERT INTO lines
SELECT i, j, CASE WHEN (i + j) % 23 <> 0 THEN 200 + (i * 3 + j * 5) % 14 END,
    CASE WHEN (i + 2 * j) % 19 <> 0 THEN (i * 5 + j * 3) % 17 - 3 END,
    CASE WHEN (i * j) % 29 <> 0 THEN ((i * 37919 + j * 10007) % 1234567) * 0.0001::DECIMAL(5, 4) END,
    ((i * j) % 8) * 0.0125::DECIMAL(5, 4)
FROM generate_series(1, 91) AS n(i), generate_series(1, 4) AS m(j)
WHERE j <= 1 + i % 4;
UPDATE lines SET order_id = 99 WHERE order_id = 91;
-- Parcels know the nation they went to, which is not always the customer's, and when they left.
CREATE TABLE parcels (order_id INTEGER, parcel INTEGER, nation_id INTEGER, weight DECIMAL(9, 4), sent TIMESTAMP);
INSERT INTO parcels
SELECT order_id, j,
    CASE WHEN i % 7 = 0 THEN NULL WHEN i % 3 = 0 THEN 10 + i % 11 ELSE c.nation_id END,
    CASE WHEN i % 17 <> 0 THEN ((i * 7919 + j * 31) % 99991) * 0.0001::DECIMAL(5, 4) END,
    placed + j * INTERVAL '30 hours'
FROM (SELECT order_id, order_id AS i, customer_id, placed FROM orders) AS o
LEFT JOIN customers AS c USING (customer_id), generate_series(1, 2) AS m(j)
WHERE i % 4 <> 1 AND j <= 1 + i % 2;
CREATE TABLE warehouses (warehouse VARCHAR, city_id INTEGER);
INSERT INTO warehouses VALUES ('North', 100), ('South', 102), ('east', 104), ('East', 113), ('', NULL);
-- Copies on the shelf. 'South' was not counted on the last day, 'East' only once, 'Gone' is unknown.
CREATE TABLE stock (warehouse VARCHAR, title_id INTEGER, day DATE, copies INTEGER);
INSERT INTO stock
SELECT w, 200 + t, DATE '2024-01-29' + d::INTEGER, (d * 37 + t * 11 + k * 5) % 97 - 2
FROM (VALUES ('North', 0), ('South', 1), ('east', 2), ('Gone', 3), ('', 4)) AS w(w, k),
    generate_series(0, 5) AS t(t), generate_series(0, 5) AS d(d)
WHERE (d + t + k) % 5 <> 0 AND NOT (w = 'South' AND d = 5);
INSERT INTO stock VALUES ('East', 200, '2024-02-01', NULL), ('North', 213, '2024-02-03', 12), (NULL, 200, '2024-02-03', 3);
-- Royalties by month and title: coarser than lines, and with months that sold nothing.
CREATE TABLE royalties (title_id INTEGER, month DATE, amount DECIMAL(12, 4));
INSERT INTO royalties
SELECT 200 + t, (DATE '2023-11-01' + to_months(m::INTEGER))::DATE, ((t * 104729 + m * 1299709) % 999983) * 0.0001::DECIMAL(5, 4) - 20
FROM generate_series(0, 14) AS t(t), generate_series(0, 4) AS m(m) WHERE (t + m) % 3 <> 0;
INSERT INTO royalties VALUES (NULL, '2024-01-01', 1.5000), (200, NULL, 2.2500);
-- What is owed on a contract, told on some days.
CREATE TABLE advances (contract VARCHAR, author_id INTEGER, day DATE, owed DECIMAL(12, 4));
INSERT INTO advances VALUES
    ('C1', 1, '2024-01-01', 100.0000), ('C1', 1, '2024-01-31', 75.5000), ('C1', 1, '2024-02-15', 25.2500),
    ('C2', 1, '2024-01-10', 40.0000), ('C3', 2, '2024-01-31', 8.0001), ('C3', 2, '2024-02-10', NULL),
    ('C4', 9, '2024-02-15', -3.0000), (NULL, 5, '2024-01-31', 1.0000), ('C5', 5, NULL, 11.0000);
-- Visits to a page, to the microsecond, before 1970 too.
CREATE TABLE visits (visit BIGINT, seen TIMESTAMP, title_id INTEGER, ms INTEGER, agent VARCHAR);
INSERT INTO visits
SELECT i, TIMESTAMP '2023-12-31 22:58:59.250' + i * INTERVAL '7 minutes 41 seconds 777 milliseconds',
    200 + i % 15, CASE WHEN i % 9 <> 0 THEN (i * 131) % 2003 - 50 END,
    CASE i % 6 WHEN 0 THEN 'Bot' WHEN 1 THEN 'bot' WHEN 2 THEN '' WHEN 3 THEN NULL WHEN 4 THEN '😀' ELSE chr(65533) END
FROM generate_series(1, 120) AS n(i);
INSERT INTO visits VALUES
    (1001, '1969-12-31 23:59:59.999999', 200, 5, 'old'), (1002, '1899-02-28 00:00:00', 200, 6, 'old'),
    (1003, NULL, 201, 7, 'old'), (1004, '2024-02-29 23:59:59.5', NULL, NULL, 'leap');
CREATE TABLE complaints (complaint INTEGER, customer_id INTEGER, day DATE, severity DOUBLE);
-- Terms by customer and title, one row each.
CREATE TABLE terms (customer_id INTEGER, title_id INTEGER, rebate DECIMAL(6, 4));
INSERT INTO terms
SELECT i, 200 + (i * 3) % 14, (i % 9) * 0.0125::DECIMAL(5, 4) FROM generate_series(1, 30, 2) AS n(i);
INSERT INTO terms VALUES (NULL, 200, 0.9999), (2, NULL, 0.8888);
-- What the cases' own SQL starts from: every row of facts beside what its keys lead to, one outer
-- join after the other. Nothing of the product reads them.
CREATE SCHEMA by_hand;
CREATE VIEW by_hand.buyers AS
SELECT customer_id, segment, c.city_id, city, cities.nation_id, nation, continents.continent_id, continent
FROM customers AS c LEFT JOIN cities USING (city_id) LEFT JOIN nations ON nations.nation_id = cities.nation_id
LEFT JOIN continents ON continents.continent_id = nations.continent_id;
CREATE VIEW by_hand.books AS
SELECT title_id, title, pages, t.genre, field, t.imprint_id, imprint, home.nation_id AS home_id, home.nation AS home
FROM titles AS t LEFT JOIN genres ON genres.genre = t.genre LEFT JOIN imprints ON imprints.imprint_id = t.imprint_id
LEFT JOIN nations AS home ON home.nation_id = imprints.nation_id;
CREATE VIEW by_hand.sold AS
SELECT l.*, quantity * price AS gross, quantity * price * (1 - discount) AS net,
    o.customer_id, placed, due, channel, rush, b.* EXCLUDE (customer_id), k.* EXCLUDE (title_id)
FROM lines AS l LEFT JOIN orders AS o ON o.order_id = l.order_id
LEFT JOIN by_hand.buyers AS b ON b.customer_id = o.customer_id LEFT JOIN by_hand.books AS k ON k.title_id = l.title_id;
CREATE VIEW by_hand.sent AS
SELECT p.*, nations.nation, continents.continent_id, continents.continent, o.customer_id, placed, channel, rush, buyers.city
FROM parcels AS p LEFT JOIN nations ON nations.nation_id = p.nation_id
LEFT JOIN continents ON continents.continent_id = nations.continent_id LEFT JOIN orders AS o ON o.order_id = p.order_id
LEFT JOIN by_hand.buyers AS buyers ON buyers.customer_id = o.customer_id;
