-- Grain: one row a key: the newest of what is staged, else what is there.
-- Inputs: staged and present.
WITH every_row AS (
    SELECT {columns}, batch FROM staged
    UNION ALL BY NAME
    SELECT {columns}, -1 AS batch FROM present
),

numbered AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY batch DESC) AS place FROM every_row
)

SELECT {columns} FROM numbered WHERE place = 1
ORDER BY {key}
