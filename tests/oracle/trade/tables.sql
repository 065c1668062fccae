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
