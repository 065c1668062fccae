-- A trade between countries: two columns of a fact lead to a nation, and do or do not agree.
CREATE TABLE nations (nation VARCHAR, area VARCHAR);
INSERT INTO nations VALUES ('FR', 'Europe'), ('DE', 'Europe'), ('US', 'America');
CREATE TABLE customers (customer VARCHAR, nation VARCHAR);
INSERT INTO customers VALUES ('C1', 'FR'), ('C2', 'US'), ('C3', NULL);
CREATE TABLE suppliers (supplier VARCHAR, nation VARCHAR);
INSERT INTO suppliers VALUES ('S1', 'FR'), ('S2', 'DE'), ('S3', 'US');
CREATE TABLE orders ("order" VARCHAR, customer VARCHAR, fee INTEGER);
INSERT INTO orders VALUES ('O1', 'C1', 3), ('O2', 'C2', 4), ('O3', 'C3', 8);
-- A German supplier sold to a French customer: not of one nation, and of one area.
CREATE TABLE lines (line INTEGER, "order" VARCHAR, supplier VARCHAR, amount INTEGER);
INSERT INTO lines VALUES
    (1, 'O1', 'S1', 10), (2, 'O1', 'S2', 20), (3, 'O2', 'S3', 5), (4, 'O2', 'S3', 7);
-- Consigned at home alone, or to nobody known.
CREATE TABLE consignments (consignment INTEGER, customer VARCHAR, supplier VARCHAR, weight INTEGER);
INSERT INTO consignments VALUES (1, 'C1', 'S1', 100), (2, 'C2', 'S3', 50), (3, NULL, NULL, 1), (4, 'C9', 'S9', 2);
-- Where a dealing took place stands in the table, and is neither side's home.
CREATE TABLE dealings (dealing INTEGER, customer VARCHAR, supplier VARCHAR, nation VARCHAR, price INTEGER);
INSERT INTO dealings VALUES (1, 'C1', 'S2', 'US', 3), (2, 'C2', 'S1', 'US', 4);
-- A customer of no known nation against a supplier of one: NULL is no agreement.
CREATE TABLE offers (offer INTEGER, customer VARCHAR, supplier VARCHAR);
INSERT INTO offers VALUES (1, 'C1', 'S1'), (2, 'C3', 'S3');
-- One voyage lands in the month after that in which it sailed.
CREATE TABLE voyages (voyage INTEGER, sailed DATE, landed DATE, tons INTEGER);
INSERT INTO voyages VALUES
    (1, '2024-01-10', '2024-01-20', 100), (2, '2024-01-30', '2024-02-02', 10), (3, '2024-03-01', '2024-03-05', 1);
-- A batch that was loaded twice: the ports stand as they are, the weights do not.
CREATE TABLE landings (landing INTEGER, port VARCHAR, coast VARCHAR, tons INTEGER);
INSERT INTO landings VALUES (1, 'Brest', 'west', 10), (2, 'Brest', 'west', 20), (2, 'Brest', 'west', 20), (3, 'Kiel', NULL, 5);
CREATE TABLE catches (catch INTEGER, port VARCHAR, fish INTEGER);
INSERT INTO catches VALUES (1, 'Brest', 100), (2, 'Kiel', 10), (3, 'Nantes', 1);
-- Events without a key: equal rows are two events.
CREATE TABLE calls (port VARCHAR, minutes INTEGER, day DATE);
INSERT INTO calls VALUES ('Brest', 5, '2024-01-10'), ('Brest', 5, '2024-01-10'), ('Kiel', NULL, '2024-01-11'), (NULL, 7, NULL);
-- The same batch twice, whose owner says that it is no such thing.
CREATE TABLE quotes (quote INTEGER, port VARCHAR, price INTEGER);
INSERT INTO quotes VALUES (1, 'Brest', 10), (2, 'Kiel', 20), (2, 'Kiel', 20);
-- A key that is computed, and another that two rows share.
CREATE TABLE tickets (code VARCHAR, fare INTEGER);
INSERT INTO tickets VALUES ('AB-1', 3), ('AB-2', 4), ('CD-1', 5);
CREATE TABLE stubs (code VARCHAR, fare INTEGER);
INSERT INTO stubs VALUES ('AB-1', 3), ('AB-2', 4), ('CD-1', 5);
