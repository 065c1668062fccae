-- The fixture of the traps: few rows, each of them a reason.
CREATE TABLE stores (store VARCHAR, region VARCHAR);
INSERT INTO stores VALUES ('S1', 'East'), ('S2', 'East'), ('S3', 'West'), ('S4', NULL);
CREATE TABLE products (product VARCHAR, category VARCHAR);
INSERT INTO products VALUES ('P1', 'A'), ('P2', 'A'), ('P3', 'B');
CREATE TABLE tags (product VARCHAR, tag VARCHAR);
INSERT INTO tags VALUES ('P1', 'x'), ('P1', 'y'), ('P2', 'y');
CREATE TABLE tx (
    txn INTEGER, store VARCHAR, product VARCHAR, day DATE, cust VARCHAR,
    revenue DECIMAL(10, 2), cost DECIMAL(10, 2)
);
INSERT INTO tx VALUES
    (1, 'S1', 'P1', '2024-01-30', 'U1', 10.10, 7.00),
    (2, 'S1', 'P2', '2024-01-31', 'U2', 20.20, 15.00),
    (3, 'S2', 'P1', '2024-01-31', 'U1', 30.30, 20.00),
    (4, 'S2', 'P3', '2024-02-01', 'U3', 0.10, 0.05),
    (5, 'S3', 'P3', '2024-02-01', 'U1', 0.20, 0.10),
    (6, 'S3', 'P1', '2024-02-01', 'U4', NULL, 1.00),
    (7, 'S4', 'P2', '2024-02-02', 'U5', 5.00, 4.00),
    (8, 'S9', 'P2', '2024-02-02', 'U2', 7.00, 6.00),
    (9, NULL, 'P1', '2024-02-02', NULL, 9.00, 8.00),
    (10, 'S1', 'P3', '2024-02-03', 'U1', 1.00, 0.50);
CREATE TABLE inv (store VARCHAR, month DATE, on_hand INTEGER);
INSERT INTO inv VALUES
    ('S1', '2024-01-01', 100), ('S1', '2024-02-01', 80),
    ('S2', '2024-01-01', 50), ('S2', '2024-02-01', 70), ('S3', '2024-01-01', 40);
CREATE TABLE nothing_sold (txn INTEGER, store VARCHAR, day DATE, amount DECIMAL(10, 2));
CREATE TABLE price_list (store VARCHAR, product VARCHAR, price DECIMAL(10, 2));
INSERT INTO price_list VALUES
    ('S1', 'P1', 12.00), ('S1', 'P2', 22.00), ('S2', 'P1', 12.00), ('S3', 'P1', 13.00), (NULL, 'P1', 99.00);
CREATE TABLE balances (account VARCHAR, region VARCHAR, day DATE, balance DECIMAL(10, 2));
INSERT INTO balances VALUES
    ('A', 'East', '2024-01-30', 10.00), ('A', 'East', '2024-02-02', 12.50),
    ('B', 'East', '2024-01-31', 7.25),
    ('C', 'West', '2024-01-30', 3.00), ('C', 'West', '2024-02-01', NULL);
CREATE TABLE readings (sensor VARCHAR, day DATE, value DOUBLE);
INSERT INTO readings VALUES
    ('a', '2024-01-30', 1.5), ('a', '2024-01-31', 'NaN'), ('b', '2024-01-30', 2.5),
    ('b', '2024-01-31', NULL), ('c', '2024-01-30', 'NaN'), ('d', '2024-01-31', NULL), ('e', '2024-01-30', -1.0);
