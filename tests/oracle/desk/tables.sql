-- A help desk: codes that must be taken apart, moments, fees of three decimals, and text of every kind.
CREATE TABLE agents (agent_id INTEGER, agent VARCHAR, hired VARCHAR);
INSERT INTO agents VALUES (1, 'Zoë', '2023-01-15'), (2, 'ÅSA', ' 2023-11-30 '), (3, 'straße', NULL), (4, NULL, '2024-02-29');
-- Agent 5 does not exist; ticket 40 has nothing but its number.
CREATE TABLE tickets (ticket_id INTEGER, code VARCHAR, opened TIMESTAMP, agent_id INTEGER, minutes INTEGER, calls INTEGER, fee DECIMAL(10, 3), score DOUBLE);
INSERT INTO tickets
SELECT i,
    CASE i % 4 WHEN 0 THEN 'net-' WHEN 1 THEN 'NET-' WHEN 2 THEN 'Éco-' ELSE 'x' END || (i * 7) % 30,
    TIMESTAMP '2023-12-28 20:30:00' + i * INTERVAL '13 hours 7 minutes',
    CASE WHEN i % 9 <> 0 THEN 1 + i % 5 END,
    (i * 37) % 50 - 3,
    i % 4,
    ((i * 1117) % 20000 - 5000) / 1000::DECIMAL(10, 3),
    CASE WHEN i % 6 <> 0 THEN (i * 17 % 41) / 8 END
FROM generate_series(1, 39) AS n(i);
INSERT INTO tickets (ticket_id) VALUES (40);
CREATE SCHEMA by_hand;
CREATE VIEW by_hand.asked AS
SELECT t.*, agent, hired, upper(substring(code, 1, 1)) AS letter,
    CASE WHEN code LIKE '%-%' THEN lower(split_part(code, '-', 1)) ELSE 'other' END AS topic,
    CASE WHEN minutes < 0 THEN 'wrong' WHEN minutes < 15 THEN 'short' WHEN minutes < 35 THEN 'long' WHEN minutes >= 35 THEN 'endless' END AS band,
    CAST(opened AS DATE) AS day, hour(opened) >= 18 OR hour(opened) < 8 AS late,
    CASE WHEN calls <> 0 THEN minutes / calls END AS per_call
FROM tickets AS t LEFT JOIN agents AS a ON a.agent_id = t.agent_id;
